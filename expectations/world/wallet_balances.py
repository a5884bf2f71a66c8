"""The suite of balances: what an address holds of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import WALLET_BALANCES
from expectations.addresses import BAD_ADDRESS, BAD_CHAIN, bad_addresses
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between, matches

if TYPE_CHECKING:
    from datetime import datetime

ROUNDING = 1e-9
MOST_DECIMALS = 36
WHOLE = r"^[0-9]{1,80}\Z"

RULES = (
    BAD_CHAIN,
    BAD_ADDRESS,
    matches("raw_amount", "bad_amount", WHOLE, "a whole number"),
    between("decimals", "bad_decimals", 0, MOST_DECIMALS),
    between("amount", "negative_amount", 0),
    between("off_raw", "amount_mismatch", None, ROUNDING),
    between("slot", "negative_slot", 0),
    BEFORE_2009,
    IN_FUTURE,
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Check addresses, and the amount beside the whole number that it is made of."""
    del now
    whole = pl.col("raw_amount").str.contains(WHOLE.replace(r"\Z", r"\z"))
    raw = pl.when(whole).then(pl.col("raw_amount").cast(pl.Float64, strict=False))
    scale = pl.lit(10.0).pow(pl.when(pl.col("decimals").is_between(0, 36)).then("decimals"))
    expected = raw / scale
    off = (pl.col("amount") - expected).abs() / pl.max_horizontal(expected, 1e-300)
    off = pl.when(pl.col("amount") == expected).then(0.0).otherwise(off)
    return rows.select(
        ROW,
        *moment_facts("time"),
        bad_addresses("address", "account", "token", native=True),
        off_raw=pl.when((pl.col("amount") >= 0) & (expected >= 0)).then(off),
    )


SUITE = Suite(dataset=WALLET_BALANCES, rules=RULES, optional=("slot",), facts=facts)
