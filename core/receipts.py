"""What steps hand to each other: small facts about rows on disk, never the rows."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Receipt(msgspec.Struct, frozen=True):
    """A batch that lies in landing, as its source returned it.

    `path` is relative to `NIGHTJAR_HOME`; `start` and `end` are the first and last value of the
    dataset's time column, None for a batch of no rows.
    """

    dataset: str
    path: str
    rows: int
    source: str
    start: datetime | None = None
    end: datetime | None = None


class Merge(msgspec.Struct, frozen=True):
    """What one batch did to the hot store."""

    dataset: str
    batch: str
    rows: int
    inserted: int = 0
    revised: int = 0
    unchanged: int = 0
    quarantined: int = 0
    released: int = 0
