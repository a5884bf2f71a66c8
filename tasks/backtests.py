"""The night's backtests: every strategy that was bred, on every symbol."""

from __future__ import annotations

import polars as pl
from prefect import task

from core.datasets import BACKTESTS, TIME
from core.receipts import Receipt
from research.backtest import Costs, backtest
from research.strategy import Strategy
from storage import stages
from storage.store import default_store
from tasks.bars import research_candles
from tasks.nightly import Night, keep_stage
from tasks.progress import Progress
from tasks.steps import ONCE


@task(task_run_name="backtest {symbol}", **ONCE)
def backtest_symbol(night: Night, strategies: Receipt, symbol: str) -> tuple[Receipt, Receipt]:
    """Backtest every strategy on one symbol; return its metrics and its daily equity."""
    store, question = default_store(), night.question
    candles = research_candles(
        store,
        venue=question.venue,
        symbols=[symbol],
        interval=question.interval,
        start=question.start,
        end=question.as_of,
        lenders=question.lenders,
    )
    rules = [Strategy.parse(text) for text in stages.read(store, strategies)["text"]]
    result = backtest(
        candles,
        rules,
        Costs(**question.costs.model_dump()),
        workers=question.workers,
        progress=Progress(f"backtest {symbol}", key=f"backtest-{symbol.lower()}"),
    )
    metrics = result.metrics.with_columns(
        night=pl.lit(night.night),
        venue=pl.lit(question.venue),
        start=pl.lit(question.start, TIME),
        end=pl.lit(question.as_of, TIME),
        source=pl.lit("backtest"),
        ingested_at=pl.lit(question.as_of, TIME),
    )
    return (
        keep_stage(night, f"backtests-{symbol}", BACKTESTS.conform(metrics)),
        keep_stage(night, f"equity-{symbol}", result.equity),
    )


@task(task_run_name="gather {stage}", **ONCE)
def gather(night: Night, stage: str, parts: list[Receipt]) -> Receipt:
    """Put the parts of a stage together, in the order given."""
    store = default_store()
    return keep_stage(night, stage, pl.concat([stages.read(store, part) for part in parts]))
