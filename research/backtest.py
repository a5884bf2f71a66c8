"""Many strategies over many symbols: metrics, trades and daily equity.

The rules of every fill are those of docs/fills.md, the metrics those of docs/metrics.md.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets import METRICS
from core.errors import InvalidInput
from research.bars import Bars, bars_of
from research.costs import Ambiguous, Costs, check_ambiguous
from research.evaluate import Scores, evaluate
from research.market import Market
from research.metrics import daily_returns, day_ends, measure
from research.reference import TRADE, Records, Room, Run, pack, run
from research.signals import Workspace
from research.simulate import step_of
from research.trades import TRADES, trades_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from research.strategy import Strategy

__all__ = ["BacktestResult", "Costs", "Market", "Scores", "backtest", "evaluate"]

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

ENGINES = ("reference",)

# Strategies that share one workspace: enough that common indicators are made once, few enough
# that what the workspace remembers stays small.
CHUNK = 50

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


class _Series(NamedTuple):
    """One symbol's bars, and where its days end."""

    symbol: str
    bars: Bars
    step: timedelta
    first_day: int  # since the epoch
    ends: I8  # each day's last bar


class _Outcome(NamedTuple):
    """What one strategy did on one series."""

    metrics: dict[str, Any]
    trades: Records
    equity: F8  # at the end of each day
    returns: F8


def backtest(
    candles: pl.DataFrame,
    strategies: Sequence[Strategy],
    costs: Costs = _COSTS,
    *,
    engine: str = "reference",
    ambiguous: Ambiguous = "worst",
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> BacktestResult:
    """Run every strategy over every symbol, each alone with an equity of 1.

    Args:
        candles: Bars of any number of symbols, each of one venue and one interval, in any order.
        strategies: Distinct strategies.
        costs: Fee, slippage and funding.
        engine: `reference` is the only one there is.
        ambiguous: `worst` or `best`: what happens first in a bar that touches stop or trail as
            well as target.
        workers: Threads; the result is the same for any number.
        progress: Called now and then, in the calling thread, with how many of all pairs of
            strategy and symbol are done.

    Raises:
        InvalidInput: The candles are not clean series, or an argument is out of range.
    """
    _check(strategies, engine, workers)
    check_ambiguous(ambiguous)
    series = [_series(symbol, part) for symbol, part in _by_symbol(candles)]
    jobs = [
        (one, strategies[first : first + CHUNK])
        for one in series
        for first in range(0, len(strategies), CHUNK)
    ]
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_trade, *job, costs, ambiguous) for job in jobs]
        _watch(futures, len(series) * len(strategies), progress)
        outcomes = [outcome for future in futures for outcome in future.result()]
    return _result(series, [strategy.id for strategy in strategies], outcomes)


def _check(strategies: Sequence[Strategy], engine: str, workers: int) -> None:
    if engine not in ENGINES:
        raise InvalidInput(f"expected an engine of {', '.join(ENGINES)}, was {engine!r}")
    if workers < 1:
        raise InvalidInput(f"expected at least 1 worker, was {workers!r}")
    ids = [strategy.id for strategy in strategies]
    twice = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise InvalidInput(f"expected distinct strategies, was {twice[0]} more than once")


def _by_symbol(candles: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    if "symbol" not in candles.columns:
        raise InvalidInput("expected candles with a column symbol, was without")
    if candles["symbol"].null_count():
        raise InvalidInput("expected a symbol in every row, was null in some")
    parts = candles.partition_by("symbol", as_dict=True)
    for (symbol,), part in sorted(parts.items()):
        yield str(symbol), part


def _series(symbol: str, candles: pl.DataFrame) -> _Series:
    try:
        ordered = candles.sort("open_time") if "open_time" in candles.columns else candles
        bars = bars_of(ordered)
        step = step_of(ordered, bars)
    except InvalidInput as error:
        raise InvalidInput(f"{symbol}: {error}") from None
    return _Series(symbol, bars, step, *day_ends(bars.time))


def _watch(
    futures: Sequence[Future[list[_Outcome]]],
    total: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Report what is done; on the first failure start nothing more and raise it."""
    done = 0
    try:
        for future in as_completed(futures):
            done += len(future.result())
            if progress is not None:
                progress(done, total)
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _trade(
    series: _Series, strategies: Sequence[Strategy], costs: Costs, ambiguous: Ambiguous
) -> list[_Outcome]:
    workspace, room = Workspace(series.bars, series.step), Room.of(series.bars)
    outcomes = []
    for strategy in strategies:
        signals = pack(series.bars.time.size, *workspace.decisions(strategy))
        terms = costs.terms(
            series.step,
            stop=strategy.stop,
            target=strategy.target,
            trail=strategy.trail,
            timeout=strategy.timeout,
            ambiguous=ambiguous,
        )
        outcomes.append(_outcome(series, run(series.bars, signals, terms, room), costs))
    return outcomes


def _outcome(series: _Series, done: Run, costs: Costs) -> _Outcome:
    marks = done.equity[series.ends]
    returns = daily_returns(marks)
    return _Outcome(measure(*done, returns, costs.fee), done.trades, marks, returns)


def _result(
    series: Sequence[_Series], ids: Sequence[str], outcomes: Sequence[_Outcome]
) -> BacktestResult:
    """Put the outcomes, in the order of symbols and then strategies, into frames."""
    parts = [
        _frames(one, ids, outcomes[at : at + len(ids)])
        for at, one in zip(range(0, len(outcomes), len(ids) or 1), series, strict=False)
    ]
    empty = BacktestResult(
        pl.DataFrame(schema=_NAMES | METRICS),
        pl.DataFrame(schema=_NAMES | TRADES),
        pl.DataFrame(schema=_NAMES | _EQUITY),
    )
    return BacktestResult(
        *(
            pl.concat([getattr(part, name) for part in (empty, *parts)], rechunk=True)
            for name in ("metrics", "trades", "equity")
        )
    )


def _frames(series: _Series, ids: Sequence[str], outcomes: Sequence[_Outcome]) -> BacktestResult:
    metrics = pl.DataFrame([outcome.metrics for outcome in outcomes], schema=METRICS)
    records = np.concatenate([np.empty(0, TRADE), *(outcome.trades for outcome in outcomes)])
    days = np.arange(series.first_day, series.first_day + series.ends.size, dtype=np.int32)
    equity = pl.DataFrame(
        {
            "day": pl.Series(np.tile(days, len(outcomes))).cast(pl.Date),
            "equity": np.concatenate([outcome.equity for outcome in outcomes]),
            "return": np.concatenate([outcome.returns for outcome in outcomes]),
        }
    )
    return BacktestResult(
        _named(metrics, series.symbol, ids, [1] * len(ids)),
        _named(
            trades_frame(series.bars.time, records),
            series.symbol,
            ids,
            [outcome.trades.size for outcome in outcomes],
        ),
        _named(equity, series.symbol, ids, [series.ends.size] * len(ids)),
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
