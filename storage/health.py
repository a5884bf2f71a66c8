"""How sources did: rows of `source_health`, written after each run and read before the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import SOURCE_HEALTH
from storage import hot
from storage.lake import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta
    from typing import Any

    from storage.store import Store

NOTED_BY = "nightjar"


def note(store: Store, rows: Iterable[Mapping[str, Any]], *, now: datetime) -> int:
    """Store how each source did up to `now`; return of how many.

    Rows have what the dataset declares, but for `time` and provenance.

    Raises:
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
    """
    stamp = {"time": now, "source": NOTED_BY, "ingested_at": now}
    frame = pl.DataFrame([{**row, **stamp} for row in rows], schema=SOURCE_HEALTH.schema)
    if not frame.is_empty():
        hot.put(store, SOURCE_HEALTH.name, frame, now=now)
    return frame.height


def since(store: Store, now: datetime, age: timedelta) -> pl.DataFrame:
    """Return what was noted in the `age` before `now`, oldest first."""
    query = "select * from source_health where time > $since order by time, provider"
    return sql(query, {"since": now - age}, store=store)


def latest(store: Store) -> pl.DataFrame:
    """Return the newest row of each source."""
    query = (
        "select * from source_health "
        "qualify row_number() over (partition by provider order by time desc) = 1 "
        "order by provider"
    )
    return sql(query, store=store)
