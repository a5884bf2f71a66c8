"""Coinbase Advanced Trade's public channels.

https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels

Read are `market_trades`, `ticker` and `ticker_batch`, `candles` (of five minutes, the only ones)
and `l2_data`; `heartbeats`, `subscriptions` and `status` carry nothing to keep. Frames are
numbered on their connection. A candle does not say whether it has closed: it has if it ended
before the frame was made. The side of a trade is its maker's, as in REST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sources.shapes import Count, Moment
from sources.streams.heard import Change, Heard, Row
from sources.streams.wire import Wire, has_closed
from sources.venues.coinbase import TAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sources.streams.heard import Level

BAR = "5m"
_QUIET = frozenset({"heartbeats", "subscriptions", "status"})


class _Head(msgspec.Struct):
    channel: str | None = None
    type: str | None = None  # of an error, which has no channel
    message: str | None = None


class _Trade(msgspec.Struct):
    product_id: str
    trade_id: str
    price: str
    size: str
    time: Moment
    side: str


class _Ticker(msgspec.Struct):
    product_id: str
    price: str
    volume_24_h: str
    low_24_h: str
    high_24_h: str
    best_bid: str
    best_ask: str
    best_bid_quantity: str
    best_ask_quantity: str


class _Candle(msgspec.Struct):
    product_id: str
    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class _Update(msgspec.Struct):
    side: str
    price_level: str
    new_quantity: str


class _Trades(msgspec.Struct):
    trades: list[_Trade]


class _Tickers(msgspec.Struct):
    tickers: list[_Ticker]


class _Candles(msgspec.Struct):
    candles: list[_Candle]


class _Book(msgspec.Struct):
    type: str
    product_id: str
    updates: list[_Update]


class _Frame(msgspec.Struct):
    timestamp: Moment
    sequence_num: Count
    events: msgspec.Raw


_head = msgspec.json.Decoder(_Head)
_frame = msgspec.json.Decoder(_Frame)
_trades = msgspec.json.Decoder(list[_Trades])
_tickers = msgspec.json.Decoder(list[_Tickers])
_candles = msgspec.json.Decoder(list[_Candles])
_books = msgspec.json.Decoder(list[_Book])


class CoinbaseStream:
    """Implements `sources.streams.heard.Stream`."""

    name = "coinbase"

    def __init__(self, symbols: Iterable[str]) -> None:
        self._wire = Wire(self.name, symbols, str)
        self._readers: dict[str, tuple[str, Callable[[bytes, datetime], list[Row]]]] = {
            "market_trades": ("market_trades", self._trades),
            "ticker": ("tickers", self._tickers),
            "ticker_batch": ("tickers", self._tickers),
            "candles": ("candles", self._candles),
        }

    def read(self, frame: bytes | str, now: datetime) -> Heard:
        """Return what a frame says; all but errors say when they were made."""
        del now
        head = self._wire.decode(_head, frame)
        if head.channel is None and head.type == "error":
            return Heard("error", note=head.message)
        read = self._wire.decode(_frame, frame)
        kind, events, at = head.channel, bytes(read.events), self._wire.utc(read.timestamp)
        number = read.sequence_num
        if kind in _QUIET:
            return Heard(str(kind), sequence=number)
        if kind == "l2_data":
            rows, changes = self._books(events, at)
            return Heard(kind, "order_books", tuple(rows), tuple(changes), sequence=number)
        if kind not in self._readers:
            raise self._wire.malformed(f"expected a channel that we know, was {str(kind)[:40]!r}")
        dataset, reader = self._readers[kind]
        return Heard(kind, dataset, tuple(reader(events, at)), sequence=number)

    def _trades(self, events: bytes, at: datetime) -> list[Row]:
        """Return trades; the newest comes first, as the venue sends them."""
        del at
        return [
            self._wire.trade(
                self._wire.symbol(trade.product_id),
                trade.trade_id,
                self._wire.utc(trade.time),
                (trade.price, trade.size),
                TAKERS.get(trade.side),
            )
            for event in self._wire.decode(_trades, events)
            for trade in event.trades
        ]

    def _tickers(self, events: bytes, at: datetime) -> list[Row]:
        return [
            self._wire.ticker(
                self._wire.symbol(each.product_id),
                at,
                {
                    "last": each.price,
                    "bid": each.best_bid,
                    "ask": each.best_ask,
                    "bid_size": each.best_bid_quantity,
                    "ask_size": each.best_ask_quantity,
                    "high_24h": each.high_24_h,
                    "low_24h": each.low_24_h,
                    "volume_24h": each.volume_24_h,
                },
            )
            for event in self._wire.decode(_tickers, events)
            for each in event.tickers
        ]

    def _candles(self, events: bytes, at: datetime) -> list[Row]:
        bars = [bar for event in self._wire.decode(_candles, events) for bar in event.candles]
        rows = [self._bar(bar) for bar in bars]
        return [row for row in rows if has_closed(row["open_time"], BAR, at)]

    def _bar(self, bar: _Candle) -> Row:
        names = ("open", "high", "low", "close", "volume")
        columns = {name: self._wire.number(getattr(bar, name), name) for name in names}
        opens = self._wire.seconds(bar.start)
        return self._wire.bar(self._wire.symbol(bar.product_id), BAR, opens, columns)

    def _books(self, events: bytes, at: datetime) -> tuple[list[Row], list[Change]]:
        """Return whole books and what changed in others; levels of a book come best first."""
        rows: list[Row] = []
        changes: list[Change] = []
        for event in self._wire.decode(_books, events):
            symbol = self._wire.symbol(event.product_id)
            bids, asks = self._side(event, "bid"), self._side(event, "offer")
            if len(bids) + len(asks) != len(event.updates):
                raise self._wire.malformed("expected levels of bid and offer only")
            if event.type == "snapshot":
                sides = (sorted(bids, reverse=True), sorted(asks))
                rows.append(self._wire.book(symbol, at, sides))
            elif event.type == "update":
                changes.append(self._wire.change(symbol, at, (bids, asks)))
            else:
                raise self._wire.malformed(f"expected a snapshot or an update, was {event.type!r}")
        return rows, changes

    def _side(self, event: _Book, side: str) -> list[Level]:
        return self._wire.levels(
            (each.price_level, each.new_quantity) for each in event.updates if each.side == side
        )
