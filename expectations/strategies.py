"""The suite of strategies: the form of what a night bred; its meaning is research's matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import STRATEGIES
from core.market import INTERVALS
from expectations.rules import ROW, STRATEGY_ID, Suite, between, filled, one_of

if TYPE_CHECKING:
    from datetime import datetime

RULES = (
    STRATEGY_ID,
    filled("text", "empty_text"),
    filled("night", "empty_night"),
    one_of("timeframe", "unknown_timeframe", list(INTERVALS)),
    one_of("side", "unknown_side", ["long", "short", "both"]),
    between("conditions", "no_conditions", 1),
    between("names_timeframe", "timeframe_mismatch", 1, 1),
    between("names_side", "side_mismatch", 1, 1),
    between("kept_s", "deleted_before_created", 0),
    between("ids_before", "duplicate_text", 0, 0, beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare each text with the columns that were read from it."""
    del now
    text, side = pl.col("text"), pl.col("side")
    on = pl.concat_str(pl.lit("on "), "timeframe")
    agrees = [
        text.str.contains(rf"(?m)^{name} when ") == side.is_in([name, "both"])
        for name in ("long", "short")
    ]
    says = text.str.contains(r"\S")  # that an empty text says nothing is another rule's matter
    return rows.select(
        ROW,
        names_timeframe=pl.when(says).then(text.str.split("\n").list.last() == on).cast(pl.Int64),
        names_side=pl.when(says).then(pl.all_horizontal(agrees)).cast(pl.Int64),
        kept_s=(pl.col("deleted_at") - pl.col("created_at")).dt.total_seconds(),
    )


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Count the rows before each that give the same text another id."""
    del history
    return rows.select(ROW, ids_before=pl.int_range(pl.len()).over("text"))


SUITE = Suite(
    dataset=STRATEGIES,
    rules=RULES,
    optional=("deleted_at",),
    facts=facts,
    neighbour_facts=neighbour_facts,
)
