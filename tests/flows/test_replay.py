"""A night run again comes out equal, wherever it runs, or the replay says where it does not."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

import nightjar
from core.clock import utc_now
from core.datasets import CANDIDATES, TIME
from flows.nightly import nightly
from flows.replay import replay
from storage import hot
from storage.lake import sql
from storage.store import default_store
from tests.tasks.crew.cluster import Cluster

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = datetime(2026, 3, 11, tzinfo=UTC)
SMALL = {"as_of": AS_OF, "symbols": ["NOISE1-USDT", "TREND1-USDT"], "days": 5, "strategies": 12}
TABLES = ("strategies", "backtests", "trials", "candidates", "promotions", "nights", "verdicts")


@pytest.fixture(autouse=True)
def _short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_GENERATIONS", "1")
    monkeypatch.setenv("NIGHTJAR_WORKERS", "1")
    monkeypatch.setenv("NIGHTJAR_VETTING__ALPHA", "0.5")
    monkeypatch.setenv("NIGHTJAR_VETTING__WORLDS", "3")
    monkeypatch.setenv("NIGHTJAR_VETTING__PERMUTATION_ALPHA", "0.5")
    monkeypatch.setenv("NIGHTJAR_VETTING__PERMUTATIONS", "1")
    monkeypatch.setenv("NIGHTJAR_VETTING__STOP_AFTER", "2")
    monkeypatch.setenv("NIGHTJAR_VETTING__MIN_TRADES", "3")


def rows() -> dict[str, int]:
    return {name: sql(f"select count(*) from {name}").item() for name in TABLES}


def change_a_number() -> None:
    """Say of the best candidate that it is surer than it is."""
    changed = sql("from candidates order by rank").with_columns(
        p_value=pl.when(pl.col("rank") == 1).then(0.0001).otherwise("p_value"),
        ingested_at=pl.lit(utc_now(), TIME),
    )
    hot.put(default_store(), "candidates", CANDIDATES.conform(changed), now=utc_now())


def test_a_night_run_again_is_equal_in_processes_and_on_a_cluster(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    night = nightly(**SMALL).night
    before = rows()
    monkeypatch.setenv("NIGHTJAR_SEED", "7")  # today's settings are not that night's
    monkeypatch.setenv("NIGHTJAR_COSTS__FEE_BPS", "1")
    monkeypatch.setenv("NIGHTJAR_WORKERS", "2")

    found = replay(night[:15])
    assert (found.night, found.equal, found.changes, found.kept) == (night, True, (), None)
    compared = {table.dataset: (table.rows, table.differing) for table in found.tables}
    assert compared["nights"] == (1, 0)
    for name in ("strategies", "backtests", "trials", "candidates", "promotions"):
        assert compared[name] == (before[name], 0)
    assert compared["strategies"][0] > 5
    assert rows() == before, "a replay saves nothing"
    assert [path.name for path in (desk / "nights").iterdir()] == [night]

    change_a_number()
    with ExitStack() as stack:
        cluster = Cluster(tmp_path, stack).staffed(1)
        monkeypatch.setenv("NIGHTJAR_DASK", cluster.address)
        assert nightjar.run(["nightly", "--replay", night, "--json"]) == nightjar.FAILED
    said = json.loads(capsys.readouterr().out)
    assert (said["equal"], said["changes"]) == (False, [])
    differing = [table for table in said["tables"] if table["differing"]]
    assert [(one["dataset"], one["differing"]) for one in differing] == [("candidates", 1)]
    (difference,) = differing[0]["first"]
    assert (difference["column"], difference["stored"]) == ("p_value", "0.0001")
    assert float(difference["again"]) >= 1 / 4
    assert (desk / "nights" / f"{night}-replay" / "trials.parquet").is_file()


def test_a_night_that_never_was_cannot_be_replayed(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nightjar.run(["nightly", "--replay", "2020-01-01"]) == nightjar.FAILED
    assert "no night '2020-01-01' is stored" in capsys.readouterr().err


def test_a_replay_takes_no_other_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert nightjar.run(["nightly", "--replay", "n", "--days", "5"]) == nightjar.MISUSED
    assert "--days" in capsys.readouterr().err
