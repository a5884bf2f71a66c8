"""HTX's (formerly Huobi's) public topics of spot markets.

https://www.htx.com/en-us/opend/newApiPages/ (websocket market data); older text:
https://huobiapi.github.io/docs/spot/v1/en/#websocket-market-data

Frames are gzip. **A ping has to be answered** with its own number, or the venue hangs up. Read
are `trade.detail`, `depth.step…`, `kline.…` (closed ones), `ticker` and `bbo`; `detail` and
`mbp…` are not. Numbers are JSON numbers. A bar does not say whether it has closed: it has if it
ended before the frame's `ts`. Days begin at midnight in Singapore and are no bars of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sources.shapes import Count, Millis, from_millis, from_seconds
from sources.streams.heard import Heard, Row
from sources.streams.wire import Wire, has_closed
from sources.unpack import gunzip
from sources.venues.htx import INTERVALS, Bar, Levels, native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

AT_MOST = 16 * 1024 * 1024  # bytes of one frame, unpacked
_OURS = {theirs: ours for ours, theirs in INTERVALS.items()}
_SIDES = {"buy": "buy", "sell": "sell"}
_UNREAD = ("detail", "mbp")


class _Head(msgspec.Struct):
    """A topic's frame, a ping, or the answer to a subscription."""

    ping: Count | None = None
    status: str | None = None
    ch: str | None = None
    ts: Millis | None = None
    tick: msgspec.Raw = msgspec.Raw()
    message: str | None = msgspec.field(name="err-msg", default=None)


class _Trade(msgspec.Struct):
    ts: Millis
    price: float
    amount: float
    direction: str
    number: Count = msgspec.field(name="tradeId")


class _Trades(msgspec.Struct):
    data: list[_Trade]


class _Ticker(msgspec.Struct):
    """The last 24 hours."""

    open: float
    high: float
    low: float
    amount: float
    vol: float
    bid: float
    ask: float
    last: float = msgspec.field(name="lastPrice")
    bid_size: float = msgspec.field(name="bidSize")
    ask_size: float = msgspec.field(name="askSize")


class _Best(msgspec.Struct):
    symbol: str
    bid: float
    ask: float
    time: Millis = msgspec.field(name="quoteTime")
    bid_size: float = msgspec.field(name="bidSize")
    ask_size: float = msgspec.field(name="askSize")


_head = msgspec.json.Decoder(_Head)
_trades = msgspec.json.Decoder(_Trades)
_levels = msgspec.json.Decoder(Levels)
_bar = msgspec.json.Decoder(Bar)
_ticker = msgspec.json.Decoder(_Ticker)
_best = msgspec.json.Decoder(_Best)


class HtxStream:
    """Implements `sources.streams.heard.Stream`; a frame that is text was unpacked already."""

    name = "htx"

    def __init__(self, symbols: Iterable[str]) -> None:
        self._wire = Wire(self.name, symbols, native)
        self._readers: dict[str, Callable[[str, bytes, datetime], Heard]] = {
            "trade": self._trades,
            "depth": self._depth,
            "ticker": self._ticker,
            "bbo": self._best,
        }

    def read(self, frame: bytes | str, now: datetime) -> Heard:
        """Return what a frame says; what is to be kept names its market and its time."""
        del now
        if isinstance(frame, bytes):
            frame = gunzip(frame, self._wire.malformed, at_most=AT_MOST)
        head = self._wire.decode(_head, frame)
        if head.ping is not None:
            return Heard("ping", reply=f'{{"pong":{head.ping}}}')
        if head.status is not None:
            return Heard("subscribed" if head.status == "ok" else "error", note=head.message)
        if head.ch is None or head.ts is None:
            raise self._wire.malformed("expected a topic and a time, was neither")
        return self._topic(head.ch, from_millis(head.ts), bytes(head.tick))

    def _topic(self, topic: str, at: datetime, tick: bytes) -> Heard:
        """Read a frame of `market.<symbol>.<kind>[.<which>]`."""
        room, market, kind, which = (*topic.split(".", 3), "", "", "")[:4]
        if room != "market":
            raise self._wire.malformed(f"expected a topic of a market, was {topic[:40]!r}")
        symbol = self._wire.symbol(market)
        if kind == "kline":
            return self._kline(symbol, which, at, tick)
        if kind in _UNREAD:
            return Heard(kind)
        if kind not in self._readers:
            raise self._wire.malformed(f"expected a topic that we know, was {topic[:40]!r}")
        return self._readers[kind](symbol, tick, at)

    def _trades(self, symbol: str, tick: bytes, at: datetime) -> Heard:
        del at
        rows: list[Row] = [
            {
                "venue": self.name,
                "symbol": symbol,
                "trade_id": str(trade.number),
                "time": from_millis(trade.ts),
                "price": trade.price,
                "amount": trade.amount,
                "side": _SIDES.get(trade.direction),
            }
            for trade in self._wire.decode(_trades, tick).data
        ]
        return Heard("trade", "market_trades", tuple(rows))

    def _depth(self, symbol: str, tick: bytes, at: datetime) -> Heard:
        del at
        read = self._wire.decode(_levels, tick)
        sides = (self._wire.sound(read.bids), self._wire.sound(read.asks))
        row = self._wire.book(symbol, from_millis(read.ts), sides, read.version)
        return Heard("depth", "order_books", (row,))

    def _kline(self, symbol: str, period: str, at: datetime, tick: bytes) -> Heard:
        read = self._wire.decode(_bar, tick)
        interval, opens = _OURS.get(period), from_seconds(read.id)
        if interval is None or not has_closed(opens, interval, at):
            return Heard("kline", "candles")
        prices = {name: getattr(read, name) for name in ("open", "high", "low", "close")}
        sums = {"volume": read.amount, "quote_volume": read.vol, "trades": read.count}
        row = self._wire.bar(symbol, interval, opens, prices | sums)
        return Heard("kline", "candles", (row,))

    def _ticker(self, symbol: str, tick: bytes, at: datetime) -> Heard:
        read = self._wire.decode(_ticker, tick)
        row: Row = {"venue": self.name, "symbol": symbol, "time": at}
        row |= {
            name: getattr(read, name) for name in ("last", "bid", "bid_size", "ask", "ask_size")
        }
        row |= {f"{name}_24h": getattr(read, name) for name in ("open", "high", "low")}
        row |= {"volume_24h": read.amount, "quote_volume_24h": read.vol}
        return Heard("ticker", "tickers", (row,))

    def _best(self, symbol: str, tick: bytes, at: datetime) -> Heard:
        del at
        read = self._wire.decode(_best, tick)
        if self._wire.symbol(read.symbol) != symbol:
            raise self._wire.malformed(f"expected prices of {symbol}, was {read.symbol[:40]!r}")
        row: Row = {"venue": self.name, "symbol": symbol, "time": from_millis(read.time)}
        row |= {name: getattr(read, name) for name in ("bid", "bid_size", "ask", "ask_size")}
        return Heard("bbo", "tickers", (row,))
