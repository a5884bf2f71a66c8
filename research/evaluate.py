"""Scores of any number of strategies on one market: no trades, no frames, flat memory.

The figures are those of `research.backtest.backtest`; what is left out is everything whose size
grows with the trades. A search calls this, a person who wants to see the trades calls that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets import METRICS
from core.errors import InvalidInput
from research.costs import Ambiguous, Costs, check_ambiguous
from research.engine.batches import SIZE, batches
from research.engine.pool import each
from research.engine.run import check_engine, figures, room_of, score
from research.metrics import bars_held, daily_returns, measure
from research.reference import Room as ReferenceRoom
from research.reference import Run, pack, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from research.engine.batches import Work
    from research.engine.run import Room
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
    `detrended` is the same less `Market.drift` for every bar held long, and plus it for every bar
    held short: what a position earned beyond being in the market. None where it was not asked for.
    """

    metrics: dict[str, NDArray[Any]]
    returns: F8
    detrended: F8 | None = None

    @classmethod
    def of(cls, strategies: int, days: int, *, detrend: bool = False) -> Scores:
        """Make room for that many strategies, once."""
        columns = {
            name: np.zeros(strategies, np.int64 if kind == pl.Int64() else np.float64)
            for name, kind in METRICS.items()
        }
        returns = np.zeros((strategies, days))
        return cls(columns, returns, np.zeros_like(returns) if detrend else None)

    def __len__(self) -> int:
        return len(self.returns)

    def frame(self) -> pl.DataFrame:
        """Return the metrics as a frame with the columns of `METRICS`, nulls where they belong."""
        frame = pl.DataFrame(self.metrics, schema=METRICS)
        return frame.with_columns(pl.selectors.float().fill_nan(None))

    def put(self, rows: Any, figures: Mapping[str, Any], returns: F8) -> None:
        """Write what some strategies, or one, earned into their rows."""
        for name, values in figures.items():
            self.metrics[name][rows] = np.nan if values is None else values
        self.returns[rows] = returns

    def detrend(self, rows: Any, held: F8, drift: float) -> None:
        """Take from some strategies' returns what the market's mean return gave their positions.

        `held` are bars by days, longs less shorts; `drift` is `Market.drift`.
        """
        if self.detrended is not None:
            self.detrended[rows] = self.returns[rows] - drift * held


def evaluate(
    market: Market,
    strategies: Iterable[Strategy],
    costs: Costs = _COSTS,
    *,
    count: int | None = None,
    engine: str = "fast",
    ambiguous: Ambiguous = "worst",
    detrend: bool = False,
    workers: int = 1,
) -> Scores:
    """Score every strategy on one market, each alone with an equity of 1.

    The strategies are read once, one after the other, so that a generator of a million of them
    needs no memory of its own. A strategy that comes twice is scored twice. A market keeps what
    is computed on it: call this again with the same one for the next generation.

    Args:
        market: `Market.of(candles)`; no other thread may use it meanwhile.
        strategies: Any iterable.
        costs: Fee, slippage and funding.
        count: How many strategies there are; needed where `len(strategies)` does not say it.
        engine: `fast`, or `reference`: the oracle, hundreds of times slower.
        ambiguous: `worst` or `best`: what happens first in a bar that touches stop or trail as
            well as target.
        detrend: Whether to give `Scores.detrended`, too.
        workers: Threads of the fast engine; the scores are the same for any number.

    Raises:
        InvalidInput: There are fewer or more strategies than `count`, or an argument is out of
            range.
    """
    check_engine(engine, workers)
    check_ambiguous(ambiguous)
    total = _count(strategies, count)
    scores = Scores.of(total, market.ends.size, detrend=detrend)
    given = _counted(strategies, total)
    if engine == "reference":
        for row, ran in enumerate(by_reference(market, given, costs, ambiguous)):
            returns = daily_returns(ran.equity[market.ends])
            scores.put(row, measure(*ran, returns, costs.fee), returns)
            scores.detrend(row, bars_held(ran.trades, market.ends), market.drift)
        return scores
    terms = costs.terms(market.step, ambiguous=ambiguous)

    def one(work: Work, room: Room) -> None:
        score(market.ground, work.batch, terms, room)
        done = slice(0, work.where.size)
        scores.put(work.where, figures(market.ground, room, done), room.returns[done])
        if detrend:
            scores.detrend(work.where, room.held[done], market.drift)

    def make() -> Room:
        return room_of(market.ground, SIZE, keeps=False, holds=detrend)

    for _ in each(batches(market.workspace, given), one, make, workers):
        pass  # each batch has written its own rows
    return scores


def by_reference(
    market: Market, strategies: Iterable[Strategy], costs: Costs, ambiguous: Ambiguous
) -> Iterator[Run]:
    """Yield what each strategy did by the reference engine; equity holds until the next one."""
    room = ReferenceRoom.of(market.bars)
    for strategy in strategies:
        terms = costs.terms(
            market.step,
            stop=strategy.stop,
            target=strategy.target,
            trail=strategy.trail,
            timeout=strategy.timeout,
            ambiguous=ambiguous,
        )
        signals = pack(market.bars.time.size, *market.workspace.decisions(strategy))
        yield run(market.bars, signals, terms, room)


def _count(strategies: Iterable[Strategy], count: int | None) -> int:
    if count is not None:
        return count
    if not isinstance(strategies, Sized):
        raise InvalidInput("expected count for strategies that do not say how many they are")
    return len(strategies)


def _counted(strategies: Iterable[Strategy], total: int) -> Iterator[Strategy]:
    """Yield the strategies; raise `InvalidInput` where they are not as many as was said."""
    done = 0
    for strategy in strategies:
        if done == total:
            raise InvalidInput(f"expected {total} strategies, was more")
        yield strategy
        done += 1
    if done < total:
        raise InvalidInput(f"expected {total} strategies, was {done}")
