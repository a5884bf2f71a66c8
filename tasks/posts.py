"""What becomes of posts before they are stored. Prefect is not needed here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.clock import floor_to
from core.datasets import SOCIAL_POSTS

if TYPE_CHECKING:
    from datetime import datetime

    from core.settings import SocialSettings

_DAY = timedelta(days=1)


def forgotten_before(settings: SocialSettings, now: datetime) -> datetime:
    """Return the midnight before which posts have no text any more.

    Whole days, so that the store is rewritten once a day; up to a day early, never late.
    """
    return floor_to(now, _DAY) - timedelta(days=settings.text_days - 1)


def prepared(
    dataset: str, rows: pl.DataFrame, settings: SocialSettings, now: datetime
) -> pl.DataFrame:
    """Return rows as they may be stored: no posts of bots, no texts that are too old.

    Rows of other datasets are returned as they are.
    """
    if dataset != SOCIAL_POSTS.name:
        return rows
    bots = [name.lower() for name in settings.bots]
    by_bot = pl.col("author").str.to_lowercase().is_in(bots).fill_null(value=False)
    young = pl.col("time") >= forgotten_before(settings, now)
    text = pl.when(young | pl.col("time").is_null()).then(pl.col("text"))
    return rows.filter(~by_bot).with_columns(text=text)
