"""The suite of posts."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from core.clock import to_micros
from core.datasets import SOCIAL_POSTS
from expectations.moments import Tolerance
from expectations.rules import ROW, Suite, between, filled, matches

COUNTS = ("likes", "replies", "shares")
FIRST_TIME = to_micros(datetime(2005, 6, 1, tzinfo=UTC))  # the oldest of the networks began then
NETWORK = matches("network", "bad_network", r"^[a-z][a-z0-9_]{0,31}\Z", "a network's name")
POST_ID = filled("post_id", "empty_post_id")
ASSETS = between("bad_assets", "bad_asset", 0, 0)
BEFORE_2005 = between("us_since_2005", "before_2005", 0)
IN_FUTURE = between("ahead_s", "in_future", None, Tolerance().ahead)

RULES = (
    NETWORK,
    POST_ID,
    filled("text", "empty_text"),
    matches("language", "bad_language", r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z", "such as en"),
    ASSETS,
    *(between(count, "negative_count", 0) for count in COUNTS),
    BEFORE_2005,
    IN_FUTURE,
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute what a post's time and tickers say."""
    del now
    return rows.select(ROW, *time_facts(), bad_assets())


def time_facts() -> list[pl.Expr]:
    """Compute how long after 2005 a row is, and how far ahead of its arrival."""
    ahead = (pl.col("time") - pl.col("ingested_at")).dt.total_microseconds() / 1e6
    since = pl.col("time").to_physical() - FIRST_TIME
    return [ahead.alias("ahead_s"), since.alias("us_since_2005")]


def bad_assets() -> pl.Expr:
    """Count the tickers of a row that are none."""
    right = pl.element().str.contains(r"^[A-Z0-9]{1,20}\z").fill_null(value=False)
    return pl.col("assets").list.eval(~right).list.sum().alias("bad_assets")


SUITE = Suite(
    dataset=SOCIAL_POSTS,
    rules=RULES,
    optional=("author", "place", "language", "text", *COUNTS),
    facts=facts,
)
