"""HTX (formerly Huobi) spot: bars, tickers, trades, books, symbols and the market's status.

https://www.htx.com/en-us/opend/newApiPages/ (market data: `GET /market/history/kline` and its
neighbours), older text: https://huobiapi.github.io/docs/spot/v1/en/#market-data; limits: 800
calls a minute of market data by address.

Bars: the newest 2,000 and no others; newest first; `id` is seconds. Days begin at midnight in
Singapore, so that they are not on our grid and are not offered. `amount` is in the base asset,
`vol` in the quote asset. Nothing marks the first bar, which still forms; the answer's `ts` is when
it was made. Numbers are JSON numbers. An error comes with a 200.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import polars as pl

from core.market import INTERVALS as STEPS
from sources.api import Api
from sources.base import Paging
from sources.frames import bars
from sources.shapes import Count, Millis, Seconds
from sources.venues.envelope import Envelope
from sources.venues.feeds import (
    EVERY,
    MILLI,
    SECOND,
    SYMBOL,
    Get,
    book,
    expect,
    has_a_name,
    interval_of,
    symbol_of,
    table,
    times,
)

if TYPE_CHECKING:
    import httpx

    from core.market import Span
    from sources.provider import Wanted

T = TypeVar("T")
URL = "https://api.huobi.pro"
PAGE = 2_000
PACE = 5.0
INTERVALS = {
    "1m": "1min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1h": "60min",
    "4h": "4hour",
}
_LIMITED = frozenset({"too-many-request", "too-many-requests", "api-limit", "429"})
_PASSING = frozenset(
    {"gateway-internal-error", "internal-error", "system-busy", "service-unavailable", "500"}
)
_BAR_COLUMNS = {
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "amount",
    "quote_volume": "vol",
}


class _Head(msgspec.Struct):
    """`status` in the first version of the API, `code` in the second."""

    status: str | None = None
    code: int | None = None
    error: str | None = msgspec.field(name="err-code", default=None)
    message: str | None = msgspec.field(name="err-msg", default=None)
    text: str | None = msgspec.field(name="message", default=None)

    @property
    def fine(self) -> bool:
        return self.status != "error" and self.code in {None, 200}

    @property
    def said(self) -> tuple[str, str]:
        return self.error or str(self.code), self.message or self.text or ""


class Bar(msgspec.Struct):
    """A bar, as REST and the socket write it."""

    id: Seconds
    open: float
    close: float
    low: float
    high: float
    amount: float
    vol: float
    count: Count


class _Bars(msgspec.Struct):
    ch: str
    ts: Millis
    data: list[Bar]


class _Merged(msgspec.Struct):
    """The last 24 hours; `close` is the last price."""

    open: float
    close: float
    low: float
    high: float
    amount: float
    vol: float
    bid: tuple[float, float] | None = None
    ask: tuple[float, float] | None = None


class _Ticker(msgspec.Struct):
    ch: str
    ts: Millis
    tick: _Merged


class _Trade(msgspec.Struct):
    number: Count = msgspec.field(name="trade-id")
    ts: Millis
    amount: float
    price: float
    direction: str


class _Tick(msgspec.Struct):
    data: list[_Trade]


class _Trades(msgspec.Struct):
    ch: str
    data: list[_Tick]


class Levels(msgspec.Struct):
    """One state of a book, as REST and the socket write it."""

    ts: Millis
    version: Count
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class _Book(msgspec.Struct):
    ch: str
    tick: Levels


_Digits = Annotated[int, msgspec.Meta(ge=0, le=30)]


class _Symbol(msgspec.Struct):
    symbol: str
    state: str
    base: str = msgspec.field(name="base-currency")
    quote: str = msgspec.field(name="quote-currency")
    price_digits: _Digits = msgspec.field(name="price-precision")
    amount_digits: _Digits = msgspec.field(name="amount-precision")
    least: float = msgspec.field(name="min-order-amt")
    least_value: float | None = msgspec.field(name="min-order-value", default=None)


class _Symbols(msgspec.Struct):
    data: list[_Symbol]


class _State(msgspec.Struct):
    status: int = msgspec.field(name="marketStatus")


class _Status(msgspec.Struct):
    data: _State


_envelope = Envelope(msgspec.json.Decoder(_Head), limited=_LIMITED, passing=_PASSING)
_bars = msgspec.json.Decoder(_Bars)
_ticker = msgspec.json.Decoder(_Ticker)
_trades = msgspec.json.Decoder(_Trades)
_book = msgspec.json.Decoder(_Book)
_symbols = msgspec.json.Decoder(_Symbols)
_status = msgspec.json.Decoder(_Status)
_SIDES = {"buy": "buy", "sell": "sell"}
_STATES = {1: "up", 2: "down", 3: "degraded"}
_TRADED = {"online": "trading", "suspend": "halted", "pre-online": "halted", "offline": "delisted"}


class Htx:
    """Spot; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "htx"
    per_second = PACE
    page_bars = PAGE
    paging = Paging.LATEST

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self._api = Api(self.name, url)
        self.feeds = {
            "tickers": Get(SYMBOL, self._ask_ticker, self._ticker),
            "market_trades": Get(SYMBOL, self._ask_trades, self._trades),
            "order_books": Get(SYMBOL, self._ask_book, self._book),
            "instruments": Get(EVERY, self._ask_symbols, self._symbols),
            "venue_status": Get(EVERY, self._ask_status, self._status),
        }

    def request(self, span: Span) -> httpx.Request:
        """Ask for the newest bars: this venue takes no time."""
        params: dict[str, str | int] = {
            "symbol": native(span.symbol),
            "period": interval_of(span, INTERVALS),
            "size": PAGE,
        }
        return self._api.get("/market/history/kline", params)

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read the newest bars, without one that had not closed when the answer was made."""
        answer = self._decode(_bars, body)
        channel = f"market.{native(span.symbol)}.kline.{interval_of(span, INTERVALS)}"
        expect(self.name, "bars of", channel, answer.ch)
        step = STEPS[span.interval] // timedelta(seconds=1)
        rows = [bar for bar in answer.data if (bar.id + step) * 1_000 <= answer.ts]
        columns = {
            ours: pl.Series(ours, [getattr(bar, theirs) for bar in rows], pl.Float64)
            for ours, theirs in _BAR_COLUMNS.items()
        }
        opens = times(pl.Series([bar.id for bar in rows], dtype=pl.Int64), SECOND, self.name)
        trades = pl.Series("trades", [bar.count for bar in rows], pl.Int64)
        return bars(
            {"open_time": opens, "trades": trades, **columns},
            venue=self.name,
            symbol=span.symbol,
            interval=span.interval,
        )

    def explain(self, body: bytes) -> str:
        """Return the venue's code and message, or the start of a body that has none."""
        return _envelope.explain(body)

    def _decode(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """Read an answer, or raise what its own code stands for."""
        return _envelope.open(self.name, decoder, body)

    def _ask_ticker(self, wanted: Wanted) -> httpx.Request:
        return self._api.get("/market/detail/merged", {"symbol": native(symbol_of(wanted))})

    def _ticker(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        answer = self._decode(_ticker, body)
        symbol = symbol_of(wanted)
        expect(self.name, "a ticker of", f"market.{native(symbol)}.detail.merged", answer.ch)
        tick = answer.tick
        bid, ask = tick.bid or (None, None), tick.ask or (None, None)
        columns = {
            "symbol": [symbol],
            "time": times([answer.ts], MILLI, self.name),
            "last": [tick.close],
            "bid": [bid[0]],
            "bid_size": [bid[1]],
            "ask": [ask[0]],
            "ask_size": [ask[1]],
            "open_24h": [tick.open],
            "high_24h": [tick.high],
            "low_24h": [tick.low],
            "volume_24h": [tick.amount],
            "quote_volume_24h": [tick.vol],
        }
        return table("tickers", self.name, columns)

    def _ask_trades(self, wanted: Wanted) -> httpx.Request:
        params: dict[str, str | int] = {"symbol": native(symbol_of(wanted)), "size": 1_000}
        return self._api.get("/market/history/trade", params)

    def _trades(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        answer = self._decode(_trades, body)
        symbol = symbol_of(wanted)
        expect(self.name, "trades of", f"market.{native(symbol)}.trade.detail", answer.ch)
        trades = [trade for tick in answer.data for trade in tick.data]
        columns = {
            "symbol": symbol,
            "trade_id": [str(trade.number) for trade in trades],
            "time": times([trade.ts for trade in trades], MILLI, self.name),
            "price": [trade.price for trade in trades],
            "amount": [trade.amount for trade in trades],
            "side": [_SIDES.get(trade.direction) for trade in trades],
        }
        return table("market_trades", self.name, columns)

    def _ask_book(self, wanted: Wanted) -> httpx.Request:
        params = {"symbol": native(symbol_of(wanted)), "type": "step0"}
        return self._api.get("/market/depth", params)

    def _book(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        answer = self._decode(_book, body)
        symbol = symbol_of(wanted)
        expect(self.name, "the book of", f"market.{native(symbol)}.depth.step0", answer.ch)
        return book_rows(symbol, answer.tick)

    def _ask_symbols(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/v1/common/symbols")

    def _symbols(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        every = self._decode(_symbols, body).data
        named = [(f"{s.base}-{s.quote}".upper(), s) for s in every]
        kept = [(name, s) for name, s in named if has_a_name(name)]
        for name, each in kept:
            expect(self.name, "the market of its assets", native(name), each.symbol)
        columns: dict[str, Any] = {
            "symbol": [name for name, _ in kept],
            "native": [s.symbol for _, s in kept],
            "kind": "spot",
            "base": [s.base.upper() for _, s in kept],
            "quote": [s.quote.upper() for _, s in kept],
            "status": [_TRADED.get(s.state, "halted") for _, s in kept],
            "tick_size": [f"1e-{s.price_digits}" for _, s in kept],
            "lot_size": [f"1e-{s.amount_digits}" for _, s in kept],
            "min_amount": [s.least for _, s in kept],
            "min_notional": [s.least_value for _, s in kept],
            "valid_from": wanted.now,
        }
        return table("instruments", self.name, columns)

    def _ask_status(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/v2/market-status")

    def _status(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        state = self._decode(_status, body).data.status
        columns = {"time": [wanted.now], "status": _STATES.get(state, "degraded")}
        return table("venue_status", self.name, columns)


def native(symbol: str) -> str:
    """Return `BTC-USDT` as `btcusdt`."""
    return symbol.replace("-", "").lower()


def book_rows(symbol: str, levels: Levels) -> pl.DataFrame:
    """Return one state of a book as a row of `order_books`."""
    time = times([levels.ts], MILLI, Htx.name)
    sides = (levels.bids, levels.asks)
    return book(Htx.name, symbol, sides, time=time, sequence=levels.version)
