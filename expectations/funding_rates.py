"""The suite of funding rates: shares that venues' own caps allow, at times that have passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.datasets import FUNDING_RATES
from expectations.bounds import plausible
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

# Venues cap a rate at 0.3 to 4 % of the position; a rate in percent or basis points is beyond.
HIGHEST = 0.1
UNUSUAL = 0.01

RULES = (
    between("rate", "rate_implausible", -HIGHEST, HIGHEST),
    between("hours", "hours_implausible", 0, 24, strictly=True),
    between("mark_price", "price_not_positive", 0, strictly=True),
    *plausible(("mark_price",)),
    BEFORE_2009,
    IN_FUTURE,
    between("rate", "rate_unusual", -UNUSUAL, UNUSUAL, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare the funding's time with the arrival."""
    del now
    return rows.select(ROW, *moment_facts("funding_time"))


SUITE = Suite(dataset=FUNDING_RATES, rules=RULES, optional=("hours", "mark_price"), facts=facts)
