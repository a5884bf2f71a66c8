"""Readings: what they are made of, beside their definitions; never of what came later."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, pstdev, stdev
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import INDICATORS, TIME
from core.errors import InvalidInput
from research.readings import COLUMNS, RECENT, at_interval, readings, warm_up

if TYPE_CHECKING:
    from collections.abc import Sequence


START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
NAMES = [*COLUMNS, "realised_volatility", "volume_z"]


def market(bars: int, seed: int = 1) -> pl.DataFrame:
    """Return a random walk of five-minute bars."""
    chance = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(chance.normal(0, 0.002, bars)))
    wick = np.abs(chance.normal(0, 0.001, bars)) * closes
    opens = np.concatenate(([100.0], closes[:-1]))[:bars]
    return candles(
        opens,
        np.maximum(opens, closes) + wick,
        np.minimum(opens, closes) - wick,
        closes,
        chance.gamma(2, 50, bars),
    )


def opens(first: int, bars: int) -> pl.Series:
    """Return the times of `bars` bars from the bar `first` on."""
    times = [START + n * STEP for n in range(first, first + bars)]
    return pl.Series("open_time", times, TIME)


def candles(
    *columns: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]],
) -> pl.DataFrame:
    bars = len(columns[0])
    named = dict(zip(("open", "high", "low", "close", "volume"), columns, strict=True))
    frame = pl.DataFrame({name: np.asarray(values) for name, values in named.items()})
    return frame.with_columns(
        pl.lit("binance").alias("venue"),
        pl.lit("BTC-USDT").alias("symbol"),
        pl.lit("5m").alias("interval"),
        opens(0, bars),
    )


MARKET = market(3_000)
READ = readings(MARKET)


def test_readings_are_rows_of_the_dataset_without_provenance() -> None:
    expected = {k: v for k, v in INDICATORS.schema.items() if k not in {"source", "ingested_at"}}
    assert READ.schema == expected
    assert READ["open_time"].to_list() == MARKET["open_time"].to_list()
    assert set(NAMES) == {name for name, kind in expected.items() if kind == pl.Float64()}


def test_a_value_is_null_until_enough_bars_came_before() -> None:
    first = {name: READ[name].is_not_null().arg_max() for name in NAMES}
    assert first == {
        "rsi_14": 14,
        "macd": 33,
        "macd_signal": 33,
        "macd_histogram": 33,
        "bollinger_upper": 19,
        "bollinger_middle": 19,
        "bollinger_lower": 19,
        "atr_14": 14,
        **{f"ema_{n}": n - 1 for n in (9, 21, 50, 200)},
        **{f"sma_{n}": n - 1 for n in (20, 50, 200)},
        "realised_volatility": RECENT,
        "volume_z": RECENT,
    }
    assert READ[300:].null_count().sum_horizontal().item() == 0


def test_values_are_those_of_their_definitions() -> None:
    closes, volumes = MARKET["close"].to_list(), MARKET["volume"].to_list()
    for at in (500, 1_234, 2_999):
        row = READ.row(at, named=True)
        last = closes[at - 19 : at + 1]
        assert row["sma_20"] == pytest.approx(fmean(last))
        assert row["bollinger_middle"] == pytest.approx(fmean(last))
        assert row["bollinger_upper"] == pytest.approx(fmean(last) + 2 * pstdev(last))
        assert row["bollinger_lower"] == pytest.approx(fmean(last) - 2 * pstdev(last))
        assert row["macd_histogram"] == pytest.approx(row["macd"] - row["macd_signal"])
        returns = [math.log(closes[n] / closes[n - 1]) for n in range(at - RECENT + 1, at + 1)]
        yearly = math.sqrt(fmean(r * r for r in returns) * 365 * 288)
        assert row["realised_volatility"] == pytest.approx(yearly)
        before = volumes[at - RECENT : at]
        assert row["volume_z"] == pytest.approx((volumes[at] - fmean(before)) / stdev(before))


def test_averages_are_those_of_their_recursions() -> None:
    closes = MARKET["close"].to_list()
    for bars in (9, 21, 50, 200):
        average = fmean(closes[:bars])
        for close in closes[bars:]:
            average += (close - average) * 2 / (bars + 1)
        assert READ[f"ema_{bars}"][-1] == pytest.approx(average)
    rows = MARKET.to_dicts()
    ranges = [
        max(now["high"], before["close"]) - min(now["low"], before["close"])
        for before, now in pairwise(rows)
    ]
    moves = [after - before for before, after in pairwise(closes)]
    atr = fmean(ranges[:14])
    up, down = (fmean(max(0.0, sign * move) for move in moves[:14]) for sign in (1, -1))
    for range_, move in zip(ranges[14:], moves[14:], strict=True):
        atr += (range_ - atr) / 14
        up, down = up + (max(0.0, move) - up) / 14, down + (max(0.0, -move) - down) / 14
    assert READ["atr_14"][-1] == pytest.approx(atr)
    assert READ["rsi_14"][-1] == pytest.approx(100 * up / (up + down))


@given(st.integers(1, 2_999), st.integers(0, 1_000))
def test_what_comes_later_changes_no_reading(cut: int, seed: int) -> None:
    alone = readings(MARKET[:cut])
    assert alone.equals(READ[:cut])
    other = market(40, seed).with_columns(opens(cut, 40))
    assert readings(pl.concat([MARKET[:cut], other]))[:cut].equals(alone)


def test_what_is_older_than_the_warm_up_changes_no_reading() -> None:
    assert 2_000 < warm_up() < 2_500
    late = readings(MARKET[-warm_up() - 10 :])[-10:]
    for name in NAMES:
        assert late[name].to_list() == pytest.approx(READ[-10:][name].to_list(), rel=1e-8, abs=1e-9)


def test_a_market_that_stands_still_has_readings_too() -> None:
    still = candles(*[[100.0] * 300] * 4, [5.0] * 300)
    last = readings(still).row(-1, named=True)
    assert last["realised_volatility"] == 0.0
    assert last["volume_z"] is None
    assert last["ema_200"] == pytest.approx(100.0)
    assert (last["macd"], last["atr_14"]) == (0.0, 0.0)


@pytest.mark.parametrize("bars", [0, 1, 14])
def test_too_few_bars_have_no_values(bars: int) -> None:
    found = readings(MARKET[:bars])
    assert found.height == bars
    slow = [name for name in NAMES if name != "ema_9"]
    assert found.select(slow).null_count().sum_horizontal().sum() == bars * len(slow)
    assert found["ema_9"].null_count() == min(bars, 8)


def test_bars_of_several_series_are_refused() -> None:
    other = MARKET.with_columns(pl.lit("ETH-USDT").alias("symbol"))
    with pytest.raises(InvalidInput):
        readings(pl.concat([MARKET, other]))


def test_coarser_bars_are_whole_and_closed() -> None:
    hours = at_interval(MARKET[3:], "1h")
    assert hours["open_time"].to_list() == [START + timedelta(hours=n) for n in range(1, 250)]
    rows = MARKET[12:24]
    first = hours.row(0, named=True)
    assert (first["interval"], first["symbol"]) == ("1h", "BTC-USDT")
    assert (first["open"], first["close"]) == (rows["open"][0], rows["close"][-1])
    assert (first["high"], first["low"]) == (rows["high"].max(), rows["low"].min())
    assert first["volume"] == pytest.approx(rows["volume"].sum())
    assert at_interval(MARKET[:11], "1h").is_empty()
    assert readings(hours).height == 249
    assert at_interval(MARKET[:0], "1h").schema == hours.schema
