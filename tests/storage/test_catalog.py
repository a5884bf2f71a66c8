from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import TIME
from core.errors import InvalidInput
from core.market import Span
from storage import hot
from storage.archive import archive
from storage.catalog import coverage, gaps, missing, snapshot
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, START, candles

if TYPE_CHECKING:
    from collections.abc import Callable


def put(store: Store, *frames: pl.DataFrame) -> None:
    for frame in frames:
        hot.put(store, "candles", frame, now=NOW)


def span(first: float, last: float, symbol: str = "BTC-USDT") -> Span:
    return Span("binance", symbol, "1m", START + first * MINUTE, START + last * MINUTE)


def test_coverage_counts_what_is_there_and_what_is_missing(store: Store) -> None:
    put(store, candles([0, 1, 4, 5, 9]), candles([0, 5, 15], interval="5m", venue="sandbox"))
    assert coverage(store).columns == [
        *("venue", "symbol", "interval", "first", "last", "bars", "expected", "missing")
    ]
    assert coverage(store).rows() == [
        ("binance", "BTC-USDT", "1m", START, START + 9 * MINUTE, 5, 10, 5),
        ("sandbox", "BTC-USDT", "5m", START, START + 15 * MINUTE, 3, 4, 1),
    ]


def test_gaps_are_the_stretches_between_bars(store: Store) -> None:
    put(store, candles([0, 1, 4, 5, 9]), candles(3, symbol="ETH-USDT"))
    assert gaps(store).rows() == [
        ("binance", "BTC-USDT", "1m", START + 2 * MINUTE, START + 4 * MINUTE, 2),
        ("binance", "BTC-USDT", "1m", START + 6 * MINUTE, START + 9 * MINUTE, 3),
    ]
    assert gaps(store).schema["start"] == gaps(store).schema["end"] == TIME


def test_gaps_can_be_asked_for_one_series(store: Store) -> None:
    put(
        store,
        candles([0, 2]),
        candles([0, 2], symbol="ETH-USDT"),
        candles([0, 2], venue="sandbox"),
        candles([0, 10], interval="5m"),
    )
    assert gaps(store).height == 4
    assert gaps(store, symbol="ETH-USDT")["symbol"].to_list() == ["ETH-USDT"]
    assert gaps(store, venue="sandbox")["venue"].to_list() == ["sandbox"]
    assert gaps(store, venue="binance", symbol="BTC-USDT", interval="5m").height == 1
    with pytest.raises(InvalidInput):
        gaps(store, venue="x' or true --")


def test_a_gap_across_the_tiers_is_one_gap_and_no_seam_is_one(store: Store) -> None:
    put(store, candles([*range(110), *range(130, 180)]))
    archive(store, "candles", now=datetime(2026, 4, 15, tzinfo=UTC), hot_days=0)
    assert gaps(store)["bars"].to_list() == [20]
    put(store, candles([*range(110, 130)]))
    assert gaps(store).is_empty()


def test_a_store_that_is_not_there_yet_covers_nothing(store: Store) -> None:
    assert coverage(store).is_empty()
    assert gaps(store).is_empty()
    assert missing(store, span(0, 10)) == [span(0, 10)]


def test_missing_are_the_head_the_holes_and_the_tail(store: Store) -> None:
    put(store, candles([2, 3, 6]), candles(20, symbol="ETH-USDT"), candles(20, venue="sandbox"))
    assert missing(store, span(0, 9)) == [span(0, 2), span(4, 6), span(7, 9)]
    assert missing(store, span(2, 4)) == []
    assert missing(store, span(3, 7)) == [span(4, 6)]
    assert missing(store, span(0, 9, "SOL-USDT")) == [span(0, 9, "SOL-USDT")]


