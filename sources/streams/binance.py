"""Binance's public streams, spot and USDⓈ-margined futures.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams

Frames come bare, or inside of `{"stream": …, "data": …}` where streams share a socket. Read are
`trade`, `aggTrade`, `kline` (closed ones), `bookTicker`, `24hrTicker`, `depthUpdate`, and the
books of `@depth5`, `@depth10` and `@depth20`, which say their market only in the stream's name.
Times are milliseconds; spot's `bookTicker` and its books have none. A kline says whether it has
closed. The venue's pings are the protocol's own, answered by what keeps the socket.

An `aggTrade` is what one order took at one price: of one trade it is that trade, of more its
number is those of the first and the last.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from core.market import INTERVALS
from sources.shapes import Count, Millis, from_millis
from sources.streams.heard import Heard
from sources.streams.wire import Wire
from sources.venues.binance_markets import native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sources.streams.heard import Row

_MARKET = "MARKET"  # a trade of a market; futures also tell what insurance and liquidations did


class _Head(msgspec.Struct):
    """What tells which frame it is: a shared socket's envelope, an event, or an answer to us."""

    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    event: str | None = msgspec.field(name="e", default=None)
    market: str | None = msgspec.field(name="s", default=None)
    state: int | None = msgspec.field(name="lastUpdateId", default=None)
    id: int | str | None = None


class _Trade(msgspec.Struct):
    s: str
    t: Count
    p: str
    q: str
    T: Millis
    m: bool
    X: str = _MARKET


class _AggTrade(msgspec.Struct):
    s: str
    p: str
    q: str
    f: Count
    l: Count  # noqa: E741 - the venue's name
    T: Millis
    m: bool


class _Bar(msgspec.Struct):
    t: Millis
    T: Millis
    s: str
    i: str
    o: str
    h: str
    l: str  # noqa: E741 - the venue's name
    c: str
    v: str
    q: str
    V: str
    n: Count
    x: bool


class _Kline(msgspec.Struct):
    s: str
    k: _Bar


class _Best(msgspec.Struct):
    s: str
    u: Count
    b: str
    B: str
    a: str
    A: str
    E: Millis | None = None


class _Day(msgspec.Struct):
    """The last 24 hours; futures say no best prices here."""

    s: str
    E: Millis
    c: str
    o: str
    h: str
    l: str  # noqa: E741 - the venue's name
    v: str
    q: str
    b: str | None = None
    B: str | None = None
    a: str | None = None
    A: str | None = None


class _Depth(msgspec.Struct):
    s: str
    E: Millis
    U: Count
    u: Count
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    pu: Count | None = None


class _Book(msgspec.Struct):
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    sequence: Count = msgspec.field(name="lastUpdateId")


_head = msgspec.json.Decoder(_Head)
_trade = msgspec.json.Decoder(_Trade)
_agg_trade = msgspec.json.Decoder(_AggTrade)
_kline = msgspec.json.Decoder(_Kline)
_best = msgspec.json.Decoder(_Best)
_day = msgspec.json.Decoder(_Day)
_depth = msgspec.json.Decoder(_Depth)
_book = msgspec.json.Decoder(_Book)
Frame = bytes | str


