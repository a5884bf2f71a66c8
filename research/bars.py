"""One series of bars as arrays, and the coarser bars made from it."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.clock import format_utc, from_micros
from core.errors import InvalidInput
from core.market import interval_step

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

_PRICES = ("open", "high", "low", "close")
_SERIES = ("venue", "symbol", "interval")


class Bars(NamedTuple):
    """A series: open times in µs since the epoch, ascending and unique, and float64 values."""

    time: I8
    open: F8
    high: F8
    low: F8
    close: F8
    volume: F8


def bars_of(candles: pl.DataFrame) -> Bars:
    """Return the bars of a frame that holds one series, in its order.

    Needs the columns `open_time`, `open`, `high`, `low`, `close` and `volume`.

    Raises:
        InvalidInput: A column is missing, rows are not in strictly ascending time, several
            series are mixed, or a value is not one that a market can have.
    """
    _check_columns(candles)
    _check_one_series(candles)
    values = {name: _floats(candles, name) for name in (*_PRICES, "volume")}
    bars = Bars(time=_micros(candles), **values)
    _check_order(bars.time)
    _check_values(bars)
    return bars


def step_of(candles: pl.DataFrame, bars: Bars) -> timedelta:
    """Return how long a bar lasts: what `interval` says, else the smallest step there is.

    Fewer than two bars without an `interval` count as bars of a minute; none of them trades.
    """
    if "interval" in candles.columns and candles.height:
        return interval_step(candles["interval"][0])
    if bars.time.size < 2:
        return timedelta(minutes=1)
    return timedelta(microseconds=int(np.diff(bars.time).min()))


def resample(bars: Bars, step: timedelta, to: timedelta) -> tuple[Bars, I8]:
    """Return the closed bars of length `to` made from bars of length `step`.

    The second array holds, for each of them, the index into `bars` of its last bar: there a
    decision on its close is taken. Buckets lie on the grid since the epoch. One is closed when
    its final bar is present or any later bar is; a first bucket that starts before the data is
    left out. A bucket in which no bar exists makes none.

    Raises:
        InvalidInput: `to` is no multiple of `step`, or a bar does not lie on the grid of `step`.
    """
    micro = timedelta(microseconds=1)
    fine, coarse = step // micro, to // micro
    if fine <= 0 or coarse < fine or coarse % fine:
        raise InvalidInput(f"expected bars of a multiple of {step}, was {to}")
    if (bars.time % fine).any():
        raise InvalidInput(f"expected bars that open on the grid of {step}, was one that does not")
    if coarse == fine:
        return bars, np.arange(bars.time.size, dtype=np.int64)
    first, last = _closed_buckets(bars.time, fine, coarse)
    return _merged(bars, first, last, coarse), last


def _closed_buckets(time: I8, fine: int, coarse: int) -> tuple[I8, I8]:
    """Return the indices of the first and the last bar of each closed bucket."""
    if not time.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    edges = np.flatnonzero(np.diff(time // coarse)) + 1
    first = np.concatenate(([0], edges)).astype(np.int64)
    last = np.concatenate((edges, [time.size])).astype(np.int64) - 1
    if (time[-1] + fine) % coarse:  # the last bucket still waits for its final bar
        first, last = first[:-1], last[:-1]
    if first.size and time[0] % coarse:  # the first bucket starts before the data does
        first, last = first[1:], last[1:]
    return first, last


def _merged(bars: Bars, first: I8, last: I8, coarse: int) -> Bars:
    """Return one bar for each run `first..last`; the runs follow each other without a hole."""
    if not first.size:
        return Bars(np.empty(0, np.int64), *(np.empty(0, np.float64) for _ in range(5)))
    end = int(last[-1]) + 1
    return Bars(
        time=bars.time[first] // coarse * coarse,
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high[:end], first),
        low=np.minimum.reduceat(bars.low[:end], first),
        close=bars.close[last],
        volume=np.add.reduceat(bars.volume[:end], first),
    )


def _check_columns(candles: pl.DataFrame) -> None:
    needed = ("open_time", *_PRICES, "volume")
    missing = [name for name in needed if name not in candles.columns]
    if missing:
        raise InvalidInput(f"expected candles with the columns {', '.join(missing)}, was without")
    kind = candles.schema["open_time"]
    if not isinstance(kind, pl.Datetime) or kind.time_zone is None:
        raise InvalidInput(f"expected open_time as a time with a zone, was {kind}")


def _check_one_series(candles: pl.DataFrame) -> None:
    for name in _SERIES:
        if name in candles.columns and candles.height and not _same(candles[name]):
            some = ", ".join(str(x) for x in candles[name].unique().sort().head(3))
            raise InvalidInput(f"expected candles of one {name}, was several: {some}")


def _same(column: pl.Series) -> bool:
    """Say whether all rows are equal; to count different ones takes eight times as long."""
    if column.null_count():
        return column.null_count() == len(column)
    return bool((column == column[0]).all())


def _micros(candles: pl.DataFrame) -> I8:
    time = candles["open_time"]
    if time.null_count():
        raise InvalidInput("expected an open_time in every row, was null in some")
    return np.array(time.dt.epoch("us").to_numpy(), dtype=np.int64)


def _floats(candles: pl.DataFrame, name: str) -> F8:
    column = candles[name]
    if not column.dtype.is_numeric():
        raise InvalidInput(f"expected numbers in {name}, was {column.dtype}")
    if column.null_count():
        raise InvalidInput(f"expected a number in every row of {name}, was null in some")
    # Always a copy: contiguous and writeable is the one layout the compiled loops are made for.
    return np.array(column.to_numpy(), dtype=np.float64)


def _check_order(time: I8) -> None:
    wrong = np.flatnonzero(np.diff(time) <= 0)
    if wrong.size:
        before, after = (format_utc(from_micros(int(time[wrong[0] + i]))) for i in (0, 1))
        raise InvalidInput(f"expected bars in ascending time, was {after} after {before}")


def _check_values(bars: Bars) -> None:
    for name in _PRICES:
        price = getattr(bars, name)
        _refuse(bars, ~(np.isfinite(price) & (price > 0)), f"{name} positive and finite")
    _refuse(bars, ~(np.isfinite(bars.volume) & (bars.volume >= 0)), "volume finite, not negative")
    top = np.maximum(bars.open, bars.close) > bars.high
    bottom = np.minimum(bars.open, bars.close) < bars.low
    _refuse(bars, top | bottom, "open and close between low and high")


def _refuse(bars: Bars, wrong: NDArray[np.bool_], expected: str) -> None:
    """Raise `InvalidInput` that shows the first wrong bar, if there is one."""
    if wrong.any():
        i = int(np.argmax(wrong))
        when = format_utc(from_micros(int(bars.time[i])))
        was = ", ".join(f"{name} {getattr(bars, name)[i]:g}" for name in Bars._fields[1:])
        raise InvalidInput(f"expected {expected}, was at {when}: {was}")
