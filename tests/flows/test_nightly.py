"""A whole night, small: collected, bred, backtested, vetted, saved, reported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from core.errors import NothingStored
from flows.nightly import nightly
from storage.lake import sql

AS_OF = datetime(2026, 3, 11, tzinfo=UTC)
SYMBOLS = ["NOISE1-USDT", "TREND1-USDT"]
SMALL = {"as_of": AS_OF, "symbols": SYMBOLS, "days": 10, "strategies": 20}
TABLES = ("strategies", "backtests", "trials", "promotions")


def tables() -> dict[str, pl.DataFrame]:
    return {
        name: sql(f"select * from {name}").sort(
            pl.all().exclude(pl.List(pl.Float64), pl.List(pl.String))
        )
        for name in TABLES
    }


def test_a_night_ends_with_every_trial_in_the_store_and_a_page(desk: Path) -> None:
    summary = nightly(**SMALL)
    assert summary.trials == 40
    assert sum(summary.verdicts.values()) == 40
    page = Path(summary.report).read_text()
    assert summary.headline in page
    assert "sandbox" in page
    assert sql("select count(*) as n from strategies").item() == 20
    assert sql("select count(*) as n from trials where len(daily_returns) = 10").item() == 40
    night = sql("select * from nights").row(0, named=True)
    assert (night["trials"], night["symbols"]) == (40, SYMBOLS)
    assert (desk / night["report"]).is_file()


def test_the_same_night_again_changes_nothing(desk: Path) -> None:
    first = nightly(**SMALL)
    before = tables()
    second = nightly(**SMALL)
    assert second.night == first.night
    assert {name: frame.equals(before[name]) for name, frame in tables().items()} == dict.fromkeys(
        TABLES, True
    )
    assert sql("select count(*) as n from revisions where dataset <> 'nights'").item() == 0


def test_another_seed_is_another_night_with_other_strategies(desk: Path) -> None:
    first = nightly(**SMALL, seed=1)
    second = nightly(**SMALL, seed=2)
    assert first.night != second.night
    ids = sql("select night, list(strategy_id) as ids from backtests group by night")[
        "ids"
    ].to_list()
    assert not set(ids[0]) & set(ids[1])


def test_a_night_without_data_says_how_to_get_some(desk: Path) -> None:
    with pytest.raises(NothingStored, match="nightjar ingest"):
        nightly(as_of=AS_OF, venue="kraken", symbols=["BTC-USDT"], days=10, strategies=5)