class BinanceStream:
    """Implements `sources.streams.heard.Stream`; futures are `name="binance_perp"`."""

    def __init__(self, symbols: Iterable[str], name: str = "binance") -> None:
        self.name = name
        self._wire = Wire(name, symbols, native)
        self._readers: dict[str, Callable[[Frame, datetime], Heard]] = {
            "trade": self._trade,
            "aggTrade": self._agg_trade,
            "kline": self._kline,
            "bookTicker": self._best,
            "24hrTicker": self._day,
            "depthUpdate": self._depth,
        }

    def read(self, frame: Frame, now: datetime) -> Heard:
        """Return what a frame says."""
        head = self._wire.decode(_head, frame)
        if head.stream is None:
            return self._event(head, frame, now)
        data = bytes(head.data)
        event = self._wire.decode(_head, data)
        market, _, kind = head.stream.partition("@")
        if event.market is None and event.state is not None and kind.startswith("depth"):
            return self._whole_book(data, market.upper(), now)
        if event.market is None or event.market.lower() != market:
            raise self._wire.malformed(f"expected a frame of {market!r}, was of {event.market!r}")
        return self._event(event, data, now)

    def _event(self, head: _Head, frame: Frame, now: datetime) -> Heard:
        """Read an event; spot's best prices are the one that does not say its name."""
        if head.event is None and head.market is None:
            if head.id is None:
                raise self._wire.malformed("expected a stream's frame, was none")
            return Heard("answer")
        kind = head.event or "bookTicker"
        if kind not in self._readers:
            raise self._wire.malformed(f"expected one of {list(self._readers)}, was {kind[:40]!r}")
        return self._readers[kind](frame, now)

    def _trade(self, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_trade, frame)
        rows = (self._row(read, str(read.t)),)
        return Heard("trade", "market_trades", rows if read.X == _MARKET else ())

    def _agg_trade(self, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_agg_trade, frame)
        if read.l < read.f:
            raise self._wire.malformed(f"expected trades in order, was {read.f} to {read.l}")
        number = str(read.f) if read.f == read.l else f"{read.f}-{read.l}"
        return Heard("aggTrade", "market_trades", (self._row(read, number),))

    def _row(self, read: _Trade | _AggTrade, number: str) -> Row:
        """Return a trade; the taker sold where the buyer was the maker."""
        symbol, time = self._wire.symbol(read.s), from_millis(read.T)
        side = "sell" if read.m else "buy"
        return self._wire.trade(symbol, number, time, (read.p, read.q), side)

    def _kline(self, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_kline, frame)
        bar, symbol = read.k, self._wire.symbol(read.s)
        if bar.s != read.s:
            raise self._wire.malformed(f"expected a bar of {read.s}, was of {bar.s[:40]!r}")
        step = INTERVALS.get(bar.i)
        if step is None or not bar.x:  # such as 1s and 1w; or it still forms
            return Heard("kline", "candles")
        if bar.T - bar.t + 1 != step // timedelta(milliseconds=1):
            raise self._wire.malformed(f"expected a bar of {bar.i}, was {bar.t} to {bar.T}")
        texts = {"open": bar.o, "high": bar.h, "low": bar.l, "close": bar.c, "volume": bar.v}
        texts |= {"quote_volume": bar.q, "taker_buy_volume": bar.V}
        columns = {name: self._wire.number(text, name) for name, text in texts.items()}
        columns["trades"] = bar.n
        row = self._wire.bar(symbol, bar.i, from_millis(bar.t), columns)
        return Heard("kline", "candles", (row,))

    def _best(self, frame: Frame, now: datetime) -> Heard:
        read = self._wire.decode(_best, frame)
        texts = {"bid": read.b, "bid_size": read.B, "ask": read.a, "ask_size": read.A}
        time = now if read.E is None else from_millis(read.E)
        row = self._wire.ticker(self._wire.symbol(read.s), time, texts)
        return Heard("bookTicker", "tickers", (row,))

    def _day(self, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_day, frame)
        texts = {
            "last": read.c,
            "bid": read.b,
            "bid_size": read.B,
            "ask": read.a,
            "ask_size": read.A,
            "open_24h": read.o,
            "high_24h": read.h,
            "low_24h": read.l,
            "volume_24h": read.v,
            "quote_volume_24h": read.q,
        }
        row = self._wire.ticker(self._wire.symbol(read.s), from_millis(read.E), texts)
        return Heard("24hrTicker", "tickers", (row,))

    def _depth(self, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_depth, frame)
        sides = (self._wire.levels(read.b), self._wire.levels(read.a))
        change = self._wire.change(
            self._wire.symbol(read.s),
            from_millis(read.E),
            sides,
            first=read.U,
            last=read.u,
            previous=read.pu,
        )
        return Heard("depthUpdate", changes=(change,))

    def _whole_book(self, frame: Frame, market: str, now: datetime) -> Heard:
        read = self._wire.decode(_book, frame)
        sides = (self._wire.levels(read.bids), self._wire.levels(read.asks))
        row = self._wire.book(self._wire.symbol(market), now, sides, read.sequence)
        return Heard("depth", "order_books", (row,))
