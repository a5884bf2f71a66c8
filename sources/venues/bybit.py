"""Bybit spot: bars, tickers, trades, books, instruments and the system's status.

https://bybit-exchange.github.io/docs/v5/market/kline and its neighbours; errors:
https://bybit-exchange.github.io/docs/v5/error; limits: 600 calls in 5 s by address, and a 403 for
ten minutes beyond: https://bybit-exchange.github.io/docs/v5/rate-limit

Bars: `start` and `end` are milliseconds and both belong to what is answered, and the bar that
contains `start` too; newest first; at most 1,000, of which the newest where there are more. A row
is time, open, high, low, close, volume in the base asset, turnover. Whether a minute without a
trade has a bar is not said. Nothing marks a bar that still forms; the answer's `time` is when it
was made. An error has a `retCode` other than 0, mostly with a 200.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import polars as pl

from core.clock import to_micros
from core.errors import RateLimited
from core.market import INTERVALS as STEPS
from sources.api import Api
from sources.base import Paging
from sources.shapes import Count, Millis
from sources.venues.envelope import Envelope
from sources.venues.feeds import (
    EVERY,
    MILLI,
    SYMBOL,
    Get,
    book,
    expect,
    has_a_name,
    interval_of,
    maintenance,
    quoted,
    said,
    symbol_of,
    table,
    text_bars,
    times,
    transposed,
)

if TYPE_CHECKING:
    import httpx

    from core.market import Span
    from sources.provider import Wanted

T = TypeVar("T")
URL = "https://api.bybit.com"
PAGE = 1_000
PACE = 20.0
INTERVALS = {
    "1m": "1",
    "3m": "3",
    "5m": "5",
    "15m": "15",
    "30m": "30",
    "1h": "60",
    "2h": "120",
    "4h": "240",
    "6h": "360",
    "12h": "720",
    "1d": "D",
}
_LIMITED = frozenset({"10006", "10018"})
_PASSING = frozenset({"10000", "10016", "10019"})
_TOO_OFTEN = "access too frequent"
_PENANCE = 600.0  # seconds to stay away after a 403 for it

# time, open, high, low, close, volume, turnover
_Bar = tuple[str, str, str, str, str, str, str]


class _Head(msgspec.Struct):
    code: int = msgspec.field(name="retCode")
    message: str = msgspec.field(name="retMsg")

    @property
    def fine(self) -> bool:
        return self.code == 0

    @property
    def said(self) -> tuple[str, str]:
        return str(self.code), self.message


class _BarList(msgspec.Struct):
    symbol: str
    rows: list[_Bar] = msgspec.field(name="list")


class _Bars(msgspec.Struct):
    result: _BarList
    time: Millis


class Quote(msgspec.Struct):
    """One entry of `market/tickers`; the last two are of perpetuals."""

    symbol: str
    last: str = msgspec.field(name="lastPrice")
    bid: str = msgspec.field(name="bid1Price")
    bid_size: str = msgspec.field(name="bid1Size")
    ask: str = msgspec.field(name="ask1Price")
    ask_size: str = msgspec.field(name="ask1Size")
    open: str = msgspec.field(name="prevPrice24h")
    high: str = msgspec.field(name="highPrice24h")
    low: str = msgspec.field(name="lowPrice24h")
    volume: str = msgspec.field(name="volume24h")
    value: str = msgspec.field(name="turnover24h")
    mark: str | None = msgspec.field(name="markPrice", default=None)
    index: str | None = msgspec.field(name="indexPrice", default=None)


class _QuoteList(msgspec.Struct):
    rows: list[Quote] = msgspec.field(name="list")


class Quotes(msgspec.Struct):
    """The answer of `market/tickers`."""

    result: _QuoteList
    time: Millis


class _Trade(msgspec.Struct):
    symbol: str
    price: str
    size: str
    side: str
    time: str
    number: str = msgspec.field(name="execId")


class _TradeList(msgspec.Struct):
    rows: list[_Trade] = msgspec.field(name="list")


class _Trades(msgspec.Struct):
    result: _TradeList


class _Levels(msgspec.Struct):
    s: str
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    ts: Millis
    u: Count


class _Book(msgspec.Struct):
    result: _Levels


class _Lot(msgspec.Struct):
    """Spot and perpetuals name the step and the least worth differently."""

    least: str = msgspec.field(name="minOrderQty")
    spot_step: str | None = msgspec.field(name="basePrecision", default=None)
    spot_worth: str | None = msgspec.field(name="minOrderAmt", default=None)
    step: str | None = msgspec.field(name="qtyStep", default=None)
    worth: str | None = msgspec.field(name="minNotionalValue", default=None)


class _Price(msgspec.Struct):
    tick: str = msgspec.field(name="tickSize")


class Instrument(msgspec.Struct):
    """One entry of `market/instruments-info`."""

    symbol: str
    status: str
    base: str = msgspec.field(name="baseCoin")
    quote: str = msgspec.field(name="quoteCoin")
    lot: _Lot = msgspec.field(name="lotSizeFilter")
    price: _Price = msgspec.field(name="priceFilter")
    contract: str | None = msgspec.field(name="contractType", default=None)
    launched: str | None = msgspec.field(name="launchTime", default=None)


class _InstrumentList(msgspec.Struct):
    rows: list[Instrument] = msgspec.field(name="list")
    cursor: str | None = msgspec.field(name="nextPageCursor", default=None)


class Instruments(msgspec.Struct):
    """The answer of `market/instruments-info`."""

    result: _InstrumentList


class _Event(msgspec.Struct):
    title: str


class _EventList(msgspec.Struct):
    rows: list[_Event] = msgspec.field(name="list")


class _Events(msgspec.Struct):
    result: _EventList


_envelope = Envelope(msgspec.json.Decoder(_Head), limited=_LIMITED, passing=_PASSING)
_bars = msgspec.json.Decoder(_Bars)
QUOTES = msgspec.json.Decoder(Quotes)
_trades = msgspec.json.Decoder(_Trades)
_book = msgspec.json.Decoder(_Book)
INSTRUMENTS = msgspec.json.Decoder(Instruments)
_events = msgspec.json.Decoder(_Events)
_SIDES = {"Buy": "buy", "Sell": "sell"}
STATES = {
    "Trading": "trading",
    "PreLaunch": "halted",
    "Delivering": "halted",
    "Settling": "halted",
    "Closed": "delisted",
}


class Bybit:
    """Spot; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "bybit"
    per_second = PACE
    page_bars = PAGE
    paging = Paging.WINDOW
    category = "spot"

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self._api = Api(self.name, url)
        self.feeds = {
            "tickers": Get(SYMBOL, self._ask_ticker, self._ticker),
            "market_trades": Get(SYMBOL, self._ask_trades, self._trades),
            "order_books": Get(SYMBOL, self._ask_book, self._book),
            "instruments": Get(EVERY, self._ask_instruments, self._instruments, self._more),
            "venue_status": Get(EVERY, self._ask_status, self._status),
        }

    def request(self, span: Span) -> httpx.Request:
        """Ask for the bars of `span`; this venue's `end` is inclusive."""
        return self.market(
            "kline",
            symbol=native(span.symbol),
            interval=interval_of(span, INTERVALS),
            start=-(-to_micros(span.start) // MILLI),
            end=-(-to_micros(span.end) // MILLI) - 1,
            limit=PAGE,
        )

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page of bars, newest first, without one that had not closed by its `time`."""
        answer = self.decode(_bars, body)
        expect(self.name, "bars of", native(span.symbol), answer.result.symbol)
        columns = transposed(answer.result.rows, 7)
        names = ("open", "high", "low", "close", "volume", "quote_volume")
        read = text_bars(
            span,
            times(columns[0], MILLI, self.name),
            dict(zip(names, columns[1:], strict=True)),
        )
        step = STEPS[span.interval] // timedelta(microseconds=1)
        return read.filter(pl.col("open_time").to_physical() + step <= answer.time * MILLI)

    def explain(self, body: bytes) -> str:
        """Return the venue's code and message, or the start of a body that has none.

        Raises:
            RateLimited: it says that we asked too often, which comes with a 403.
        """
        words = _envelope.explain(body)
        if _TOO_OFTEN in words.lower():
            raise RateLimited(self.name, status=403, retry_after=_PENANCE)
        return words

    def decode(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """Read an answer, or raise what its own code stands for."""
        return _envelope.open(self.name, decoder, body)

    def market(self, path: str, **params: str | int | None) -> httpx.Request:
        """Ask for something of this category of markets."""
        return self._api.get(f"/v5/market/{path}", {"category": self.category, **params})

    def _ask_ticker(self, wanted: Wanted) -> httpx.Request:
        return self.market("tickers", symbol=native(symbol_of(wanted)))

    def quotes(self, body: bytes, wanted: Wanted) -> tuple[list[Quote], pl.Series]:
        """Return the tickers of what was asked for, and their times."""
        answer = self.decode(QUOTES, body)
        for quote in answer.result.rows:
            expect(self.name, "a ticker of", native(symbol_of(wanted)), quote.symbol)
        count = len(answer.result.rows)
        return answer.result.rows, times([answer.time] * count, MILLI, self.name)

    def _ticker(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        quotes, moments = self.quotes(body, wanted)
        columns = {
            "symbol": symbol_of(wanted),
            "time": moments,
            **quoted(quotes),
        }
        return table("tickers", self.name, columns)

    def _ask_trades(self, wanted: Wanted) -> httpx.Request:
        return self.market("recent-trade", symbol=native(symbol_of(wanted)), limit=60)

    def _trades(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        trades = self.decode(_trades, body).result.rows
        for trade in trades:
            expect(self.name, "trades of", native(symbol_of(wanted)), trade.symbol)
        columns = {
            "symbol": symbol_of(wanted),
            "trade_id": [trade.number for trade in trades],
            "time": times([trade.time for trade in trades], MILLI, self.name),
            "price": [trade.price for trade in trades],
            "amount": [trade.size for trade in trades],
            "side": [_SIDES.get(trade.side) for trade in trades],
        }
        return table("market_trades", self.name, columns)

    def _ask_book(self, wanted: Wanted) -> httpx.Request:
        return self.market("orderbook", symbol=native(symbol_of(wanted)), limit=200)

    def _book(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        read = self.decode(_book, body).result
        symbol = symbol_of(wanted)
        expect(self.name, "the book of", native(symbol), read.s)
        time = times([read.ts], MILLI, self.name)
        return book(self.name, symbol, (read.b, read.a), time=time, sequence=read.u)

    def _ask_instruments(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self.market("instruments-info", limit=1_000)

    def _more(self, body: bytes, wanted: Wanted, request: httpx.Request) -> httpx.Request | None:
        """Ask for the page that the answer's cursor names, if it names one."""
        del wanted, request
        cursor = self.decode(INSTRUMENTS, body).result.cursor
        return self.market("instruments-info", limit=1_000, cursor=cursor) if cursor else None

    def _instruments(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        every = self.decode(INSTRUMENTS, body).result.rows
        kept = [i for i in every if self.is_ours(i) and has_a_name(f"{i.base}-{i.quote}")]
        columns: dict[str, Any] = {
            "symbol": [f"{i.base}-{i.quote}" for i in kept],
            "native": [i.symbol for i in kept],
            "kind": "spot" if self.category == "spot" else "perpetual",
            "base": [i.base for i in kept],
            "quote": [i.quote for i in kept],
            "status": [STATES.get(i.status, "halted") for i in kept],
            "tick_size": [i.price.tick for i in kept],
            "lot_size": [i.lot.spot_step or i.lot.step for i in kept],
            "min_amount": [i.lot.least for i in kept],
            "min_notional": [i.lot.spot_worth or i.lot.worth for i in kept],
            "contract_size": None if self.category == "spot" else 1.0,
            "listed_at": times([said(i.launched) for i in kept], MILLI, self.name, "launchTime"),
            "valid_from": wanted.now,
        }
        return table("instruments", self.name, columns)

    def is_ours(self, instrument: Instrument) -> bool:
        """Whether an instrument is of the kind that this venue stands for."""
        return instrument.contract is None

    def _ask_status(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/v5/system/status", {"state": "ongoing"})

    def _status(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the maintenance that goes on; none is the usual answer."""
        events = [event.title for event in self.decode(_events, body).result.rows]
        return maintenance(self.name, events, wanted)


def native(symbol: str) -> str:
    """Return `BTC-USDT` as `BTCUSDT`."""
    return symbol.replace("-", "")
