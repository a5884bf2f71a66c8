"""Scores of any number of strategies on one market: no trades, no frames, flat memory.

The figures are those of `research.backtest.backtest`; what is left out is everything whose size
grows with the trades. A search calls this, a person who wants to see the trades calls that.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets import METRICS
from core.errors import InvalidInput
from research.costs import Ambiguous, Costs, check_ambiguous
from research.metrics import daily_returns, measure
from research.reference import Room, pack, run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from research.market import Market
    from research.strategy import Strategy

F8 = NDArray[np.float64]

_COSTS = Costs()


@dataclass(frozen=True, eq=False)
class Scores:
    """What strategies earned on one market; row i belongs to the i-th strategy given.

    `metrics` has one array per column of `core.datasets.METRICS`, in that order: float64 with
    NaN where the column has a null, counts as int64. `returns` holds the return of every UTC day,
    strategies by days, C-contiguous float64; its columns are the days of `Market.days`.
    """

    metrics: dict[str, NDArray[Any]]
    returns: F8

    @classmethod
    def of(cls, strategies: int, days: int) -> Scores:
        """Make room for that many strategies, once."""
        columns = {
            name: np.zeros(strategies, np.int64 if kind == pl.Int64() else np.float64)
            for name, kind in METRICS.items()
        }
        return cls(columns, np.zeros((strategies, days)))

    def __len__(self) -> int:
        return len(self.returns)

    def frame(self) -> pl.DataFrame:
        """Return the metrics as a frame with the columns of `METRICS`, nulls where they belong."""
        frame = pl.DataFrame(self.metrics, schema=METRICS)
        return frame.with_columns(pl.selectors.float().fill_nan(None))


def evaluate(
    market: Market,
    strategies: Iterable[Strategy],
    costs: Costs = _COSTS,
    *,
    count: int | None = None,
    engine: str = "reference",
    ambiguous: Ambiguous = "worst",
) -> Scores:
    """Score every strategy on one market, each alone with an equity of 1.

    The strategies are read once, one after the other, so that a generator of a million of them
    needs no memory of its own. A strategy that comes twice is scored twice. A market keeps what
    is computed on it: call this again with the same one for the next generation.

    Args:
        market: `Market.of(candles)`.
        strategies: Any iterable.
        costs: Fee, slippage and funding.
        count: How many strategies there are; needed where `len(strategies)` does not say it.
        engine: `reference`.
        ambiguous: `worst` or `best`: what happens first in a bar that touches stop or trail as
            well as target.

    Raises:
        InvalidInput: There are fewer or more strategies than `count`, or an argument is out of
            range.
    """
    if engine != "reference":
        raise InvalidInput(f"expected an engine of reference, was {engine!r}")
    check_ambiguous(ambiguous)
    total = _count(strategies, count)
    scores = Scores.of(total, market.ends.size)
    room = Room.of(market.bars)
    done = 0
    for strategy in strategies:
        if done == total:
            raise InvalidInput(f"expected {total} strategies, was more")
        terms = costs.terms(
            market.step,
            stop=strategy.stop,
            target=strategy.target,
            trail=strategy.trail,
            timeout=strategy.timeout,
            ambiguous=ambiguous,
        )
        signals = pack(market.bars.time.size, *market.workspace.decisions(strategy))
        ran = run(market.bars, signals, terms, room)
        scores.returns[done] = daily_returns(ran.equity[market.ends])
        for name, value in measure(*ran, scores.returns[done], costs.fee).items():
            scores.metrics[name][done] = np.nan if value is None else value
        done += 1
    if done < total:
        raise InvalidInput(f"expected {total} strategies, was {done}")
    return scores


def _count(strategies: Iterable[Strategy], count: int | None) -> int:
    if count is not None:
        return count
    if not isinstance(strategies, Sized):
        raise InvalidInput("expected count for strategies that do not say how many they are")
    return len(strategies)
