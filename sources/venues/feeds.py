"""What the venues' files share: feeds of one request, rows of strict numbers, errors in a 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import TIME, dataset_named
from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceUnavailable,
)
from core.market import check_symbol
from sources.frames import PRICES, bars
from sources.numbers import float_columns, floats, integers
from sources.provider import Page

if TYPE_CHECKING:
    import httpx

    from core.errors import NightjarError
    from core.market import Span
    from sources.provider import Wanted

    Ask = Callable[[Wanted], httpx.Request]
    Rows = Callable[[bytes, Wanted], pl.DataFrame]
    Next = Callable[[bytes, Wanted, httpx.Request], httpx.Request | None]

SYMBOL = "a symbol such as BTC-USDT"
EVERY = ""  # it takes no subject
MICRO, MILLI, SECOND = 1, 1_000, 1_000_000  # microseconds in a unit of time
_LAST = 253_402_300_799_999_999  # the end of the year 9999 in microseconds
_WORDS = {MICRO: "microseconds", MILLI: "milliseconds", SECOND: "seconds"}

# A cell of an answer: most venues send numbers as text, HTX sends numbers.
Cells = Sequence[Any] | pl.Series


@dataclass(frozen=True)
class Get:
    """A feed of a venue: how it is asked for, and how its answer is read.

    `following` describes the request for the page after an answer; without it there is one page.
    """

    subjects: str
    ask: Ask
    rows: Rows
    following: Next | None = None

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the first page."""
        return self.ask(wanted)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read one answer."""
        rows = self.rows(body, wanted)
        return Page(rows, self.following(body, wanted, request) if self.following else None)


def symbol_of(wanted: Wanted) -> str:
    """Return the symbol that is wanted; raise `InvalidInput` where the subject is none."""
    if wanted.subject is None:
        raise InvalidInput(f"expected {SYMBOL}, was nothing")
    return check_symbol(wanted.subject)


def said(text: str | None) -> str | None:
    """Return what a venue says, None where it says nothing: an empty text, or a time of zero."""
    return text if text not in {"", "0"} else None


def has_a_name(symbol: str) -> bool:
    """Whether a market can be called `symbol` here."""
    try:
        check_symbol(symbol)
    except InvalidInput:
        return False
    return True


def interval_of(span: Span, names: Mapping[str, str]) -> str:
    """Return the venue's word for the span's interval; raise `InvalidInput` with those it has."""
    try:
        return names[span.interval]
    except KeyError:
        known = ", ".join(names)
        raise InvalidInput(
            f"expected an interval of {span.venue}: {known}, was {span.interval!r}"
        ) from None


def malformed(source: str) -> Callable[[str], SourceMalformed]:
    """Return how to say that an answer of `source` is not what it documents."""
    return lambda reason: SourceMalformed(source, reason)


def expect(source: str, what: str, expected: str, was: str) -> None:
    """Refuse an answer that speaks of something else than was asked for."""
    if was != expected:
        raise SourceMalformed(source, f"expected {what} {expected!r}, was {was!r}")


def refusal(
    source: str, code: str, message: str, *, limited: frozenset[str], passing: frozenset[str]
) -> NightjarError:
    """Return the error that a venue's own code in a 200 stands for."""
    if code in limited:
        return RateLimited(source, status=429, retry_after=None)
    if code in passing:
        return SourceUnavailable(source, f"{code} {message}".strip())
    return SourceRejected(source, 200, f"{code}: {message}")


