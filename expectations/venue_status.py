"""The suite of venue status: one of four words, said now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.datasets import VENUE_STATUS
from expectations.moments import IN_FUTURE, STALE, moment_facts
from expectations.rules import ROW, Suite, one_of

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

STATUSES = ("up", "degraded", "maintenance", "down")

RULES = (one_of("status", "unknown_status", STATUSES), STALE, IN_FUTURE)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare the time with the arrival."""
    del now
    return rows.select(ROW, *moment_facts("time"))


SUITE = Suite(dataset=VENUE_STATUS, rules=RULES, optional=("message",), facts=facts)
