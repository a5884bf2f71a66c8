"""The suite of trials: the permanent ledger must never hold a row that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import TRIALS
from expectations.rules import ROW, STRATEGY_ID, Suite, between, filled

if TYPE_CHECKING:
    from datetime import datetime

RULES = (
    STRATEGY_ID,
    filled("night", "empty_night"),
    filled("text", "empty_text"),
    filled("verdict", "empty_verdict"),
    between("days", "no_days", 1),
    between("worst_day", "lost_more_than_all", -1 - 1e-9),
    between("first_us_of_day", "not_a_day", 0, 0),
    between("bad_parents", "bad_parents", 0, 0),
    between("trades", "negative_trades", 0),
    between("deflated_sharpe", "not_a_probability", 0, 1),
    *(
        between(name, "implausible_sharpe", -100, 100, strictly=True, severity="warning")
        for name in ("score", "sharpe", "in_sample_sharpe", "out_of_sample_sharpe")
    ),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Look into the lists of a row: its days and its parents."""
    del now
    parents = rows.select(ROW, "strategy_id", parent="parents").explode("parent")
    wrong = ~pl.col("parent").str.contains(r"^[0-9a-f]{16}\z") | (
        pl.col("parent") == pl.col("strategy_id")
    )
    bad = parents.group_by(ROW).agg(bad_parents=wrong.fill_null(value=False).sum())
    days = rows.select(
        ROW,
        days=pl.col("daily_returns").list.len(),
        worst_day=pl.col("daily_returns").list.min(),
        first_us_of_day=pl.col("first_day").to_physical() % 86_400_000_000,
    )
    return days.join(bad, on=ROW, how="left", maintain_order="left")


SUITE = Suite(
    dataset=TRIALS,
    rules=RULES,
    optional=(
        *("trades", "score", "sharpe"),
        *("in_sample_sharpe", "out_of_sample_sharpe", "deflated_sharpe"),
    ),
    facts=facts,
)
