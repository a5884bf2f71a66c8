"""The suite of large transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import WHALE_TRANSACTIONS
from expectations.addresses import BAD_ADDRESS, BAD_CHAIN, bad_addresses, bad_transaction
from expectations.bounds import plausible
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, at_least, between, filled, one_of

if TYPE_CHECKING:
    from datetime import datetime

DIRECTIONS = ("to_exchange", "from_exchange", "between_exchanges", "transfer")
HUGE = 1e10  # USD; no transfer of a token was ever worth more

RULES = (
    *plausible((), ("amount", "value_usd")),
    BAD_CHAIN,
    BAD_ADDRESS,
    between("bad_hash", "bad_hash", 0, 0),
    between("log_index", "negative_index", 0),
    between("block", "negative_block", 0),
    filled("asset", "empty_name"),
    between("amount", "amount_not_positive", 0, strictly=True),
    between("threshold_usd", "threshold_not_positive", 0, strictly=True),
    at_least("value_usd", "threshold_usd", "below_threshold"),
    one_of("direction", "unknown_direction", DIRECTIONS),
    between("wrong_way", "direction_mismatch", 0, 0),
    BEFORE_2009,
    IN_FUTURE,
    between("value_usd", "implausible_value", None, HUGE, severity="warning"),
    between("to_itself", "to_itself", 0, 0, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Check addresses and the transaction's hash, and the direction beside the labels."""
    del now
    sends, receives = pl.col("sender_label").is_not_null(), pl.col("receiver_label").is_not_null()
    expected = (
        pl.when(sends & receives)
        .then(pl.lit("between_exchanges"))
        .when(receives)
        .then(pl.lit("to_exchange"))
        .when(sends)
        .then(pl.lit("from_exchange"))
        .otherwise(pl.lit("transfer"))
    )
    known = pl.col("direction").is_in(DIRECTIONS)
    return rows.select(
        ROW,
        *moment_facts("time"),
        bad_addresses("sender", "receiver", "token", native=True),
        bad_hash=bad_transaction("transaction_hash"),
        wrong_way=pl.when(known).then((pl.col("direction") != expected).cast(pl.UInt8)),
        to_itself=(pl.col("sender") == pl.col("receiver")).cast(pl.UInt8),
    )


SUITE = Suite(
    dataset=WHALE_TRANSACTIONS,
    rules=RULES,
    optional=("sender_label", "receiver_label"),
    facts=facts,
)
