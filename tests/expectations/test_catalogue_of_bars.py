"""Bars that cannot be, by the hundred thousand: each fault with the figure that it comes to."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl

from core.clock import to_micros
from core.datasets import CANDLES, TIME
from expectations.gate import gate
from tests.expectations.rows import MINUTE, NOW, START, bar, bars, frame

NOW_US = to_micros(NOW)
SECOND, DAY = 1_000_000, 86_400_000_000


# --- times that cannot be


def impossible_times() -> list[int]:
    """Return microseconds since 1970 at which no bar opened that could be known by `NOW`.

    In order: nothing, and what looks like nothing; before there was a market; the true time in
    another unit; the future, from the next bar to the ends of what a computer can count; off the
    minute.
    """
    true = NOW_US - 60 * 60 * SECOND
    signs = [0, 1, -1, SECOND, -SECOND, 60 * SECOND, -60 * SECOND, DAY, -DAY, 2**31, 2**32]
    early = [-2_208_988_800 * SECOND, 315_532_800 * SECOND, 946_684_800 * SECOND]
    early += [1_230_767_940 * SECOND, 1_000_000_000 * SECOND, -62_135_596_800 * SECOND]
    units = [true // 10**6, true // 10**3, true * 10**3, -true, true // 60, true * 1_000 + 1]
    ahead = [NOW_US + n * 60 * SECOND for n in (0, 1, 2, 5, 60, 1_440, 525_600)]
    ends = [4_102_444_800, 9_223_372_036, 9_224_318_016, 32_503_680_000, 253_402_300_740]
    limits = [2**53, 2**53 + 1, 2**62, -(2**62), 2**63 - 1, -(2**63), -(2**63) + 1]
    off = [true + shift for shift in (1, -1, SECOND, 30 * SECOND, 59 * SECOND, 123_456, 999)]
    off.append(true - 1_000)
    return [*signs, *early, *units, *ahead, *(end * SECOND for end in ends), *limits, *off]


def test_no_time_that_cannot_be_is_accepted() -> None:
    times = impossible_times()
    assert len(times) == len(set(times)) >= 50
    many = bars([100.0] * 1_000)
    wrong = bars([100.0] * len(times)).with_columns(
        open_time=pl.Series(times, dtype=pl.Int64()).cast(TIME), source=pl.lit("wrong")
    )
    verdict = gate("candles", pl.concat([many, wrong]), now=NOW)
    passed = verdict.accepted.filter(source="wrong").height
    alone = sum(gate("candles", wrong[n : n + 1], now=NOW).accepted.height for n in range(0, 50, 7))
    print(f"{len(times)} impossible times: {passed} accepted among others, {alone} alone")
    assert verdict.passed
    assert (passed, alone) == (0, 0)
    assert verdict.accepted.height == many.height


# --- bars that are not over


def test_at_no_second_of_a_minute_is_a_forming_bar_accepted() -> None:
    """At each second the last ten bars come, that of this minute among them, and the next."""
    forming = lost = 0
    for second in range(60):
        now = START + 20 * MINUTE + timedelta(seconds=second)
        rows = frame(CANDLES, [bar(minute) for minute in range(22)])
        verdict = gate("candles", rows, now=now)
        forming += verdict.accepted.filter(pl.col("open_time") + MINUTE > now).height
        lost += 20 - verdict.accepted.height
        assert verdict.passed
    print(f"60 seconds: {forming} forming bars accepted, {lost} closed ones held back")
    assert (forming, lost) == (0, 0)


# --- numbers that no market has

COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
NUMBERS = (
    *(math.nan, math.inf, -math.inf, -1e308, -100.0, -0.01, -1e-9, -5e-324, 1e308, 1e300, 1e100),
    *(1.7976931348623157e308, -1.7976931348623157e308, 1e30, -1e30, -(2.0**63), -(2.0**53)),
)
NO_PRICES = (0.0, -0.0, 5e-324, 1e-300, 1e-9, 1_000.1, 10_000.0, 1e6, 1e9, 1e12, 1e15)


def test_no_number_that_cannot_be_is_accepted_in_any_column() -> None:
    """28 numbers in each price, 17 in each amount, beside bars of 100.

    A tiny low alone is not among them: markets did fall that far within a minute, so that the gate
    flags such a bar (`long_wick`) and keeps it.
    """
    whole: list[tuple[str, float]] = [(name, value) for name in COLUMNS for value in NUMBERS]
    whole += [(name, value) for name in COLUMNS[:4] for value in NO_PRICES]
    whole = [(name, value) for name, value in whole if name != "low" or not 0 < value < 1]
    whole += [("trades", value) for value in (-1, -7, -(2**31), -(2**53), -(2**63))]
    many = [bar(minute) for minute in range(11 * len(whole))]
    wrong = [
        bar(11 * len(whole) + at, source=f"{name}={value!r}") | {name: value}
        for at, (name, value) in enumerate(whole)
    ]
    verdict = gate("candles", frame(CANDLES, [*many, *wrong]), now=START + 100_000 * MINUTE)
    passed = verdict.accepted.filter(pl.col("source").str.contains("="))["source"].to_list()
    print(f"{len(wrong)} numbers: {len(passed)} accepted")
    assert verdict.passed
    assert passed == []
    assert verdict.accepted.height == len(many)


# --- prices that contradict each other

BARS, BROKEN = 100_000, 9_000


def test_of_a_hundred_thousand_bars_none_passes_that_contradicts_itself() -> None:
    draw = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(draw.normal(0, 0.0005, BARS)))
    opened = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(opened, close) * (1 + draw.exponential(0.0005, BARS))
    low = np.minimum(opened, close) * (1 - draw.exponential(0.0005, BARS))
    bad = draw.choice(BARS, BROKEN, replace=False)
    kind = draw.integers(0, 3, BROKEN)
    by = 10.0 ** draw.uniform(-12, -1, BROKEN)  # from a rounding's width to a tenth
    too_low, too_high, crossed = (bad[kind == n] for n in range(3))
    high[too_low] = np.maximum(opened, close)[too_low] * (1 - by[kind == 0])
    low[too_high] = np.minimum(opened, close)[too_high] * (1 + by[kind == 1])
    high[crossed], low[crossed] = low[crossed] * (1 - by[kind == 2]), high[crossed]
    # Of the smallest steps some vanish in rounding: a bar is broken where its numbers say so.
    broken = (high < np.maximum(opened, close)) | (low > np.minimum(opened, close)) | (low > high)
    rows = bars([100.0]).select(pl.all().repeat_by(BARS).explode()).with_columns(
        open_time=pl.lit(START) - pl.int_range(BARS) * MINUTE,
        open=opened, high=high, low=low, close=close,
    )  # fmt: skip
    verdict = gate("candles", CANDLES.conform(rows), now=NOW)
    passed = rows.filter(pl.Series(broken)).join(
        verdict.accepted, on="open_time", how="semi"
    ).height  # fmt: skip
    held = BARS - int(broken.sum()) - (verdict.accepted.height - passed)
    print(f"{BARS:,} bars, {broken.sum():,} impossible: {passed} passed, {held} others held")
    assert verdict.passed
    assert broken.sum() > BROKEN * 0.95
    assert (passed, held) == (0, 0)
