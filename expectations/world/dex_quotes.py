"""The suite of quotes: what a router would give for an amount of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import DEX_QUOTES
from expectations.addresses import BAD_ADDRESS, BAD_CHAIN, bad_addresses
from expectations.bounds import plausible
from expectations.moments import IN_FUTURE, STALE, moment_facts
from expectations.rules import ROW, Suite, between, matches

if TYPE_CHECKING:
    from datetime import datetime

HIGH = 0.05
WHOLE = r"^[1-9][0-9]{0,39}\Z"
SAYS = "a whole number over 0"

RULES = (
    *plausible((), ("price",)),
    BAD_CHAIN,
    BAD_ADDRESS,
    between("same_token", "same_token", 0, 0),
    matches("input_amount", "bad_amount", WHOLE, SAYS),
    matches("output_amount", "bad_amount", WHOLE, SAYS),
    between("price", "price_not_positive", 0, strictly=True),
    between("price_impact", "impact_out_of_bounds", -1, 1),
    between("legs", "empty_route", 1),
    between("slot", "negative_slot", 0),
    STALE,
    IN_FUTURE,
    between("price_impact", "high_impact", None, HIGH, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Check addresses and count the legs of the route."""
    del now
    return rows.select(
        ROW,
        *moment_facts("time"),
        bad_addresses("input", "output"),
        same_token=(pl.col("input") == pl.col("output")).cast(pl.UInt8),
        legs=pl.col("route").list.len(),
    )


SUITE = Suite(dataset=DEX_QUOTES, rules=RULES, optional=("price", "slot"), facts=facts)
