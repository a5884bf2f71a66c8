"""Which survivors go on: the best first, and no two that do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from research.vetting import F8, DailyReturns, Trial

MAX_CORRELATION = 0.9


def select(
    survivors: pl.DataFrame,
    daily_returns: DailyReturns,
    *,
    most: int,
    max_correlation: float = MAX_CORRELATION,
) -> pl.DataFrame:
    """Return at most `most` rows of `survivors`, the best deflated Sharpe ratio first.

    One whose daily returns correlate above `max_correlation` with a better one that was chosen is
    left out: it would only double that one's stake. Equal ratios go by strategy, then by symbol.

    Args:
        survivors: Rows of `research.vetting.SCHEMA`.
        daily_returns: At least theirs, by (strategy_id, symbol).
        most: How many to choose at most.
        max_correlation: From -1 to 1.
    """
    order = ["deflated_sharpe", "strategy_id", "symbol"]
    ranked = survivors.sort(order, descending=[True, False, False])
    chosen: list[Trial] = []
    keep = []
    for trial in ranked.select("strategy_id", "symbol").iter_rows():
        alike = (correlation(daily_returns[trial], daily_returns[other]) for other in chosen)
        fresh = len(chosen) < most and all(value <= max_correlation for value in alike)
        keep.append(fresh)
        if fresh:
            chosen.append(trial)
    return ranked.filter(pl.Series(keep, dtype=pl.Boolean))


def correlation(a: F8, b: F8) -> float:
    """Return the correlation of two series over the last days that both have; 0 without any."""
    common = min(a.size, b.size)
    a, b = a[a.size - common :], b[b.size - common :]
    if common < 2 or a.max() == a.min() or b.max() == b.min():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
