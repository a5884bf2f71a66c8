"""What one frame of a venue's public socket says: the same few words for all venues."""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 - msgspec reads the types of its fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sources.shapes import rows_of

if TYPE_CHECKING:
    import polars as pl

Level = tuple[float, float]  # price, size
Row = dict[str, Any]  # some columns of a dataset, by name


class Change(msgspec.Struct, frozen=True):
    """What changed in one book since its state before: levels, where a size of 0 takes one away.

    The numbers are the venue's own, null where it has none: the first and the last of the states
    that the change goes through, the state that it follows, and a checksum of the book after it.
    """

    symbol: str
    time: datetime | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    first: int | None = None
    last: int | None = None
    previous: int | None = None
    checksum: int | None = None


class Heard(msgspec.Struct, frozen=True):
    """What a frame says.

    A frame with neither rows nor changes carries nothing to keep: a heartbeat, the answer to a
    subscription, a bar that still forms.

    Attributes:
        kind: The venue's own word for the frame, such as `trade` or `heartbeat`.
        dataset: What its rows are of; None where it is of no dataset.
        rows: Rows of that dataset, in the order they came, but for where from and when.
        changes: What changed in books.
        reply: What the venue wants to be sent in answer, or it hangs up.
        sequence: The number of the frame on its connection, where the venue counts them.
        note: The venue's own words, where it has something to say to a person.
    """

    kind: str
    dataset: str | None = None
    rows: tuple[Row, ...] = ()
    changes: tuple[Change, ...] = ()
    reply: str | None = None
    sequence: int | None = None
    note: str | None = None


class Stream(Protocol):
    """Reads the frames of one venue about the markets that were subscribed to."""

    @property
    def name(self) -> str:
        """What the rows call the venue."""

    def read(self, frame: bytes | str, now: datetime) -> Heard:
        """Return what a frame says; `now` is when it came, the time of what says none.

        Raises:
            SourceMalformed: It is not what the venue documents, or is of another market.
        """


def table_of(dataset: str, heard: Iterable[Heard]) -> pl.DataFrame:
    """Return the rows of one dataset that many frames said, in the order they came."""
    return rows_of(dataset, (row for each in heard if each.dataset == dataset for row in each.rows))
