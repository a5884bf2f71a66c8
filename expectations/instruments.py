"""The suite of instruments: names that agree with each other, and terms that can be traded on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import INSTRUMENTS
from expectations.bounds import plausible
from expectations.candles import FIRST_TIME
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between, filled, one_of

if TYPE_CHECKING:
    from datetime import datetime

KINDS = ("spot", "perpetual")
STATUSES = ("trading", "halted", "delisted")
TERMS = ("tick_size", "lot_size", "min_amount", "min_notional", "contract_size")

RULES = (
    filled("native", "empty_native"),
    one_of("kind", "unknown_kind", KINDS),
    one_of("status", "unknown_status", STATUSES),
    between("tick_size", "step_not_positive", 0, strictly=True),
    between("lot_size", "step_not_positive", 0, strictly=True),
    between("contract_size", "step_not_positive", 0, strictly=True),
    between("min_amount", "negative_minimum", 0),
    between("min_notional", "negative_minimum", 0),
    *plausible((), TERMS),
    between("other_name", "name_mismatch", 0, 0),
    between("other_kind", "kind_mismatch", 0, 0),
    between("valid_for_s", "ends_before_it_begins", 0, strictly=True),
    BEFORE_2009,
    between("listed_after_2009_s", "before_2009", 0),
    IN_FUTURE,
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare the symbol with its assets, the venue's name with the kind, and both ends in time."""
    del now
    named = pl.col("base") + "-" + pl.col("quote")
    perpetual = pl.col("venue").str.ends_with("_perp")
    valid = (pl.col("valid_until") - pl.col("valid_from")).dt.total_microseconds() / 1e6
    return rows.select(
        ROW,
        *moment_facts("valid_from"),
        other_name=(named != pl.col("symbol")).cast(pl.Int64),
        other_kind=pl.when(pl.col("kind").is_in(KINDS)).then(
            (perpetual != (pl.col("kind") == "perpetual")).cast(pl.Int64)
        ),
        valid_for_s=valid,
        listed_after_2009_s=pl.col("listed_at").to_physical() / 1e6 - FIRST_TIME,
    )


SUITE = Suite(
    dataset=INSTRUMENTS,
    rules=RULES,
    optional=(*TERMS, "listed_at", "valid_until"),
    facts=facts,
)