def test_a_span_without_a_whole_bar_misses_nothing(store: Store) -> None:
    assert missing(store, span(0.25, 0.75)) == []
    assert missing(store, span(3, 3)) == []
    put(store, candles([1]))
    assert missing(store, span(0.5, 2)) == []
    assert missing(store, span(0.5, 2.5)) == [span(2, 2.5)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    home = tmp_path_factory.mktemp("shared")
    return Store(home, str(home / "lake"))


symbols = iter(f"S{n}-USDT" for n in range(10_000))


@settings(max_examples=20)
@given(
    there=st.sets(st.integers(0, 19)),
    ends=st.tuples(st.integers(-6, 46), st.integers(-6, 46)).map(sorted),
)
def test_missing_and_stored_bars_make_up_every_span(
    shared: Store, there: set[int], ends: list[int]
) -> None:
    symbol = next(symbols)
    put(shared, candles(sorted(there), symbol=symbol))
    first, last = (end / 2 for end in ends)
    asked = span(first, last, symbol)
    found = missing(shared, asked)
    bars = [n for n in range(-5, 25) if first <= n < last]
    lacking = [n for n in bars if any(h.start <= START + n * MINUTE < h.end for h in found)]
    assert lacking == [n for n in bars if n not in there]
    assert sum(hole.bars for hole in found) == len(lacking)
    assert all(asked.start <= hole.start < hole.end <= asked.end for hole in found)
    assert all(one.end < other.start for one, other in itertools.pairwise(found))


def test_the_snapshot_is_the_same_whichever_tier_and_order(store: Store) -> None:
    frame = pl.concat([candles(180), candles(180, symbol="ETH-USDT", close=7)])
    put(store, frame)
    first = snapshot(store)
    archive(store, "candles", now=datetime(2026, 4, 15, tzinfo=UTC), hot_days=0)
    assert snapshot(store) == first
    other = Store(store.home.parent / "other", str(store.home.parent / "other" / "lake"))
    later = frame.with_columns(source=pl.lit("b"), ingested_at=pl.col("ingested_at") + MINUTE)
    for part in (
        later.tail(200).reverse(),
        later.head(200).sample(fraction=1, shuffle=True, seed=1),
    ):
        put(other, part)
    assert snapshot(other) == first


CHANGES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "a value": lambda rows: rows.with_columns(close=pl.col("close") + 1e-9),
    "a null": lambda rows: rows.with_columns(quote_volume=pl.lit(None, pl.Float64)),
    "a flag": lambda rows: rows.with_columns(synthetic=pl.lit(value=True)),
    "a time": lambda rows: rows.with_columns(open_time=pl.col("open_time") + 10 * MINUTE),
    "a symbol": lambda rows: rows.with_columns(symbol=pl.lit("ETH-USDT")),
    "a row less": lambda rows: rows.head(2),
    "two values swapped": lambda rows: rows.with_columns(pl.col("close").reverse()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_snapshot_knows_every_change(store: Store, change: str) -> None:
    rows = candles(3, close=[1, 2, 3])
    put(store, rows)
    other = Store(store.home.parent / "other", str(store.home.parent / "other" / "lake"))
    put(other, CHANGES[change](rows))
    assert snapshot(other) != snapshot(store)


def test_the_snapshot_of_a_choice_ignores_the_rest(store: Store) -> None:
    put(store, candles(100))
    chosen = {
        "venue": "binance",
        "symbols": ["BTC-USDT"],
        "interval": "1m",
        "start": START,
        "end": START + 50 * MINUTE,
    }
    part, all_of_it = snapshot(store, **chosen), snapshot(store)
    put(store, candles([200]), candles(3, symbol="ETH-USDT"), candles([0, 5], interval="5m"))
    put(store, candles([60], close=7, ingested_at=NOW + MINUTE))
    assert snapshot(store, **chosen) == part
    assert snapshot(store) != all_of_it
    put(store, candles([40], close=7, ingested_at=NOW + MINUTE))
    assert snapshot(store, **chosen) != part


def test_a_span_of_years_is_planned_at_once(store: Store) -> None:
    put(store, candles(2))
    years = Span("binance", "BTC-USDT", "1m", START - timedelta(days=3_000), NOW)
    assert [hole.bars for hole in missing(store, years)] == [
        3_000 * 1440,
        years.bars - 3_000 * 1440 - 2,
    ]
