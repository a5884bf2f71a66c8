"""The commands that look after the store, as a person and a program meet them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import nightjar
from storage import hot, quarantine
from storage.store import default_store
from tests.storage.samples import candles

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_sql_answers_as_the_store_stood(capsys: pytest.CaptureFixture[str]) -> None:
    for hours in range(2):
        when = NOW + timedelta(hours=hours)
        hot.put(default_store(), "candles", candles([hours], ingested_at=when), now=when)
    for asked, count in (("2026-05-31", 0), ("2026-06-01T00:00Z", 1), ("2026-06-02", 2)):
        query = ["sql", "select count(*) as n from candles", "--as-of", asked, "--json"]
        assert nightjar.run(query) == nightjar.DONE
        assert json.loads(capsys.readouterr().out) == [{"n": count}]
    assert nightjar.run(["sql", "from candles", "--as-of", "2026-06-01T00:00"]) != nightjar.DONE


def hold(minutes: list[int], *reasons: str, **changes: Any) -> None:
    rows = candles(minutes, **changes).with_columns(reasons=pl.lit([*reasons]))
    quarantine.write(default_store(), "candles", rows, f"batch {minutes}", NOW)


def said(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    assert nightjar.run([*command, "--json"]) == nightjar.DONE
    return json.loads(capsys.readouterr().out)


def test_quarantine_is_listed_explained_and_released(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hot.put(default_store(), "candles", candles([0, 1, 3]), now=NOW)
    hold([2], "price_jump", close=200)
    hold([9], "off_grid", symbol="ETH-USDT")
    rows = said(capsys, "quarantine", "list")
    assert [row["reasons"] for row in rows] == [["price_jump"], ["off_grid"]]
    [row] = said(capsys, "quarantine", "list", "--symbols", "BTC-USDT", "--reason", "price_jump")
    assert row["key"] == "binance BTC-USDT 1m 2026-03-31T22:02:00Z"

    found = said(capsys, "quarantine", "show", row["id"])
    assert found["releasable"] is True
    assert "20 %" in found["because"]["price_jump"]
    assert len(found["neighbours"]) == 3
    assert found["row"]["close"] == 200.0

    [merge] = said(capsys, "quarantine", "release", row["id"])
    assert merge["inserted"] == 1
    assert said(capsys, "sql", "select count(*) as n from candles") == [{"n": 4}]
    assert [r["id"] for r in said(capsys, "quarantine", "list")] == [rows[1]["id"]]
    every = said(capsys, "quarantine", "list", "--every")
    assert sorted(r["state"] for r in every) == ["released", "waiting"]


def test_what_cannot_be_released_is_said_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hold([2], "off_grid")
    [row] = said(capsys, "quarantine", "list")
    assert nightjar.run(["quarantine", "release", row["id"]]) == nightjar.MISUSED
    assert "held for off_grid" in capsys.readouterr().err
    assert nightjar.run(["quarantine", "show", "nothing"]) == nightjar.FAILED


def test_quarantine_reads_well_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert nightjar.run(["quarantine", "list"]) == nightjar.DONE
    assert "No row waits" in capsys.readouterr().out
    hold([1, 2, 3], "price_jump", close=200)
    [row, *_] = said(capsys, "quarantine", "list")
    assert nightjar.run(["quarantine", "list", "--limit", "2"]) == nightjar.DONE
    assert "1 more than are shown" in capsys.readouterr().out
    assert nightjar.run(["quarantine", "show", row["id"]]) == nightjar.DONE
    shown = capsys.readouterr().out
    assert "the price jumps over 20 %" in shown
    assert f"nightjar quarantine release {row['id']}" in shown
    assert nightjar.run(["quarantine", "release", row["id"]]) == nightjar.DONE
    assert "candles: 1 row released" in capsys.readouterr().out
