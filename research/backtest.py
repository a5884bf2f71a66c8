"""Many strategies over many symbols: metrics, trades and daily equity.

The rules of every fill are those of docs/fills.md, the metrics those of docs/metrics.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets import METRICS
from core.errors import InvalidInput
from research.costs import Ambiguous, Costs, check_ambiguous
from research.engine.batches import SIZE, batches
from research.engine.pool import each
from research.engine.run import check_engine, figures, room_of, trade
from research.evaluate import Scores, by_reference, evaluate
from research.market import Market, markets_of
from research.metrics import daily_returns, measure
from research.reference import TRADE, Records
from research.trades import TRADES, trades_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from research.engine.batches import Work
    from research.engine.run import Room
    from research.strategy import Strategy

__all__ = ["BacktestResult", "Costs", "Market", "Scores", "backtest", "evaluate"]

F8 = NDArray[np.float64]

_COSTS = Costs()
_NAMES: dict[str, Any] = {"strategy_id": pl.String(), "symbol": pl.String()}
_EQUITY: dict[str, Any] = {"day": pl.Date(), "equity": pl.Float64(), "return": pl.Float64()}


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """What strategies did; rows by symbol, then in the order of the strategies, then by time.

    `metrics`: strategy_id, symbol and the columns of `core.datasets.METRICS`.
    `trades`: strategy_id, symbol and the columns of `research.trades.TRADES`.
    `equity`: strategy_id, symbol, day (UTC), equity at its end and the day's return; one row for
    every calendar day from the first bar's to the last bar's.
    """

    metrics: pl.DataFrame
    trades: pl.DataFrame
    equity: pl.DataFrame

    def daily_returns(self) -> dict[tuple[str, str], F8]:
        """Return each trial's daily returns by (strategy_id, symbol)."""
        parts = self.equity.partition_by("strategy_id", "symbol", as_dict=True)
        return {(name[0], name[1]): part["return"].to_numpy() for name, part in parts.items()}

    def trade_counts(self) -> dict[tuple[str, str], int]:
        """Return how many trades each trial made, by (strategy_id, symbol)."""
        rows = self.metrics.select("strategy_id", "symbol", "trades").iter_rows()
        return {(strategy, symbol): trades for strategy, symbol, trades in rows}

    def returns_matrix(self, symbol: str) -> tuple[list[str], F8]:
        """Return the strategies and the daily returns of one symbol, strategies by days."""
        rows = self.equity.filter(pl.col("symbol") == symbol)
        strategies = rows["strategy_id"].unique(maintain_order=True).to_list()
        return strategies, rows["return"].to_numpy().reshape(len(strategies), -1)


class _Done(NamedTuple):
    """What strategies did on one market, in their order."""

    market: Market
    trades: list[Records]
    marks: F8  # equity at the end of each day
    scores: Scores


