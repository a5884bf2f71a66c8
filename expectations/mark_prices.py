"""The suite of mark prices: near the index that they follow, and of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import MARK_PRICES
from expectations.bounds import plausible
from expectations.moments import IN_FUTURE, STALE, moment_facts
from expectations.rules import ROW, Suite, between

if TYPE_CHECKING:
    from datetime import datetime

FAR = 0.05  # of the index; venues hold marks much nearer

RULES = (
    between("mark_price", "price_not_positive", 0, strictly=True),
    between("index_price", "price_not_positive", 0, strictly=True),
    *plausible(("mark_price", "index_price")),
    STALE,
    IN_FUTURE,
    between("from_index", "far_from_index", -FAR, FAR, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare the mark with the index, and the time with the arrival."""
    del now
    mark, index = pl.col("mark_price"), pl.col("index_price")
    return rows.select(
        ROW,
        *moment_facts("time"),
        from_index=pl.when((mark > 0) & (index > 0)).then(mark / index - 1),
    )


SUITE = Suite(dataset=MARK_PRICES, rules=RULES, optional=("index_price",), facts=facts)
