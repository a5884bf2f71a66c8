"""The suite of promotions: what goes to paper trading is complete and beat the luck hurdle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import PROMOTIONS
from expectations.rules import ROW, STRATEGY_ID, Suite, between, filled

if TYPE_CHECKING:
    from datetime import datetime

RULES = (
    STRATEGY_ID,
    filled("night", "empty_night"),
    filled("text", "empty_text"),
    filled("status", "empty_status"),
    between("deflated_sharpe", "not_a_probability", 0, 1),
    between("above_luck", "below_luck_hurdle", 0, severity="warning"),
    *(
        between(name, "implausible_sharpe", -100, 100, strictly=True, severity="warning")
        for name in ("sharpe", "out_of_sample_sharpe")
    ),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute by how much a strategy beat what luck alone would have shown."""
    del now
    return rows.select(ROW, above_luck=pl.col("sharpe") - pl.col("luck_hurdle"))


SUITE = Suite(dataset=PROMOTIONS, rules=RULES, facts=facts)
