"""Tables of daily prices as CSV: what Stooq sends, and what is saved from Yahoo.

A header names the columns, in any order: `Date` or `Datetime`, `Open`, `High`, `Low`, `Close`, and
`Volume` where there is one. A date is its midnight UTC; a time has to say its zone.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.errors import SourceMalformed, SourceUnavailable
from sources.numbers import excerpt
from sources.shapes import read_numbers, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

PRICES = ("Open", "High", "Low", "Close")
_TIMES = ("Date", "Datetime")


def read_csv(body: bytes, *, venue: str, index: str, interval: str) -> pl.DataFrame:
    """Return the rows of `stock_indices` that a table holds, oldest first.

    Raises:
        SourceUnavailable: the table is cut inside its last line.
        SourceMalformed: a column is missing, or a cell is not what it should be; the text names
            the row, from 1 below the header.
    """
    header, rows = _table(body, venue)
    time = next((header.index(name) for name in _TIMES if name in header), None)
    lacking = [name for name in PRICES if name not in header]
    if time is None or lacking:
        raise SourceMalformed(venue, f"expected columns Date, Open, High, Low, Close, was {header}")
    columns = {
        name.lower(): read_numbers([row[header.index(name)] for row in rows], venue, name)
        for name in (*PRICES, *(("Volume",) if "Volume" in header else ()))
    }
    times = [_moment(row[time], venue, number) for number, row in enumerate(rows, 1)]
    records = [
        {"venue": venue, "index": index, "interval": interval, "time": moment}
        | {name: values[at] for name, values in columns.items()}
        for at, moment in enumerate(times)
    ]
    return rows_of("stock_indices", records).sort("time", maintain_order=True)


def _table(body: bytes, venue: str) -> tuple[list[str], Sequence[list[str]]]:
    try:
        text = body.decode("utf-8-sig")
        lines = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceMalformed(venue, f"expected CSV in UTF-8, was {error}") from None
    if not lines:
        raise SourceUnavailable(venue, "an empty answer")
    header, *rows = lines
    short = next((n for n, row in enumerate(rows, 1) if len(row) != len(header)), None)
    if short == len(rows) and len(rows[-1]) < len(header):
        raise SourceUnavailable(venue, f"a cut answer of {len(body)} bytes")
    if short is not None:
        raise SourceMalformed(venue, f"row {short}: expected {len(header)} cells")
    if not text.endswith("\n"):
        raise SourceUnavailable(venue, "an answer that ends inside a line")
    return header, rows


def _moment(text: str, venue: str, row: int) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or (moment.tzinfo is None and len(text) != len("2026-06-01")):
        raise SourceMalformed(venue, f"row {row}: expected a date, was {excerpt(text)}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
