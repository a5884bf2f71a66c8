"""Coinbase spot: bars, tickers, trades, books and products of Advanced Trade's public endpoints.

https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-product-candles
and its neighbours `list-public-products`, `get-public-market-trades`, `get-public-product-book`;
limits: https://docs.cdp.coinbase.com/coinbase-business/advanced-trade-apis/rest-api (10 a second).

Bars: `start` and `end` are seconds and both belong to what is answered; newest first; at most 350
a request, and more are refused, so that fewer are asked for. A bucket in which nothing was traded
is left out. Nothing marks a bar that still forms. An answer says neither how many trades nor
how much of the quote asset a bar is made of. The side of a trade is its maker's.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from core.clock import to_micros
from sources.answers import decode
from sources.api import Api
from sources.base import Paging
from sources.shapes import Moment
from sources.venues.feeds import (
    EVERY,
    SECOND,
    SYMBOL,
    Get,
    book,
    expect,
    has_a_name,
    interval_of,
    symbol_of,
    table,
    text_bars,
    times,
)

if TYPE_CHECKING:
    import httpx
    import polars as pl

    from core.market import Span
    from sources.provider import Wanted

URL = "https://api.coinbase.com"
MARKET = "/api/v3/brokerage/market"
PAGE = 300
PACE = 5.0
INTERVALS = {
    "1m": "ONE_MINUTE",
    "5m": "FIVE_MINUTE",
    "15m": "FIFTEEN_MINUTE",
    "30m": "THIRTY_MINUTE",
    "1h": "ONE_HOUR",
    "2h": "TWO_HOUR",
    "4h": "FOUR_HOUR",
    "6h": "SIX_HOUR",
    "1d": "ONE_DAY",
}


class _Bar(msgspec.Struct):
    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class _Bars(msgspec.Struct):
    candles: list[_Bar]


class _Trade(msgspec.Struct):
    trade_id: str
    product_id: str
    price: str
    size: str
    time: Moment
    side: str


class _Ticker(msgspec.Struct):
    trades: list[_Trade]
    best_bid: str
    best_ask: str


class _Level(msgspec.Struct):
    price: str
    size: str


class _PriceBook(msgspec.Struct):
    product_id: str
    bids: list[_Level]
    asks: list[_Level]
    time: Moment


class _Book(msgspec.Struct):
    pricebook: _PriceBook


class _Product(msgspec.Struct):
    product_id: str
    product_type: str
    status: str
    is_disabled: bool
    trading_disabled: bool
    cancel_only: bool
    view_only: bool
    price_increment: str
    base_increment: str
    base_min_size: str
    quote_min_size: str
    base: str = msgspec.field(name="base_currency_id")
    quote: str = msgspec.field(name="quote_currency_id")


class _Products(msgspec.Struct):
    products: list[_Product]


class _Time(msgspec.Struct):
    iso: datetime


_bars = msgspec.json.Decoder(_Bars)
_ticker = msgspec.json.Decoder(_Ticker)
_book = msgspec.json.Decoder(_Book)
_products = msgspec.json.Decoder(_Products)
_time = msgspec.json.Decoder(_Time)
# Its side is that of the order that lay in the book: in the recordings of 2026, trades at the best
# ask say SELL and trades at the best bid say BUY. Ours is the taker's.
TAKERS = {"BUY": "sell", "SELL": "buy"}


class Coinbase:
    """Spot; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "coinbase"
    per_second = PACE
    page_bars = PAGE
    paging = Paging.WINDOW

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self._api = Api(self.name, url)
        self.explain = self._api.explain
        self.feeds = {
            "tickers": Get(SYMBOL, self._ask_ticker, self._ticker),
            "market_trades": Get(SYMBOL, self._ask_trades, self._trades),
            "order_books": Get(SYMBOL, self._ask_book, self._book),
            "instruments": Get(EVERY, self._ask_products, self._products),
            "venue_status": Get(EVERY, self._ask_time, self._status),
        }

    def request(self, span: Span) -> httpx.Request:
        """Ask for the bars of `span`: the start of its last bar is its `end` here."""
        return self._api.get(
            f"{MARKET}/products/{span.symbol}/candles",
            {
                "start": -(-to_micros(span.start) // SECOND),
                "end": -(-to_micros(span.end) // SECOND) - 1,
                "granularity": interval_of(span, INTERVALS),
                "limit": PAGE,
            },
        )

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page of bars, newest first."""
        read = decode(_bars, body, self.name).candles
        names = ("open", "high", "low", "close", "volume")
        return text_bars(
            span,
            times([bar.start for bar in read], SECOND, self.name),
            {name: [getattr(bar, name) for bar in read] for name in names},
        )

    def _ask_ticker(self, wanted: Wanted) -> httpx.Request:
        return self._api.get(f"{MARKET}/products/{symbol_of(wanted)}/ticker", {"limit": 1})

    def _ticker(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the last trade and the best prices, which carry no time of their own."""
        answer = decode(_ticker, body, self.name)
        symbol = symbol_of(wanted)
        for trade in answer.trades:
            expect(self.name, "a ticker of", symbol, trade.product_id)
        last = answer.trades[0].price if answer.trades else None
        columns = {
            "symbol": [symbol],
            "time": wanted.now,
            "last": [last],
            "bid": [answer.best_bid or None],
            "ask": [answer.best_ask or None],
        }
        return table("tickers", self.name, columns)

    def _ask_trades(self, wanted: Wanted) -> httpx.Request:
        return self._api.get(f"{MARKET}/products/{symbol_of(wanted)}/ticker", {"limit": 1_000})

    def _trades(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the last trades; a side that is neither of the two is left unsaid."""
        trades = decode(_ticker, body, self.name).trades
        symbol = symbol_of(wanted)
        for trade in trades:
            expect(self.name, "trades of", symbol, trade.product_id)
        columns = {
            "symbol": symbol,
            "trade_id": [trade.trade_id for trade in trades],
            "time": [trade.time for trade in trades],
            "price": [trade.price for trade in trades],
            "amount": [trade.size for trade in trades],
            "side": [TAKERS.get(trade.side) for trade in trades],
        }
        return table("market_trades", self.name, columns)

    def _ask_book(self, wanted: Wanted) -> httpx.Request:
        return self._api.get(
            f"{MARKET}/product_book", {"product_id": symbol_of(wanted), "limit": 500}
        )

    def _book(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        read = decode(_book, body, self.name).pricebook
        symbol = symbol_of(wanted)
        expect(self.name, "the book of", symbol, read.product_id)
        bids, asks = (
            [(level.price, level.size) for level in side] for side in (read.bids, read.asks)
        )
        return book(self.name, symbol, (bids, asks), time=read.time)

    def _ask_products(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get(f"{MARKET}/products", {"product_type": "SPOT"})

    def _products(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read what is traded. `new_at` is when a product was shown as new, not its listing."""
        every = decode(_products, body, self.name).products
        kept = [p for p in every if p.product_type == "SPOT" and has_a_name(p.product_id)]
        columns = {
            "symbol": [p.product_id for p in kept],
            "native": [p.product_id for p in kept],
            "kind": "spot",
            "base": [p.base for p in kept],
            "quote": [p.quote for p in kept],
            "status": [_state(p) for p in kept],
            "tick_size": [p.price_increment for p in kept],
            "lot_size": [p.base_increment for p in kept],
            "min_amount": [p.base_min_size for p in kept],
            "min_notional": [p.quote_min_size for p in kept],
            "valid_from": wanted.now,
        }
        return table("instruments", self.name, columns)

    def _ask_time(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/api/v3/brokerage/time")

    def _status(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Coinbase's API tells no status; what tells the time is up."""
        decode(_time, body, self.name)
        return table("venue_status", self.name, {"time": [wanted.now], "status": "up"})


def _state(product: _Product) -> str:
    if product.status == "delisted":
        return "delisted"
    closed = (
        product.is_disabled,
        product.trading_disabled,
        product.cancel_only,
        product.view_only,
        product.status != "online",
    )
    return "halted" if any(closed) else "trading"
