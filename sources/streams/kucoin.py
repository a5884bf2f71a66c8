"""KuCoin's public topics of spot markets.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction and its neighbours; older text:
https://www.kucoin.com/docs/websocket/spot-trading/public-channels/ticker

Read are `/market/match`, `/market/ticker` of named markets, `/market/candles` (closed ones),
`/market/level2` and the books of `/spotMarket/level2Depth5` and `…50`. A candle does not say
whether it has closed: it has if it ended before the message's time, in nanoseconds. A trade's
number is its place in the market's sequence, as in REST. We have to ping; the venue does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sources.shapes import Count, Millis, from_millis
from sources.streams.heard import Heard
from sources.streams.wire import Nanos, Wire, has_closed
from sources.venues.kucoin import INTERVALS, native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sources.streams.heard import Level

_OURS = {theirs: ours for ours, theirs in INTERVALS.items()}
_SIDES = {"buy": "buy", "sell": "sell"}
_QUIET = frozenset({"welcome", "ack", "pong"})
_NANO = 1_000_000_000


class _Head(msgspec.Struct):
    type: str
    topic: str | None = None
    data: msgspec.Raw = msgspec.Raw()


class _Match(msgspec.Struct):
    symbol: str
    sequence: str
    price: str
    size: str
    side: str
    time: str  # nanoseconds


class _Ticker(msgspec.Struct):
    price: str
    time: Millis
    bid: str | None = msgspec.field(name="bestBid")
    bid_size: str | None = msgspec.field(name="bestBidSize")
    ask: str | None = msgspec.field(name="bestAsk")
    ask_size: str | None = msgspec.field(name="bestAskSize")


class _Candle(msgspec.Struct):
    """Its fields are time, open, close, high, low, volume, turnover."""

    symbol: str
    time: Nanos
    candles: tuple[str, str, str, str, str, str, str]


class _Levels(msgspec.Struct):
    bids: list[tuple[str, str, str]]
    asks: list[tuple[str, str, str]]


class _Level2(msgspec.Struct):
    symbol: str
    changes: _Levels
    first: Count = msgspec.field(name="sequenceStart")
    last: Count = msgspec.field(name="sequenceEnd")
    time: Millis | None = None  # recordings of 2021 have none


class _Depth(msgspec.Struct):
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    timestamp: Millis


_head = msgspec.json.Decoder(_Head)
_error = msgspec.json.Decoder(str)
_match = msgspec.json.Decoder(_Match)
_ticker = msgspec.json.Decoder(_Ticker)
_candle = msgspec.json.Decoder(_Candle)
_level2 = msgspec.json.Decoder(_Level2)
_depth = msgspec.json.Decoder(_Depth)


class KuCoinStream:
    """Implements `sources.streams.heard.Stream`."""

    name = "kucoin"

    def __init__(self, symbols: Iterable[str]) -> None:
        self._wire = Wire(self.name, symbols, native)
        self._readers: dict[str, Callable[[str, bytes], Heard]] = {
            "/market/match": self._match,
            "/market/ticker": self._ticker,
            "/market/candles": self._candle,
            "/market/level2": self._level2,
            "/spotMarket/level2Depth5": self._depth,
            "/spotMarket/level2Depth50": self._depth,
        }

    def read(self, frame: bytes | str, now: datetime) -> Heard:
        """Return what a frame says."""
        del now
        head = self._wire.decode(_head, frame)
        if head.type in _QUIET:
            return Heard(head.type)
        data = bytes(head.data)
        if head.type == "error":
            return Heard("error", note=self._wire.decode(_error, data))
        topic, _, subject = (head.topic or "").partition(":")
        if head.type != "message" or topic not in self._readers:
            raise self._wire.malformed(
                f"expected a topic that we know, was {head.type[:40]!r} {topic[:40]!r}"
            )
        return self._readers[topic](subject, data)

    def _symbol(self, subject: str, named: str) -> str:
        """Return the market of a frame, whose topic and data both name it."""
        if named != subject:
            raise self._wire.malformed(f"expected {subject[:40]!r}, was {named[:40]!r}")
        return self._wire.symbol(named)

    def _match(self, subject: str, data: bytes) -> Heard:
        read = self._wire.decode(_match, data)
        row = self._wire.trade(
            self._symbol(subject, read.symbol),
            str(self._wire.count(read.sequence, "sequence")),
            self._wire.moment(self._wire.count(read.time, "time"), _NANO),
            (read.price, read.size),
            _SIDES.get(read.side),
        )
        return Heard("match", "market_trades", (row,))

    def _ticker(self, subject: str, data: bytes) -> Heard:
        read = self._wire.decode(_ticker, data)
        texts = {
            "last": read.price,
            "bid": read.bid,
            "bid_size": read.bid_size,
            "ask": read.ask,
            "ask_size": read.ask_size,
        }
        row = self._wire.ticker(self._wire.symbol(subject), from_millis(read.time), texts)
        return Heard("ticker", "tickers", (row,))

    def _candle(self, subject: str, data: bytes) -> Heard:
        read = self._wire.decode(_candle, data)
        market, _, kind = subject.rpartition("_")
        symbol = self._symbol(market, read.symbol)
        if kind not in _OURS:  # such as 1week
            return Heard("candles", "candles")
        names = ("open", "close", "high", "low", "volume", "quote_volume")
        opens, *texts = read.candles
        columns = {
            name: self._wire.number(text, name) for name, text in zip(names, texts, strict=True)
        }
        row = self._wire.bar(symbol, _OURS[kind], self._wire.seconds(opens), columns)
        at = self._wire.moment(read.time, _NANO)
        closed = has_closed(row["open_time"], _OURS[kind], at)
        return Heard("candles", "candles", (row,) if closed else ())

    def _level2(self, subject: str, data: bytes) -> Heard:
        read = self._wire.decode(_level2, data)
        change = self._wire.change(
            self._symbol(subject, read.symbol),
            None if read.time is None else from_millis(read.time),
            (self._changed(read.changes.bids), self._changed(read.changes.asks)),
            first=read.first,
            last=read.last,
        )
        return Heard("level2", changes=(change,))

    def _changed(self, side: list[tuple[str, str, str]]) -> list[Level]:
        """Return what changed; a price of 0 only moves the sequence on, as documented."""
        return self._wire.levels(level for level in side if self._wire.number(level[0], "price"))

    def _depth(self, subject: str, data: bytes) -> Heard:
        read = self._wire.decode(_depth, data)
        sides = (self._wire.levels(read.bids), self._wire.levels(read.asks))
        row = self._wire.book(self._wire.symbol(subject), from_millis(read.timestamp), sides)
        return Heard("level2Depth", "order_books", (row,))
