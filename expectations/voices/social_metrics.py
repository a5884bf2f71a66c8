"""The suite of social metrics: how much an asset is spoken of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import SOCIAL_METRICS
from expectations.crowd import unlike_before
from expectations.rules import ROW, Suite, between, matches
from expectations.voices.social_posts import BEFORE_2005, IN_FUTURE, time_facts

if TYPE_CHECKING:
    from datetime import datetime

COUNTS = ("posts", "authors", "interactions")
NUMBERS = (*COUNTS, "sentiment", "dominance", "rank")
SPIKE = 10

RULES = (
    matches("asset", "bad_asset", r"^[A-Z0-9]{1,20}\Z", "a ticker such as BTC"),
    *(between(count, "negative_count", 0) for count in COUNTS),
    between("sentiment", "out_of_bounds", 0, 1),
    between("dominance", "out_of_bounds", 0, 1),
    between("rank", "bad_rank", 1),
    between("says", "says_nothing", 1),
    BEFORE_2005,
    IN_FUTURE,
    between("z", "posts_spike", None, SPIKE, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute what a row's time says, and how many numbers it has."""
    del now
    says = pl.sum_horizontal(pl.col(*NUMBERS).is_not_null())
    return rows.select(ROW, *time_facts(), says=says)


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compare the number of posts with those of the hours before."""
    return unlike_before(rows, history, series=("venue", "asset"), value="posts")


SUITE = Suite(
    dataset=SOCIAL_METRICS,
    rules=RULES,
    optional=NUMBERS,
    facts=facts,
    neighbour_facts=neighbour_facts,
    remembers=(*SOCIAL_METRICS.key, "posts"),
    lately=timedelta(days=4),
)