def times(counts: Cells, unit: int, source: str, place: str = "time") -> pl.Series:
    """Return counts of `unit` since the epoch, numbers or their text, as Int64 microseconds.

    A count of a finer unit would be beyond the year 9999, and is malformed; one of a coarser unit
    is a time of 1970, which the gate quarantines.
    """
    column = counts if isinstance(counts, pl.Series) else pl.Series(place, counts, strict=True)
    if column.dtype != pl.Int64:
        column = integers(_unsigned(column.cast(pl.String), source), malformed(source))
    wrong = (column < 0) | (column > _LAST // unit)
    if wrong.any():
        was = column.filter(wrong)[0]
        raise SourceMalformed(source, f"{place}: expected {_WORDS[unit]} since 1970, was {was}")
    return (column * unit).alias(place)


def _unsigned(texts: pl.Series, source: str) -> pl.Series:
    """Refuse a time that is written with a sign."""
    signed = texts.str.contains(r"^[+-]")
    if signed.any():
        raise SourceMalformed(source, f"{texts.name}: was {texts.filter(signed)[0]!r}")
    return texts


def table(dataset: str, source: str, columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return rows of `dataset`: texts become numbers, strictly; a single value fills its column.

    Times are Int64 microseconds (see `times`) or datetimes.

    Raises:
        SourceMalformed: a text is no number; the error names its row and column.
    """
    declared = dataset_named(dataset).columns
    given = {"venue": source, **columns}
    series = {
        name: _column(name, cells, declared[name], source)
        for name, cells in given.items()
        if not _is_one(cells)
    }
    single = [
        pl.lit(value, declared[name]).alias(name) for name, value in given.items() if _is_one(value)
    ]
    return pl.DataFrame(series).with_columns(single).select(*given)


def _is_one(cells: Any) -> bool:
    return isinstance(cells, str) or not isinstance(cells, Sequence | pl.Series)


def _column(name: str, cells: Cells, kind: pl.DataType, source: str) -> pl.Series:
    if isinstance(kind, pl.List):
        levels = [_numbers(name, row, source) for row in cells]
        return pl.Series(name, levels, kind)
    if kind.is_float():
        return _numbers(name, cells, source)
    if kind == TIME and isinstance(cells, pl.Series):
        return cells.cast(TIME).alias(name)
    return pl.Series(name, cells, kind)


def _numbers(name: str, cells: Cells, source: str) -> pl.Series:
    if any(isinstance(cell, str) for cell in cells):
        return floats(pl.Series(name, cells, pl.String), malformed(source))
    return pl.Series(name, cells, pl.Float64)


def quoted(quotes: Sequence[Any]) -> dict[str, list[str | None]]:
    """Return the columns of tickers that say prices and volumes; an empty text is no number.

    Each quote has `last`, `bid`, `ask` with their sizes, and of the last 24 hours `open`, `high`,
    `low`, `volume` and `value`.
    """
    now = {name: name for name in ("last", "bid", "bid_size", "ask", "ask_size")}
    day = {f"{name}_24h": name for name in ("open", "high", "low", "volume")}
    places = now | day | {"quote_volume_24h": "value"}
    return {
        ours: [getattr(quote, theirs) or None for quote in quotes]
        for ours, theirs in places.items()
    }


def maintenance(source: str, events: Sequence[str], wanted: Wanted) -> pl.DataFrame:
    """Return a venue's status from the maintenance that goes on; none is the usual answer."""
    columns = {
        "time": [wanted.now],
        "status": "maintenance" if events else "up",
        "message": "; ".join(events) or None,
    }
    return table("venue_status", source, columns)


def book(
    source: str,
    symbol: str,
    sides: tuple[Sequence[Sequence[Any]], Sequence[Sequence[Any]]],
    *,
    time: Any,
    sequence: int | None = None,
) -> pl.DataFrame:
    """Return one snapshot; `sides` are the bids and the asks, levels of price, size and more."""
    columns: dict[str, Any] = {"symbol": [symbol], "time": time, "sequence": sequence}
    for side, levels in zip(("bid", "ask"), sides, strict=True):
        if any(len(level) < 2 for level in levels):
            raise SourceMalformed(source, f"expected price and size of each {side}")
        columns[f"{side}_prices"] = [[level[0] for level in levels]]
        columns[f"{side}_sizes"] = [[level[1] for level in levels]]
    return table("order_books", source, columns)


def text_bars(
    span: Span,
    opens: pl.Series,
    columns: Mapping[str, Cells],
    *,
    trades: Cells | None = None,
) -> pl.DataFrame:
    """Return bars (`sources.frames.BARS`) from columns of numbers as text.

    `opens` are Int64 microseconds; `columns` has the four prices, `volume`, and what else the
    venue gives.
    """
    missing = [name for name in (*PRICES, "volume") if name not in columns]
    if missing:
        raise InvalidInput(f"expected columns of bars, missing were {missing}")
    text = pl.DataFrame([pl.Series(name, cells, pl.String) for name, cells in columns.items()])
    read = float_columns(text, malformed(span.venue))
    counts = {} if trades is None else {"trades": pl.Series("trades", trades, pl.Int64)}
    return bars(
        {"open_time": opens, **read, **counts},
        venue=span.venue,
        symbol=span.symbol,
        interval=span.interval,
    )


def transposed(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    """Return the columns of rows that are `width` wide, also where there is no row."""
    return list(zip(*rows, strict=True)) or [()] * width
