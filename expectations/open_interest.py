"""The suite of open interest: how much is open, at times that have passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.datasets import OPEN_INTEREST
from expectations.bounds import plausible
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

RULES = (
    between("amount", "negative_amount", 0),
    between("value", "negative_amount", 0),
    *plausible((), ("amount", "value")),
    BEFORE_2009,
    IN_FUTURE,
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare the time with the arrival."""
    del now
    return rows.select(ROW, *moment_facts("time"))


SUITE = Suite(dataset=OPEN_INTEREST, rules=RULES, optional=("value",), facts=facts)
