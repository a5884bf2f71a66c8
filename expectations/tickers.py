"""The suite of tickers: a market's last price, best prices and last day at one moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import TICKERS
from expectations.bounds import plausible
from expectations.crowd import distance_to_others
from expectations.moments import IN_FUTURE, STALE, moment_facts
from expectations.rules import ROW, Suite, between

if TYPE_CHECKING:
    from datetime import datetime

PRICES = ("last", "bid", "ask", "open_24h", "high_24h", "low_24h")
AMOUNTS = ("bid_size", "ask_size", "volume_24h", "quote_volume_24h")
FAR = 0.2  # of the middle between bid and ask
OFF = 0.05 + 1e-12  # from what other venues say

RULES = (
    *(between(price, "price_not_positive", 0, strictly=True) for price in PRICES),
    *(between(amount, "negative_volume", 0) for amount in AMOUNTS),
    *plausible(PRICES, AMOUNTS),
    between("spread", "crossed", 0, strictly=True),
    between("day_range", "high_below_low", 0),
    between("says", "says_nothing", 1),
    STALE,
    IN_FUTURE,
    between("last_from_middle", "last_far_from_book", -FAR, FAR, severity="warning"),
    between("distance", "venue_distance", None, OFF, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare the prices of a row with each other, and its time with its arrival."""
    del now
    bid, ask = pl.col("bid"), pl.col("ask")
    sound = (bid > 0) & (ask > bid) & (pl.col("last") > 0)
    middle = (bid + ask) / 2
    return rows.select(
        ROW,
        *moment_facts("time"),
        # Of what is no price, the rules of prices speak.
        spread=pl.when((bid > 0) & (ask > 0)).then(ask - bid),
        day_range=pl.when((pl.col("low_24h") > 0) & (pl.col("high_24h") > 0)).then(
            pl.col("high_24h") - pl.col("low_24h")
        ),
        says=pl.sum_horizontal(pl.col("last", "bid", "ask").is_not_null()),
        last_from_middle=pl.when(sound).then(pl.col("last") / middle - 1),
    )


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compare the last price with those of other venues in the same ten minutes."""
    return distance_to_others(rows, history, same=("symbol",), value="last")


SUITE = Suite(
    dataset=TICKERS,
    rules=RULES,
    optional=(*PRICES, *AMOUNTS),
    facts=facts,
    neighbour_facts=neighbour_facts,
    remembers=(*TICKERS.key, "last"),
    lately=timedelta(minutes=10),
)
