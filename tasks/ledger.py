"""The night's part of the ledger: every strategy that was ever evaluated, with its verdict."""

from __future__ import annotations

import polars as pl
from prefect import task

from core.clock import utc_now
from core.datasets import TIME, TRIALS
from core.receipts import Receipt
from storage import ledger, stages
from storage.store import default_store
from tasks.nightly import MADE_BY, Night, keep_stage
from tasks.steps import ONCE, PATIENT

TRIAL = ["strategy_id", "symbol"]
DISCARDED, NOT_PROVEN = "discarded_by_the_search", "not_proven"
BEHIND, ELSEWHERE = "not_among_the_best", "other_market"


@task(task_run_name="account for every trial", **ONCE)
def account(
    night: Night, searched: Receipt, candidates: Receipt, backtests: Receipt, equity: Receipt
) -> Receipt:
    """Return the rows of `trials`: what the search scored, and the backtests beside it.

    A verdict is the candidate's where a trial became one; else it says where its way ended.
    """
    store = default_store()
    tried = stages.read(store, searched)
    judged = stages.read(store, candidates).select(
        pl.col("candidate_id").alias("strategy_id"), "symbol", "verdict"
    )
    ended = (
        pl.when(~pl.col("proven"))
        .then(pl.lit(NOT_PROVEN))
        .when(pl.col("kept"))
        .then(pl.lit(BEHIND))
        .otherwise(pl.lit(DISCARDED))
    )
    hunted = tried.join(judged, on=TRIAL, how="left", maintain_order="left").with_columns(
        pl.col("verdict").fill_null(ended)
    )
    beside = _beside(tried, stages.read(store, backtests), stages.read(store, equity))
    as_of, question = night.question.as_of, night.question
    frame = pl.concat([hunted, beside], how="diagonal").with_columns(
        night=pl.lit(night.night),
        seed=pl.lit(night.luck),
        venue=pl.lit(question.venue),
        in_sample_sharpe=pl.lit(None, pl.Float64()),
        out_of_sample_sharpe=pl.lit(None, pl.Float64()),
        deflated_sharpe=pl.lit(None, pl.Float64()),
        scored_at=pl.lit(as_of, TIME),
        source=pl.lit(MADE_BY),
        ingested_at=pl.lit(as_of, TIME),
    )
    return keep_stage(night, TRIALS.name, TRIALS.conform(frame.drop("kept", "proven", "detrended")))


def _beside(tried: pl.DataFrame, metrics: pl.DataFrame, equity: pl.DataFrame) -> pl.DataFrame:
    """Return the backtests of strategies on symbols on which the search had not scored them."""
    days = equity.group_by(TRIAL, maintain_order=True).agg(
        pl.col("day").first().cast(TIME).alias("first_day"), pl.col("return").alias("daily_returns")
    )
    whence = tried.unique("strategy_id", keep="first", maintain_order=True).select(
        "strategy_id", "text", "parents", "operator", "generation"
    )
    return (
        metrics.select(*TRIAL, "trades", "sharpe")
        .join(tried, on=TRIAL, how="anti", maintain_order="left")
        .join(days, on=TRIAL, how="left", maintain_order="left")
        .join(whence, on="strategy_id", how="left", maintain_order="left")
        .with_columns(verdict=pl.lit(ELSEWHERE), score=pl.lit(None, pl.Float64()))
    )


@task(task_run_name="chain the ledger", **PATIENT)
def chain(night: Night, trials: Receipt) -> str:
    """Append the night's trials to the ledger; return the ledger's hash after them."""
    store = default_store()
    return ledger.append(store, night.night, stages.read(store, trials), now=utc_now())
