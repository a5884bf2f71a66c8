"""Bars beside those of a venue: only where they are asked for, and always told apart."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.datasets import CANDLES
from storage import hot
from storage.filling import interpolated, lent
from storage.lake import read_candles, sql
from tests.storage.samples import MINUTE, NOW, START, candles

if TYPE_CHECKING:
    from storage.store import Store


def read(store: Store, **options: object) -> pl.DataFrame:
    return read_candles(
        store,
        venue="binance",
        symbols=["BTC-USDT"],
        start=START,
        end=START + timedelta(hours=1),
        **options,  # type: ignore[arg-type] # a test's shorthand
    )


def bar(minute: int, opens: float, closes: float) -> pl.DataFrame:
    return candles([minute], close=closes).with_columns(open=pl.lit(float(opens)))


def test_a_gap_of_two_is_walked_in_equal_steps() -> None:
    filled = interpolated(pl.concat([bar(0, 90, 100), bar(3, 106, 110)]))
    made = filled.filter("synthetic")
    assert made.select("open", "high", "low", "close").rows() == [
        (100.0, 103.0, 100.0, 103.0),
        (103.0, 106.0, 103.0, 106.0),
    ]
    assert made["open_time"].to_list() == [START + MINUTE, START + 2 * MINUTE]
    assert made["volume"].to_list() == [0.0, 0.0]
    assert made["trades"].null_count() == 2
    assert set(made["source"]) == {"interpolated"}
    assert filled.schema == CANDLES.schema


def test_a_gap_of_one_joins_its_neighbours_downwards_too() -> None:
    made = interpolated(pl.concat([bar(0, 90, 100), bar(2, 80, 85)])).filter("synthetic")
    assert made.select("open", "high", "low", "close").rows() == [(100.0, 100.0, 80.0, 80.0)]


def test_a_gap_of_three_stays_a_gap_and_so_do_the_ends() -> None:
    frame = candles([5, 9])
    assert_frame_equal(interpolated(frame), frame)
    assert interpolated(CANDLES.empty()).is_empty()


def test_series_do_not_fill_each_other() -> None:
    frame = pl.concat([candles([0]), candles([2], symbol="ETH-USDT"), candles([2], venue="okx")])
    assert not interpolated(frame)["synthetic"].any()


def test_bars_of_other_lengths_are_filled_on_their_own_grid() -> None:
    frame = candles([0, 180], interval="1h")
    made = interpolated(frame).filter("synthetic")
    assert made["open_time"].to_list() == [START + 60 * MINUTE, START + 120 * MINUTE]


@settings(max_examples=30)
@given(minutes=st.sets(st.integers(0, 40), min_size=1, max_size=30))
def test_filling_adds_to_the_stored_bars_and_changes_none(minutes: set[int]) -> None:
    frame = candles(sorted(minutes))
    filled = interpolated(frame)
    assert_frame_equal(filled.filter(~pl.col("synthetic")), frame)
    ordered = sorted(minutes)
    small = {
        minute
        for left, right in itertools.pairwise(ordered)
        for minute in range(left + 1, right)
        if right - left <= 3
    }
    made = filled.filter("synthetic")["open_time"]
    assert {(moment - START) // MINUTE for moment in made} == small
    assert_frame_equal(interpolated(filled), filled)


def test_who_does_not_ask_gets_what_is_stored_and_nothing_made_is_stored(store: Store) -> None:
    hot.put(store, "candles", candles([0, 2]), now=NOW)
    assert read(store).height == 2
    assert read(store, interpolate=True)["synthetic"].to_list() == [False, True, False]
    assert read(store).height == 2
    assert sql("select count(*) from candles where synthetic", store=store).item() == 0


def test_a_lent_bar_keeps_its_own_venue_and_the_first_lender_is_asked_first(store: Store) -> None:
    hot.put(store, "candles", candles([0, 4]), now=NOW)
    hot.put(store, "candles", candles([0, 1, 2], venue="okx", close=7.0), now=NOW)
    hot.put(store, "candles", candles([2, 3], venue="kraken", close=9.0), now=NOW)
    assert set(read(store)["venue"]) == {"binance"}
    bars = read(store, lenders=["okx", "kraken"])
    assert bars["venue"].to_list() == ["binance", "okx", "okx", "kraken", "binance"]
    assert read(store, lenders=["nowhere"]).height == 2


def test_only_what_is_lacking_is_lent() -> None:
    own, other = candles([0, 1]), candles([1, 2], venue="okx")
    assert lent(own, [other])["venue"].to_list() == ["binance", "binance", "okx"]
    assert_frame_equal(lent(own, []), own)
