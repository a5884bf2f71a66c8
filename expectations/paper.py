"""The suite of paper trading: a row is one whole day of one candidate, and how it stands then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import PAPER
from expectations.rules import (
    NOT_JSON,
    ROW,
    STRATEGY_ID,
    Suite,
    between,
    filled,
    one_of,
    unreadable,
)

if TYPE_CHECKING:
    from datetime import datetime

COHORTS = ("promoted", "rejected", "random")
STATUSES = ("running", "confirmed", "rejected", "killed")
ROUNDING = 1e-9

RULES = (
    STRATEGY_ID,
    filled("night", "empty_night"),
    filled("paper_night", "empty_night"),
    one_of("cohort", "unknown_cohort", COHORTS),
    one_of("status", "unknown_status", STATUSES),
    between("us_of_day", "not_a_day", 0, 0),
    between("days_ahead", "in_future", None, 0),
    between("return", "lost_more_than_all", -1 - ROUNDING),
    between("equity", "negative_equity", -ROUNDING),
    between("bars", "negative_bars", 0),
    NOT_JSON,
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare each day with the calendar: it starts at midnight, and is over where it counts."""
    counts = pl.when(pl.col("plan").is_null()).then(1).otherwise(0)
    over = pl.col("day") + pl.duration(days=1) * counts
    return rows.select(
        ROW,
        us_of_day=pl.col("day").to_physical() % 86_400_000_000,
        days_ahead=(over - pl.lit(now)).dt.total_seconds() / 86_400,
        not_json=unreadable(rows["plan"], dict),
    )


SUITE = Suite(dataset=PAPER, rules=RULES, optional=("plan",), facts=facts)
