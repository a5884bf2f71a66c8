"""Readings: the indicators of each bar, from that bar and those before it.

TA-Lib computes RSI (Wilder 1978), MACD and its signal (Appel), Bollinger's bands, Wilder's average
true range, and the averages: https://ta-lib.org/functions/. Realised volatility is the root of the
mean of squared log returns (Andersen and Bollerslev 1998, doi:10.2307/2527343), annualised by the
root of 365 times the bars of a day, since these markets never close.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.datasets import INDICATORS, TIME
from core.market import interval_step
from research.bars import bars_of, resample, step_of
from research.indicators import indicator_named, values

if TYPE_CHECKING:
    from research.bars import F8, Bars

RECENT = 60  # bars that the volatility and the volume are looked at over
DAYS_A_YEAR = 365
PRICES = ("open", "high", "low", "close")
_SERIES = ("venue", "symbol", "interval")
_OURS = ("source", "ingested_at")

# The column, the indicator of the strategy language that it is, and its parameters.
COLUMNS: dict[str, tuple[str, tuple[float, ...]]] = {
    "rsi_14": ("rsi", (14,)),
    "macd": ("macd", (12, 26, 9)),
    "macd_signal": ("macd_signal", (12, 26, 9)),
    "macd_histogram": ("macd_hist", (12, 26, 9)),
    "bollinger_upper": ("bbands_upper", (20, 2)),
    "bollinger_middle": ("bbands_middle", (20, 2)),
    "bollinger_lower": ("bbands_lower", (20, 2)),
    "atr_14": ("atr", (14,)),
    **{f"ema_{bars}": ("ema", (bars,)) for bars in (9, 21, 50, 200)},
    **{f"sma_{bars}": ("sma", (bars,)) for bars in (20, 50, 200)},
}


def warm_up() -> int:
    """Return how many bars before a bar its reading needs.

    An average with a memory of all bars is given twice as many as it takes to count as settled:
    what is older then changes it by less than a hundred-millionth of what the start was off.
    """
    needed = [RECENT]
    for name, params in COLUMNS.values():
        indicator = indicator_named(name)
        needed.append(indicator.lookback(*params) + 2 * indicator.settling(*params))
    return max(needed)


def readings(candles: pl.DataFrame) -> pl.DataFrame:
    """Return a row of `INDICATORS`, without provenance, for each bar of one series.

    A value is null where too few bars came before. Bars are counted, not minutes: a gap is not
    filled.

    Raises:
        InvalidInput: the bars are of several series, out of order, or not ones a market can have.
    """
    bars = bars_of(candles)
    columns = {name: values(*asked, bars) for name, asked in COLUMNS.items()}
    step = interval_step(candles["interval"][0]) if candles.height else timedelta(minutes=1)
    columns |= {"realised_volatility": _volatility(bars, step), "volume_z": _volume_z(bars)}
    found = candles.select(*_SERIES, "open_time").with_columns(
        pl.Series(name, column, pl.Float64) for name, column in columns.items()
    )
    known = found.with_columns(pl.col(list(columns)).fill_nan(None))
    return known.select(name for name in INDICATORS.columns if name not in _OURS)


def at_interval(candles: pl.DataFrame, interval: str) -> pl.DataFrame:
    """Return the closed bars of `interval` made from the finer bars of one series.

    Raises:
        InvalidInput: as `bars_of`, or `interval` is no multiple of the bars' own.
    """
    bars = bars_of(candles)
    coarse, _ = resample(bars, step_of(candles, bars), interval_step(interval))
    series = candles.select("venue", "symbol").head(1) if candles.height else None
    venue, symbol = series.row(0) if series is not None else (None, None)
    return pl.DataFrame(
        {
            "venue": pl.Series([venue] * coarse.time.size, dtype=pl.String),
            "symbol": pl.Series([symbol] * coarse.time.size, dtype=pl.String),
            "interval": pl.Series([interval] * coarse.time.size, dtype=pl.String),
            "open_time": pl.Series(coarse.time).cast(TIME),
            **{name: pl.Series(getattr(coarse, name)) for name in (*PRICES, "volume")},
        }
    )


def _volatility(bars: Bars, step: timedelta) -> F8:
    """Return the annualised volatility of the last `RECENT` returns."""
    result = np.full(bars.close.size, np.nan)
    if bars.close.size > RECENT:
        squares = np.diff(np.log(bars.close)) ** 2
        mean = np.lib.stride_tricks.sliding_window_view(squares, RECENT).mean(axis=1)
        result[RECENT:] = np.sqrt(mean * DAYS_A_YEAR * (timedelta(days=1) / step))
    return result


def _volume_z(bars: Bars) -> F8:
    """Return how many deviations the volume is from the mean of the `RECENT` bars before.

    NaN where these were all the same.
    """
    result = np.full(bars.volume.size, np.nan)
    if bars.volume.size > RECENT:
        before = np.lib.stride_tricks.sliding_window_view(bars.volume[:-1], RECENT)
        deviation = before.std(axis=1, ddof=1)
        usable = deviation > 1e-12 * np.maximum(before.mean(axis=1), math.ulp(0.0))
        with np.errstate(all="ignore"):
            z = (bars.volume[RECENT:] - before.mean(axis=1)) / deviation
        result[RECENT:] = np.where(usable, z, np.nan)
    return result
