"""The suite of pools of decentralised exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import DEX_PAIRS
from expectations.addresses import BAD_ADDRESS, BAD_CHAIN, bad_addresses
from expectations.bounds import plausible
from expectations.crowd import distance_to_others
from expectations.moments import IN_FUTURE, STALE, moment_facts
from expectations.rules import ROW, Suite, between, filled

if TYPE_CHECKING:
    from datetime import datetime

FAR = 0.05 + 1e-12  # from the median of the token's other pools
THIN = 1_000.0  # USD
CHURN = 100.0  # times that a pool's liquidity was traded in a day

RULES = (
    *plausible(("price_usd",), ("price", "liquidity_usd", "volume_24h_usd", "fully_diluted_usd")),
    BAD_CHAIN,
    BAD_ADDRESS,
    filled("dex", "empty_name"),
    between("same_token", "same_token", 0, 0),
    between("price", "price_not_positive", 0, strictly=True),
    between("price_usd", "price_not_positive", 0, strictly=True),
    between("liquidity_usd", "negative_liquidity", 0),
    between("volume_24h_usd", "negative_volume", 0),
    between("buys_24h", "negative_trades", 0),
    between("sells_24h", "negative_trades", 0),
    between("fully_diluted_usd", "negative_market_cap", 0),
    between("made_for_s", "made_in_future", 0),
    STALE,
    IN_FUTURE,
    between("liquidity_usd", "thin", THIN, severity="warning"),
    between("churn", "churned", None, CHURN, severity="warning"),
    between("distance", "pool_distance", None, FAR, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Check addresses, and compare what was traded with what the pool holds."""
    del now
    made_for = pl.col("ingested_at") - pl.col("created_at")
    liquidity = pl.when(pl.col("liquidity_usd") > 0).then(pl.col("liquidity_usd"))
    return rows.select(
        ROW,
        *moment_facts("time"),
        bad_addresses("pair_address", "base_address", "quote_address"),
        same_token=(pl.col("base_address") == pl.col("quote_address")).cast(pl.UInt8),
        made_for_s=made_for.dt.total_seconds(),
        churn=pl.col("volume_24h_usd") / liquidity,
    )


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compare a pool's price with that of the token's other pools."""
    return distance_to_others(
        rows,
        history,
        same=("chain", "base_address"),
        who="pair_address",
        value="price_usd",
    )


SUITE = Suite(
    dataset=DEX_PAIRS,
    rules=RULES,
    optional=(
        *("base", "quote", "price_usd", "liquidity_usd", "volume_24h_usd"),
        *("buys_24h", "sells_24h", "fully_diluted_usd", "created_at"),
    ),
    facts=facts,
    neighbour_facts=neighbour_facts,
    remembers=(*DEX_PAIRS.key, "base_address", "price_usd"),
)
