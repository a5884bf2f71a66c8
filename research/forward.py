"""Frozen rules over the bars that came after them: what each whole UTC day returned.

The rules run as they ran on the night that found them, from the same first bar, through the same
engine; only the days since then are looked at. A day is whole once a bar of a later day is there:
the engine closes what is open at the last bar it is given, and that must not be part of a day.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from research.backtest import backtest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from research.costs import Costs
    from research.paper import Frozen
    from research.strategy import Strategy

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

EPOCH = date(1970, 1, 1)
# A market that gave no bar for so many days is not waited for any longer: it stands still, at 0.
PATIENCE = 3


class Traded(NamedTuple):
    """One market's days from the first one asked for, whole or not.

    `returns` by strategy; `bars` of each day; `whole` days from the first on are over.
    """

    returns: dict[str, F8]
    bars: I8
    whole: int


class Days(NamedTuple):
    """What was traded on each whole day: net return, and bars of all its markets."""

    returns: F8
    bars: I8


def traded(
    candles: pl.DataFrame,
    strategies: Sequence[Strategy],
    costs: Costs,
    *,
    first: date,
    days: int,
    workers: int = 1,
) -> Traded:
    """Run strategies over one market, and return the `days` from `first` on.

    Args:
        candles: Bars of one symbol, from the first that the rules may know; none is a market that
            stands still.
        strategies: Distinct strategies.
        costs: What trading costs.
        first: The first day to look at.
        days: How many days to look at.
        workers: Threads; the result is the same for any number.
    """
    returns = {strategy.id: np.zeros(days) for strategy in strategies}
    bars = np.zeros(days, np.int64)
    if candles.is_empty():
        return Traded(returns, bars, 0)
    start = (first - EPOCH).days
    counted = candles.group_by(day=pl.col("open_time").dt.date().to_physical()).len()
    at = counted["day"].to_numpy() - start
    inside = (at >= 0) & (at < days)
    bars[at[inside]] = counted["len"].to_numpy()[inside]
    equity = backtest(candles, strategies, costs, workers=workers).equity
    for (name,), part in equity.group_by("strategy_id"):
        at = part["day"].to_physical().to_numpy() - start
        inside = (at >= 0) & (at < days)
        returns[str(name)][at[inside]] = part["return"].to_numpy()[inside]
    last = int(counted["day"].max()) - start  # type: ignore[arg-type]  # there is a bar
    return Traded(returns, bars, min(max(last, 0), days))


def combined(frozen: Frozen, markets: Mapping[str, Traded], *, days: int) -> Days:
    """Return what a candidate made of its markets: equal stakes, evened out every day.

    Args:
        frozen: The candidate.
        markets: By symbol, all that it trades, looked at from the same day for `days` days, its
            strategies among them.
        days: How many days are over, whether bars of them are there or not.
    """
    stakes = frozen.stakes()
    needed = [markets[one] for one in sorted({one for _, symbols in stakes for one in symbols})]
    whole = max(min(market.whole for market in needed), days - PATIENCE, 0)
    members = [
        np.mean([markets[one].returns[strategy.id] for one in symbols], axis=0)
        for strategy, symbols in stakes
    ]
    bars = np.sum([market.bars for market in needed], axis=0)
    return Days(np.mean(members, axis=0)[:whole], bars[:whole])
