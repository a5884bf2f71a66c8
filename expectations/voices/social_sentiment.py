"""The suite of moods: a score of each post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.datasets import SOCIAL_SENTIMENT
from expectations.rules import ROW, Suite, between, one_of
from expectations.voices.social_posts import (
    ASSETS,
    BEFORE_2005,
    IN_FUTURE,
    NETWORK,
    POST_ID,
    bad_assets,
    time_facts,
)

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

MODELS = ("vader", "finbert")

RULES = (
    NETWORK,
    POST_ID,
    one_of("model", "unknown_model", MODELS),
    between("score", "out_of_bounds", -1, 1),
    ASSETS,
    BEFORE_2005,
    IN_FUTURE,
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute what a post's time and tickers say."""
    del now
    return rows.select(ROW, *time_facts(), bad_assets())


SUITE = Suite(dataset=SOCIAL_SENTIMENT, rules=RULES, facts=facts)
