"""The feed of Coinbase Exchange, known as Coinbase Pro until 2022: the same markets, other words.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels

Read are `match` and `last_match`, `ticker`, `snapshot` and `l2update`. Of the full channel
nothing is kept but its matches. A whole book says no time. The side of a match is its maker's, as
documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sources.shapes import Count, Moment
from sources.streams.heard import Heard
from sources.streams.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

_TAKERS = {"buy": "sell", "sell": "buy"}
_QUIET = frozenset(
    {"heartbeat", "subscriptions", "status", "received", "open", "done", "change", "activate"}
)
Frame = bytes | str


class _Head(msgspec.Struct):
    type: str
    message: str | None = None


class _Match(msgspec.Struct):
    product_id: str
    trade_id: Count
    price: str
    size: str
    side: str
    time: Moment


class _Ticker(msgspec.Struct):
    product_id: str
    price: str
    time: Moment
    open_24h: str
    high_24h: str
    low_24h: str
    volume_24h: str
    best_bid: str
    best_ask: str
    best_bid_size: str | None = None  # recordings of 2021 have no sizes
    best_ask_size: str | None = None


class _Snapshot(msgspec.Struct):
    product_id: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _Update(msgspec.Struct):
    product_id: str
    time: Moment
    changes: list[tuple[str, str, str]]


_head = msgspec.json.Decoder(_Head)
_match = msgspec.json.Decoder(_Match)
_ticker = msgspec.json.Decoder(_Ticker)
_snapshot = msgspec.json.Decoder(_Snapshot)
_update = msgspec.json.Decoder(_Update)


class CoinbaseExchangeStream:
    """Implements `sources.streams.heard.Stream`; its rows are Coinbase's."""

    name = "coinbase"

    def __init__(self, symbols: Iterable[str]) -> None:
        self._wire = Wire(self.name, symbols, str)
        self._readers: dict[str, Callable[[str, Frame, datetime], Heard]] = {
            "match": self._match,
            "last_match": self._match,
            "ticker": self._ticker,
            "snapshot": self._snapshot,
            "l2update": self._update,
        }

    def read(self, frame: Frame, now: datetime) -> Heard:
        """Return what a frame says."""
        head = self._wire.decode(_head, frame)
        kind = head.type
        if kind in _QUIET:
            return Heard(kind)
        if kind == "error":
            return Heard(kind, note=head.message)
        if kind not in self._readers:
            raise self._wire.malformed(f"expected one of {list(self._readers)}, was {kind[:40]!r}")
        return self._readers[kind](kind, frame, now)

    def _match(self, kind: str, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_match, frame)
        row = self._wire.trade(
            self._wire.symbol(read.product_id),
            str(read.trade_id),
            self._wire.utc(read.time),
            (read.price, read.size),
            _TAKERS.get(read.side),
        )
        return Heard(kind, "market_trades", (row,))

    def _ticker(self, kind: str, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_ticker, frame)
        texts = {
            "last": read.price,
            "bid": read.best_bid,
            "ask": read.best_ask,
            "bid_size": read.best_bid_size,
            "ask_size": read.best_ask_size,
            **{name: getattr(read, name) for name in ("open_24h", "high_24h", "low_24h")},
            "volume_24h": read.volume_24h,
        }
        symbol = self._wire.symbol(read.product_id)
        row = self._wire.ticker(symbol, self._wire.utc(read.time), texts)
        return Heard(kind, "tickers", (row,))

    def _snapshot(self, kind: str, frame: Frame, now: datetime) -> Heard:
        read = self._wire.decode(_snapshot, frame)
        sides = (self._wire.levels(read.bids), self._wire.levels(read.asks))
        row = self._wire.book(self._wire.symbol(read.product_id), now, sides)
        return Heard(kind, "order_books", (row,))

    def _update(self, kind: str, frame: Frame, now: datetime) -> Heard:
        del now
        read = self._wire.decode(_update, frame)
        bids, asks = (
            self._wire.levels(level[1:] for level in read.changes if level[0] == side)
            for side in ("buy", "sell")
        )
        if len(bids) + len(asks) != len(read.changes):
            raise self._wire.malformed("expected levels of buy and sell only")
        time, symbol = self._wire.utc(read.time), self._wire.symbol(read.product_id)
        return Heard(kind, changes=(self._wire.change(symbol, time, (bids, asks)),))
