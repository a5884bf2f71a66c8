"""The suite of nights: one row a run, whose counts and times must agree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import NIGHTS
from expectations.rules import ROW, Suite, at_least, between, filled

if TYPE_CHECKING:
    from datetime import datetime

COUNTS = ("strategies", "trials", "survivors", "promoted", "seed")

RULES = (
    filled("night", "empty_night"),
    between("took_s", "finished_before_started", 0),
    between("days", "no_days", 1),
    *(between(name, "negative_count", 0) for name in COUNTS),
    at_least("trials", "survivors", "more_survivors_than_trials"),
    at_least("survivors", "promoted", "more_promoted_than_survivors"),
    between("not_json", "not_json", 0, 0),
    between("best_sharpe", "implausible_sharpe", -100, 100, strictly=True, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute how long a run took, and whether its notes can be read again."""
    del now
    took = (pl.col("finished_at") - pl.col("started_at")).dt.total_seconds()
    notes = rows.select("manifest", "timings").rows()
    unreadable = [sum(not _is_object(note) for note in row) for row in notes]
    return rows.select(ROW, took_s=took, not_json=pl.Series(unreadable, dtype=pl.Int64))


def _is_object(note: str | None) -> bool:
    """Whether a note is a JSON object; a missing one is another rule's matter."""
    if note is None:
        return True
    try:
        return isinstance(json.loads(note), dict)
    except ValueError:
        return False


SUITE = Suite(
    dataset=NIGHTS,
    rules=RULES,
    optional=("luck_hurdle", "best_sharpe", "report"),
    facts=facts,
)