def backtest(
    candles: pl.DataFrame,
    strategies: Sequence[Strategy],
    costs: Costs = _COSTS,
    *,
    engine: str = "fast",
    ambiguous: Ambiguous = "worst",
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> BacktestResult:
    """Run every strategy over every symbol, each alone with an equity of 1.

    Args:
        candles: Bars of any number of symbols, each of one venue and one interval, in any order.
        strategies: Distinct strategies.
        costs: Fee, slippage and funding.
        engine: `fast`, or `reference`: the oracle that looks at every bar.
        ambiguous: `worst` or `best`: what happens first in a bar that touches stop or trail as
            well as target.
        workers: Threads of the fast engine; the result is the same for any number.
        progress: Called now and then, in the calling thread, with how many of all pairs of
            strategy and symbol are done.

    Raises:
        InvalidInput: The candles are not clean series, or an argument is out of range.
    """
    check_engine(engine, workers)
    check_ambiguous(ambiguous)
    _check_distinct(strategies)
    markets = list(markets_of(candles))
    total = len(markets) * len(strategies)
    run = _fast if engine == "fast" else _reference
    results: list[_Done] = []
    for market in markets:
        done = _Done(
            market,
            [np.empty(0, TRADE)] * len(strategies),
            np.zeros((len(strategies), market.ends.size)),
            Scores.of(len(strategies), market.ends.size),
        )
        before = len(results) * len(strategies)
        for rows in run(done, strategies, costs, ambiguous, workers):
            before += rows
            if progress is not None:
                progress(before, total)
        results.append(done)
    return _result(results, [strategy.id for strategy in strategies])


def _check_distinct(strategies: Sequence[Strategy]) -> None:
    counts = Counter(strategy.id for strategy in strategies)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise InvalidInput(f"expected distinct strategies, was {twice[0]} more than once")


def _fast(
    done: _Done, strategies: Sequence[Strategy], costs: Costs, ambiguous: Ambiguous, workers: int
) -> Iterator[int]:
    """Run the compiled engine; yield how many strategies each step did."""
    market = done.market
    terms = costs.terms(market.step, ambiguous=ambiguous)

    def one(work: Work, room: Room) -> int:
        for part, trades in trade(market.ground, work.batch, terms, room, measured=True):
            rows = work.where[part]
            done.scores.put(rows, figures(market.ground, room, part), room.returns[part])
            done.marks[rows] = room.marks[part]
            ends = np.cumsum(room.counts[part])[:-1]
            for row, own in zip(rows, np.split(trades.copy(), ends), strict=True):
                done.trades[row] = own
        return work.where.size

    works = batches(market.workspace, strategies)
    yield from each(works, one, lambda: room_of(market.ground, SIZE, keeps=True), workers)


def _reference(
    done: _Done, strategies: Sequence[Strategy], costs: Costs, ambiguous: Ambiguous, workers: int
) -> Iterator[int]:
    """Run the reference engine in the calling thread; yield how many strategies each step did."""
    del workers
    for row, ran in enumerate(by_reference(done.market, strategies, costs, ambiguous)):
        done.marks[row] = ran.equity[done.market.ends]
        returns = daily_returns(done.marks[row])
        done.scores.put(row, measure(*ran, returns, costs.fee), returns)
        done.trades[row] = ran.trades
        yield 1


def _result(results: Sequence[_Done], ids: Sequence[str]) -> BacktestResult:
    """Put what was done, in the order of symbols and then strategies, into frames."""
    empty = BacktestResult(
        pl.DataFrame(schema=_NAMES | METRICS),
        pl.DataFrame(schema=_NAMES | TRADES),
        pl.DataFrame(schema=_NAMES | _EQUITY),
    )
    parts = [empty, *(_frames(done, ids) for done in results)]
    return BacktestResult(
        *(
            pl.concat([getattr(part, name) for part in parts], rechunk=True)
            for name in ("metrics", "trades", "equity")
        )
    )


def _frames(done: _Done, ids: Sequence[str]) -> BacktestResult:
    market, days = done.market, done.market.ends.size
    equity = pl.DataFrame(
        {
            "day": pl.Series(np.tile(market.days.to_physical().to_numpy(), len(ids))).cast(pl.Date),
            "equity": done.marks.ravel(),
            "return": done.scores.returns.ravel(),
        },
        schema=_EQUITY,
    )
    trades = trades_frame(market.bars.time, np.concatenate([np.empty(0, TRADE), *done.trades]))
    counts = [trades.size for trades in done.trades]
    return BacktestResult(
        _named(done.scores.frame(), market.symbol, ids, [1] * len(ids)),
        _named(trades, market.symbol, ids, counts),
        _named(equity, market.symbol, ids, [days] * len(ids)),
    )


def _named(
    frame: pl.DataFrame, symbol: str, ids: Sequence[str], counts: Sequence[int]
) -> pl.DataFrame:
    """Put strategy and symbol in front of rows of which each strategy has its count."""
    which = np.repeat(np.arange(len(ids), dtype=np.uint32), counts)
    return frame.select(
        pl.Series("strategy_id", ids, pl.String()).gather(pl.Series(which)),
        pl.lit(symbol).alias("symbol"),
        pl.all(),
    )
