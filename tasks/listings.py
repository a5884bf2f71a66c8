"""What becomes of a venue's listing before it is stored. Prefect is not needed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import INSTRUMENTS
from research.eras import changes
from storage.lake import sql

if TYPE_CHECKING:
    from datetime import datetime

    from storage.store import Store

HOLDING = "select * from instruments where venue = $venue and valid_until is null"


def only_changes(
    store: Store, dataset: str, rows: pl.DataFrame, now: datetime, *, whole: bool = True
) -> pl.DataFrame:
    """Return what a listing changes about what is stored; rows of other datasets as they are.

    What a venue does not name any more is delisted, and stays known, where all of its listing
    was had (`whole`).
    """
    if dataset != INSTRUMENTS.name or rows.is_empty():
        return rows
    venues = rows.partition_by("venue", as_dict=True, maintain_order=True)
    columns = list(INSTRUMENTS.columns)
    return pl.concat(
        [
            changes(
                sql(HOLDING, {"venue": venue}, store=store).select(columns), seen, now, whole=whole
            )
            for (venue,), seen in venues.items()
        ]
    )
