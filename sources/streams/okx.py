"""OKX's public channels of spot markets.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-tickers-channel and its neighbours

Read are `tickers`, `trades` and `trades-all`, `books` and its kin, and `candle…` (closed ones).
Entries have the form that REST answers have. A candle's last field says whether it has closed. Of
books, a frame says whether it is a snapshot or an update; those of `books5` and `bbo-tbt` are
always whole. We have to send `ping` where it is quiet; the venue answers `pong`, which is no
JSON. A frame of `trades` may hold several trades of one taker as one, under the number of the
last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sources.shapes import Count
from sources.streams.heard import Heard, Row
from sources.streams.wire import Wire
from sources.venues.okx import INTERVALS, Bar, Quote, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

_OURS = {f"candle{theirs}": ours for ours, theirs in INTERVALS.items()}
_BOOKS = frozenset({"books", "books-l2-tbt", "books50-l2-tbt"})
_WHOLE = frozenset({"books5", "bbo-tbt"})
_SIDES = {"buy": "buy", "sell": "sell"}
_QUIET = frozenset({"subscribe", "unsubscribe", "channel-conn-count"})
_TELLING = frozenset({"error", "notice"})
_MILLI = 1_000


class _Arg(msgspec.Struct):
    channel: str
    market: str = msgspec.field(name="instId")


class _Head(msgspec.Struct):
    event: str | None = None
    msg: str | None = None
    action: str | None = None
    arg: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()


class _Levels(msgspec.Struct):
    """A book or what changed in it; recordings of 2022 have no numbers of its states."""

    ts: str
    bids: list[list[str]]
    asks: list[list[str]]
    checksum: Count | None = None
    last: Count | None = msgspec.field(name="seqId", default=None)
    previous: Count | None = msgspec.field(name="prevSeqId", default=None)


_head = msgspec.json.Decoder(_Head)
_arg = msgspec.json.Decoder(_Arg)
_quotes = msgspec.json.Decoder(list[Quote])
_trades = msgspec.json.Decoder(list[Trade])
_bars = msgspec.json.Decoder(list[Bar])
_books = msgspec.json.Decoder(list[_Levels])


class OkxStream:
    """Implements `sources.streams.heard.Stream`."""

    name = "okx"

    def __init__(self, symbols: Iterable[str]) -> None:
        self._wire = Wire(self.name, symbols, str)
        self._readers: dict[str, tuple[str, Callable[[bytes, str], list[Row]]]] = {
            "tickers": ("tickers", self._tickers),
            "trades": ("market_trades", self._trades),
            "trades-all": ("market_trades", self._trades),
        }

    def read(self, frame: bytes | str, now: datetime) -> Heard:
        """Return what a frame says."""
        del now
        if frame in {b"pong", "pong"}:
            return Heard("pong")
        head = self._wire.decode(_head, frame)
        if head.event in _QUIET:
            return Heard(str(head.event))
        if head.event in _TELLING:
            return Heard(str(head.event), note=head.msg)
        arg = self._wire.decode(_arg, bytes(head.arg))
        kind, data = arg.channel, bytes(head.data)
        symbol = self._wire.symbol(arg.market)
        if kind in _BOOKS or kind in _WHOLE:
            return self._book(kind, head.action, data, symbol)
        if kind in _OURS:
            return Heard(kind, "candles", tuple(self._candles(data, symbol, _OURS[kind])))
        if kind not in self._readers:
            raise self._wire.malformed(f"expected a channel that we know, was {kind[:40]!r}")
        dataset, reader = self._readers[kind]
        return Heard(kind, dataset, tuple(reader(data, symbol)))

    def _time(self, text: str) -> datetime:
        return self._wire.moment(self._wire.count(text, "ts"), _MILLI)

    def _of(self, symbol: str, market: str) -> str:
        """Return the market of an entry, which names it once more."""
        if self._wire.symbol(market) != symbol:
            raise self._wire.malformed(f"expected an entry of {symbol}, was of {market}")
        return symbol

    def _tickers(self, data: bytes, symbol: str) -> list[Row]:
        return [
            self._wire.ticker(
                self._of(symbol, quote.instrument),
                self._time(quote.ts),
                {
                    "last": quote.last,
                    "bid": quote.bid,
                    "bid_size": quote.bid_size,
                    "ask": quote.ask,
                    "ask_size": quote.ask_size,
                    "open_24h": quote.open,
                    "high_24h": quote.high,
                    "low_24h": quote.low,
                    "volume_24h": quote.volume,
                    "quote_volume_24h": quote.value,
                },
            )
            for quote in self._wire.decode(_quotes, data)
        ]

    def _trades(self, data: bytes, symbol: str) -> list[Row]:
        return [
            self._wire.trade(
                self._of(symbol, trade.instrument),
                str(self._wire.count(trade.number, "tradeId")),
                self._time(trade.ts),
                (trade.px, trade.sz),
                _SIDES.get(trade.side),
            )
            for trade in self._wire.decode(_trades, data)
        ]

    def _candles(self, data: bytes, symbol: str, interval: str) -> list[Row]:
        rows = []
        for bar in self._wire.decode(_bars, data):
            if bar[8] not in {"0", "1"}:
                raise self._wire.malformed(f"expected a bar's 0 or 1, was {bar[8][:40]!r}")
            texts = dict(zip(("open", "high", "low", "close", "volume"), bar[1:6], strict=True))
            texts["quote_volume"] = bar[7]
            columns = {name: self._wire.number(text, name) for name, text in texts.items()}
            if bar[8] == "1":
                rows.append(self._wire.bar(symbol, interval, self._time(bar[0]), columns))
        return rows

    def _book(self, kind: str, action: str | None, data: bytes, symbol: str) -> Heard:
        """Read one book or more of one market; a level's third and fourth field are no size."""
        if (action is None) != (kind in _WHOLE) or action not in {None, "snapshot", "update"}:
            raise self._wire.malformed(f"{kind}: expected snapshot or update, was {action!r}")
        books = [
            (
                each,
                self._time(each.ts),
                (self._wire.levels(each.bids), self._wire.levels(each.asks)),
            )
            for each in self._wire.decode(_books, data)
        ]
        if action == "update":
            changes = tuple(
                self._wire.change(
                    symbol,
                    time,
                    sides,
                    last=each.last,
                    previous=each.previous,
                    checksum=each.checksum,
                )
                for each, time, sides in books
            )
            return Heard(kind, changes=changes)
        rows = tuple(self._wire.book(symbol, time, sides, each.last) for each, time, sides in books)
        return Heard(kind, "order_books", rows)
