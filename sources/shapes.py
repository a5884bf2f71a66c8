"""Types of numbers on the wire, bounded by what our columns hold, and rows made of answers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import polars as pl

from core.clock import from_micros
from core.datasets import dataset_named
from core.errors import SourceMalformed
from sources.numbers import floats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LAST_SECOND = 253_402_300_799  # of the year 9999

Count = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND)]
# Up to the year 9999: microseconds where milliseconds were agreed are refused.
Millis = Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND * 1_000 + 999)]
# A time as text must say its zone.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def from_seconds(seconds: int) -> datetime:
    """Return the UTC time of a count of seconds since the epoch."""
    return from_micros(seconds * 1_000_000)


def from_millis(millis: int) -> datetime:
    """Return the UTC time of a count of milliseconds since the epoch."""
    return from_micros(millis * 1_000)


def rows_of(dataset: str, records: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return records as rows with the dataset's types; what no record has is left out."""
    columns = dataset_named(dataset).columns
    kept = list(records)
    named = {name for record in kept for name in record} or set(columns)
    schema = {name: kind for name, kind in columns.items() if name in named}
    return pl.DataFrame(kept, schema=schema, orient="row", strict=True)


def read_numbers(texts: Sequence[str | None], source: str, place: str) -> list[float | None]:
    """Return numbers that were sent as text; raise `SourceMalformed` naming a misprint's place."""
    column = pl.Series(place, texts, pl.String)
    return floats(column, lambda reason: SourceMalformed(source, reason)).to_list()


def read_number(text: str, source: str, place: str) -> float:
    """Return a number that was sent as text; raise `SourceMalformed` where it is none."""
    number = read_numbers([text], source, place)[0]
    if number is None:
        raise SourceMalformed(source, f"{place}: expected a number, was nothing")
    return number
