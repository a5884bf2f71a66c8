"""The suite of listings: the largest assets, ranked by what all of their coins are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import LISTINGS
from expectations.bounds import plausible
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between, filled
from expectations.world.prices import LATE_HOURS, hours_behind

if TYPE_CHECKING:
    from datetime import datetime

CHANGES = ("change_1h", "change_24h", "change_7d")
SUPPLIES = ("circulating_supply", "total_supply", "max_supply")
MOST_CHANGE = 1e9  # as a fraction
OFF = 0.05  # of the market capitalisation

RULES = (
    *plausible(("price",), ("market_cap", "volume_24h", *SUPPLIES)),
    *(between(change, "implausible", None, MOST_CHANGE) for change in CHANGES),
    filled("asset_id", "empty_name"),
    filled("asset", "empty_name"),
    filled("name", "empty_name"),
    between("rank", "bad_rank", 1),
    between("price", "price_not_positive", 0, strictly=True),
    between("market_cap", "negative_market_cap", 0),
    between("volume_24h", "negative_volume", 0),
    *(between(supply, "negative_supply", 0) for supply in SUPPLIES),
    *(between(change, "lost_more_than_all", -1) for change in CHANGES),
    BEFORE_2009,
    IN_FUTURE,
    between("listed_for_s", "listed_in_future", 0),
    between("supply_over_most", "supply_exceeds_most", None, 1.0, severity="warning"),
    between("off_product", "market_cap_mismatch", None, OFF, severity="warning"),
    between("hours_behind", "stale", None, LATE_HOURS, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare a coin's numbers with each other, and its time with ours."""
    del now
    product = pl.col("price") * pl.col("circulating_supply")
    most = pl.when(pl.col("max_supply") > 0).then(pl.col("max_supply"))
    listed_for = pl.col("ingested_at") - pl.col("listed_at")
    return rows.select(
        ROW,
        *moment_facts("time"),
        listed_for_s=listed_for.dt.total_seconds(),
        supply_over_most=pl.col("circulating_supply") / most,
        off_product=pl.when((pl.col("market_cap") > 0) & (product > 0)).then(
            (product / pl.col("market_cap") - 1).abs()
        ),
    )


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Say which coins were updated long before the newest of their venue."""
    del history
    return hours_behind(rows, ("venue", "asset_id"))


SUITE = Suite(
    dataset=LISTINGS,
    rules=RULES,
    optional=(
        *("rank", "price", "market_cap", "volume_24h", "listed_at"),
        *SUPPLIES,
        *CHANGES,
    ),
    facts=facts,
    neighbour_facts=neighbour_facts,
)
