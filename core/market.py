"""Symbols, venues, intervals and spans: how nightjar names a stretch of a market."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from core.clock import floor_to, format_utc, require_utc
from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Ordered from the finest; every one divides a day, so that bars lie on one grid since the epoch.
INTERVALS: dict[str, timedelta] = {
    "1m": timedelta(minutes=1),
    "3m": timedelta(minutes=3),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "2h": timedelta(hours=2),
    "4h": timedelta(hours=4),
    "6h": timedelta(hours=6),
    "8h": timedelta(hours=8),
    "12h": timedelta(hours=12),
    "1d": timedelta(days=1),
}

# Where a row speaks of every symbol of its night at once; never a folder.
ALL_SYMBOLS = "*"

# These names become folders of the lake, so their alphabet is closed: nothing a venue calls
# its symbol can leave the folder it belongs in.
_SYMBOL = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}", re.ASCII)
_VENUE = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


def check_symbol(symbol: str) -> str:
    """Return `symbol` where it is `BASE-QUOTE`; raise `InvalidInput` otherwise."""
    if not _SYMBOL.fullmatch(symbol):
        raise InvalidInput(f"expected a symbol such as BTC-USDT, was {symbol!r}")
    return symbol


def check_venue(venue: str) -> str:
    """Return `venue` where it is a lower-case name; raise `InvalidInput` otherwise."""
    if not _VENUE.fullmatch(venue):
        raise InvalidInput(f"expected a venue in lower case such as binance, was {venue!r}")
    return venue


def check_symbols(symbols: str) -> str:
    """Return `symbols` where it is one symbol, or `*` for all of a night; raise otherwise."""
    return symbols if symbols == ALL_SYMBOLS else check_symbol(symbols)


def interval_step(interval: str) -> timedelta:
    """Return how long one bar of `interval` is."""
    try:
        return INTERVALS[interval]
    except KeyError:
        known = ", ".join(INTERVALS)
        raise InvalidInput(f"expected an interval of {known}, was {interval!r}") from None


class Span(msgspec.Struct, frozen=True, order=True):
    """The bars of one series that open in [start, end)."""

    venue: str
    symbol: str
    interval: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        check_venue(self.venue)
        check_symbol(self.symbol)
        interval_step(self.interval)
        if require_utc(self.end) < require_utc(self.start):
            raise InvalidInput(f"expected a span that ends after it starts, was {self}")

    @property
    def step(self) -> timedelta:
        """How long one bar is."""
        return INTERVALS[self.interval]

    @property
    def bars(self) -> int:
        """How many bars open in the span if none is missing."""
        first = floor_to(self.start + self.step - timedelta(microseconds=1), self.step)
        return max(0, -((first - self.end) // self.step))

    def split(self, bars: int) -> Iterator[Span]:
        """Cut the span into pieces of `bars` bars, the last one shorter."""
        start = self.start
        while start < self.end:
            end = min(self.end, start + bars * self.step)
            yield Span(self.venue, self.symbol, self.interval, start, end)
            start = end

    def __str__(self) -> str:
        return (
            f"{self.venue} {self.symbol} {self.interval} "
            f"{format_utc(self.start)} to {format_utc(self.end)}"
        )


def with_neighbours(holes: Iterable[Span], whole: Span, bars: int) -> list[Span]:
    """Widen each of `holes` by `bars` on both sides, within `whole`; join those that then touch.

    The holes are of one series and in order of time.
    """
    wide: list[Span] = []
    for hole in holes:
        start = max(whole.start, hole.start - bars * hole.step)
        end = min(whole.end, hole.end + bars * hole.step)
        if wide and start <= wide[-1].end:
            start = wide.pop().start
        wide.append(Span(hole.venue, hole.symbol, hole.interval, start, end))
    return wide
