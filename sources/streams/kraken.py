"""Kraken's public feeds of its first socket API, whose frames are arrays.

https://docs.kraken.com/api/docs/guides/spot-ws-intro (version 1: `wss://ws.kraken.com`)

Read are `trade`, `ticker` and `book-N`; `ohlc-N` is not, since nothing in it tells that a bar has
closed, nor is `spread`. A frame of a feed is channel, one or two payloads, the feed's name and
the market. Tickers and whole books say no time. **Trades carry no number here**: a row's is made
of all that the trade says, so that a frame that comes twice is one; it is not the number that
REST gives, so that a market's trades should be collected one way or the other.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from sources.streams.heard import Heard, Row
from sources.streams.wire import Wire
from sources.venues.kraken import socket_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


_SIDES = {"b": "buy", "s": "sell"}
_QUIET = frozenset({"heartbeat", "pong"})
_TELLING = frozenset({"systemStatus", "subscriptionStatus", "error"})
_UNREAD = ("ohlc", "spread")

# price, volume, seconds, buy or sell, market or limit, notes
_Trade = tuple[str, str, str, str, str, str]


class _Event(msgspec.Struct):
    event: str
    status: str | None = None
    message: str | None = msgspec.field(name="errorMessage", default=None)


class _Ticker(msgspec.Struct):
    """What has two entries is of today and of the last 24 hours."""

    a: tuple[str, int | str, str]
    b: tuple[str, int | str, str]
    c: tuple[str, str]
    v: tuple[str, str]
    l: tuple[str, str]  # noqa: E741 - the venue's name
    h: tuple[str, str]
    o: tuple[str, str]


class _Book(msgspec.Struct):
    """A part of a frame of a book: all of it (`as`, `bs`), or what changed on one side or both."""

    a: list[list[str]] | None = None
    b: list[list[str]] | None = None
    c: str | None = None  # the checksum of the book after it
    all_asks: list[list[str]] | None = msgspec.field(name="as", default=None)
    all_bids: list[list[str]] | None = msgspec.field(name="bs", default=None)


_event = msgspec.json.Decoder(_Event)
_parts = msgspec.json.Decoder(list[msgspec.Raw])
_text = msgspec.json.Decoder(str)
_trades = msgspec.json.Decoder(list[_Trade])
_ticker = msgspec.json.Decoder(_Ticker)
_book = msgspec.json.Decoder(_Book)


class KrakenStream:
    """Implements `sources.streams.heard.Stream`."""

    name = "kraken"

    def __init__(self, symbols: Iterable[str]) -> None:
        self._wire = Wire(self.name, symbols, socket_name)

    def read(self, frame: bytes | str, now: datetime) -> Heard:
        """Return what a frame says."""
        if frame[:1] in {b"{", "{"}:
            return self._said(frame)
        parts = [bytes(part) for part in self._wire.decode(_parts, frame)]
        if len(parts) not in {4, 5}:
            raise self._wire.malformed(f"expected an array of 4 or 5, was of {len(parts)}")
        feed = self._wire.decode(_text, parts[-2])
        symbol = self._wire.symbol(self._wire.decode(_text, parts[-1]))
        kind, _, _ = feed.partition("-")
        payloads = parts[1:-2]
        if kind == "book":
            return self._books(symbol, payloads, now)
        if kind in _UNREAD:
            return Heard(kind)
        if len(payloads) > 1 or kind not in {"trade", "ticker"}:
            raise self._wire.malformed(f"expected a feed that we know, was {feed[:40]!r}")
        if kind == "trade":
            return Heard(kind, "market_trades", tuple(self._trades(symbol, payloads[0])))
        return Heard(kind, "tickers", (self._ticker(symbol, payloads[0], now),))

    def _said(self, frame: bytes | str) -> Heard:
        """Read what is of no market."""
        read = self._wire.decode(_event, frame)
        if read.event in _QUIET:
            return Heard(read.event)
        if read.event in _TELLING:
            return Heard(read.event, note=read.message or read.status)
        raise self._wire.malformed(f"expected an event that we know, was {read.event[:40]!r}")

    def _trades(self, symbol: str, payload: bytes) -> list[Row]:
        trades = self._wire.decode(_trades, payload)
        seen: Counter[_Trade] = Counter()
        rows = []
        for trade in trades:
            price, amount, seconds, side, *_ = trade
            number = f"{seconds}-{side}-{price}-{amount}-{seen[trade]}"
            seen[trade] += 1
            time = self._wire.seconds(seconds)
            rows.append(self._wire.trade(symbol, number, time, (price, amount), _SIDES.get(side)))
        return rows

    def _ticker(self, symbol: str, payload: bytes, now: datetime) -> Row:
        read = self._wire.decode(_ticker, payload)
        texts = {
            "last": read.c[0],
            "bid": read.b[0],
            "bid_size": read.b[2],
            "ask": read.a[0],
            "ask_size": read.a[2],
            "open_24h": read.o[1],
            "high_24h": read.h[1],
            "low_24h": read.l[1],
            "volume_24h": read.v[1],
        }
        return self._wire.ticker(symbol, now, texts)

    def _books(self, symbol: str, payloads: list[bytes], now: datetime) -> Heard:
        parts = [self._wire.decode(_book, payload) for payload in payloads]
        whole = parts[0]
        if whole.all_asks is not None and whole.all_bids is not None and len(parts) == 1:
            sides = (self._wire.levels(whole.all_bids), self._wire.levels(whole.all_asks))
            return Heard("book", "order_books", (self._wire.book(symbol, now, sides),))
        bids = [level for part in parts for level in part.b or ()]
        asks = [level for part in parts for level in part.a or ()]
        if not bids and not asks:
            raise self._wire.malformed("expected a book or what changed in it, was neither")
        sides = (self._wire.levels(bids), self._wire.levels(asks))
        checksums = [self._wire.count(part.c, "checksum") for part in parts if part.c is not None]
        time = max(self._changed(level) for level in (*bids, *asks))
        change = self._wire.change(
            symbol, time, sides, checksum=checksums[-1] if checksums else None
        )
        return Heard("book", changes=(change,))

    def _changed(self, level: list[str]) -> datetime:
        """Return when a level changed: its third field, after price and volume."""
        if len(level) < 3:
            raise self._wire.malformed(f"expected price, volume and time, was {len(level)} fields")
        return self._wire.seconds(level[2])
