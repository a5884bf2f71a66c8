"""One symbol's bars with all that strategies share: built once, used by thousands of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.errors import InvalidInput
from research.bars import I8, Bars, bars_of, step_of
from research.engine.run import Ground, ground_of
from research.metrics import day_ends
from research.signals import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta


@dataclass(frozen=True, eq=False)
class Market:
    """A symbol's finest bars, where its days end, and what has been computed on them so far.

    Not for several threads at once: `workspace` remembers what strategies asked of it, and may
    drop what has not been used for longest.
    """

    symbol: str
    bars: Bars
    step: timedelta
    first_day: int  # since the epoch
    ends: I8  # each UTC day's last bar
    workspace: Workspace = field(repr=False)

    @classmethod
    def of(cls, candles: pl.DataFrame, symbol: str = "") -> Market:
        """Return the market of one series of candles, in any order of rows.

        Raises:
            InvalidInput: There are no bars, or they are not one clean series.
        """
        ordered = _ordered(candles)
        bars = bars_of(ordered)
        if not bars.time.size:
            raise InvalidInput("expected at least one bar, was none")
        step = step_of(ordered, bars)
        if not symbol and "symbol" in ordered.columns:
            symbol = str(ordered["symbol"][0])
        return cls(symbol, bars, step, *day_ends(bars.time), Workspace(bars, step))

    @cached_property
    def ground(self) -> Ground:
        """What the compiled engine needs of it."""
        return ground_of(self.bars, self.ends)

    @cached_property
    def drift(self) -> float:
        """The market's mean return a bar: that of its days, each from close to close, per bar.

        Whoever was long all the time earned this and nothing else.
        """
        closes = self.bars.close[self.ends]
        before = np.concatenate((self.bars.open[:1], closes[:-1]))
        return float(np.sum(closes / before - 1.0) / self.bars.time.size)

    @property
    def days(self) -> pl.Series:
        """Every UTC calendar day from the first bar's to the last bar's."""
        days = np.arange(self.first_day, self.first_day + self.ends.size, dtype=np.int32)
        return pl.Series("day", days).cast(pl.Date)


def _ordered(candles: pl.DataFrame) -> pl.DataFrame:
    """Return candles by time; most are already, and to see it takes less than to sort them."""
    if "open_time" not in candles.columns or candles["open_time"].is_sorted():
        return candles
    return candles.sort("open_time")


def markets_of(candles: pl.DataFrame) -> Iterator[Market]:
    """Yield the market of each symbol, in the order of their names.

    Raises:
        InvalidInput: The candles are not clean series, each of one venue and one interval.
    """
    if "symbol" not in candles.columns:
        raise InvalidInput("expected candles with a column symbol, was without")
    if candles["symbol"].null_count():
        raise InvalidInput("expected a symbol in every row, was null in some")
    parts = candles.partition_by("symbol", as_dict=True)
    for (symbol,), part in sorted(parts.items()):
        try:
            yield Market.of(part, str(symbol))
        except InvalidInput as error:
            raise InvalidInput(f"{symbol}: {error}") from None
