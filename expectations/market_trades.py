"""The suite of market trades: what was traded, at which price, and who took it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import MARKET_TRADES
from expectations.bounds import plausible
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between, filled, one_of

if TYPE_CHECKING:
    from datetime import datetime

MARKET = ("venue", "symbol")
FAR = 0.2  # of the median price of the batch's trades in that market

RULES = (
    filled("trade_id", "empty_trade_id"),
    between("price", "price_not_positive", 0, strictly=True),
    between("amount", "amount_not_positive", 0, strictly=True),
    *plausible(("price",), ("amount",)),
    one_of("side", "unknown_side", ("buy", "sell")),
    BEFORE_2009,
    IN_FUTURE,
    between("from_median", "far_from_median", -FAR, FAR, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare a trade's time with its arrival."""
    del now
    return rows.select(ROW, *moment_facts("time"))


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compare each price with the median of its market in the batch."""
    del history
    median = pl.col("price").median().over(MARKET)
    return rows.select(ROW, from_median=pl.col("price") / median - 1)


SUITE = Suite(
    dataset=MARKET_TRADES,
    rules=RULES,
    optional=("side",),
    facts=facts,
    neighbour_facts=neighbour_facts,
)
