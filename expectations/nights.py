"""The suite of nights: one row a run, whose counts and times must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import NIGHTS
from expectations.rules import (
    NOT_JSON,
    ROW,
    Suite,
    at_least,
    between,
    filled,
    matches,
    unreadable,
)

if TYPE_CHECKING:
    from datetime import datetime

COUNTS = (
    *("strategies", "trials", "distinct_trials", "candidates", "survivors", "promoted"),
    *("lookahead_refused", "worlds", "permuted_worlds", "effective_trials", "seed"),
)
# Known only since nights compare their best with that of worlds without an edge.
OF_WORLDS = (
    *("distinct_trials", "candidates", "lookahead_refused", "best_score", "alpha", "p_value"),
    *("permutation_p", "worlds", "permuted_worlds", "null_scores", "permuted_scores"),
    *("smallest_sharpe", "effective_trials", "ledger"),
)

RULES = (
    filled("night", "empty_night"),
    between("took_s", "finished_before_started", 0),
    between("days", "no_days", 1),
    *(between(name, "negative_count", 0) for name in COUNTS),
    at_least("trials", "survivors", "more_survivors_than_trials"),
    at_least("survivors", "promoted", "more_promoted_than_survivors"),
    at_least("trials", "distinct_trials", "more_strategies_than_trials"),
    *(between(name, "not_a_probability", 0, 1) for name in ("alpha", "p_value", "permutation_p")),
    matches("ledger", "not_a_hash", r"^[0-9a-f]{64}\Z", "a SHA-256 in hexadecimal"),
    NOT_JSON,
    *(
        between(name, "implausible_sharpe", -100, 100, strictly=True, severity="warning")
        for name in ("best_sharpe", "best_score")
    ),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute how long a run took, and whether its notes can be read again."""
    del now
    took = (pl.col("finished_at") - pl.col("started_at")).dt.total_seconds()
    notes = unreadable(rows["manifest"], dict) + unreadable(rows["timings"], dict)
    return rows.select(ROW, took_s=took, not_json=notes)


SUITE = Suite(
    dataset=NIGHTS,
    rules=RULES,
    optional=("luck_hurdle", "best_sharpe", "report", *OF_WORLDS),
    facts=facts,
)
