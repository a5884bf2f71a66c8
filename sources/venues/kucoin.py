"""KuCoin spot: bars, tickers, trades, books, symbols and the service's status.

https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-klines and its neighbours;
errors: https://www.kucoin.com/docs-new/error-code; limits: https://www.kucoin.com/docs-new/rate-limit
(2,000 of weight in 30 s for public calls; a page of bars weighs 3).

Bars: `startAt` and `endAt` are seconds; newest first; at most 1,500, of which the newest where
there are more. A row is time, open, close, high, low, volume, turnover. No bar for a minute
without a trade. Nothing marks a bar that still forms. An error has a code other than 200000, with
a 200 or with a 4xx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from core.clock import to_micros
from sources.api import Api
from sources.base import Paging
from sources.shapes import Count, Millis
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
    text_bars,
    times,
    transposed,
)

if TYPE_CHECKING:
    import httpx
    import polars as pl

    from core.market import Span
    from sources.provider import Wanted

T = TypeVar("T")
URL = "https://api.kucoin.com"
PAGE = 1_499  # one less than the limit: whether `endAt` belongs to the answer is not documented
PACE = 10.0
INTERVALS = {
    "1m": "1min",
    "3m": "3min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1h": "1hour",
    "2h": "2hour",
    "4h": "4hour",
    "6h": "6hour",
    "8h": "8hour",
    "12h": "12hour",
    "1d": "1day",
}
# Assets whose name changed and whose markets kept the old one, as recorded in 2021.
_OURS = {"BCHSV": "BSV", "LOKI": "OXEN", "R": "REV", "WAX": "WAXP"}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}
_DONE = "200000"
_LIMITED = frozenset({"429000", "200002"})
_PASSING = frozenset({"500000", "230005", "600000"})
_NANO_PER_MICRO = 1_000

_Bar = tuple[str, str, str, str, str, str, str]


class _Head(msgspec.Struct):
    code: str
    msg: str = ""

    @property
    def fine(self) -> bool:
        return self.code == _DONE

    @property
    def said(self) -> tuple[str, str]:
        return self.code, self.msg


class _Bars(msgspec.Struct):
    data: list[_Bar]


class _Stats(msgspec.Struct):
    """A market of the last 24 hours; null where nothing was traded in them."""

    time: Millis
    symbol: str
    buy: str | None
    sell: str | None
    high: str | None
    low: str | None
    vol: str | None
    last: str | None
    value: str | None = msgspec.field(name="volValue")
    bid_size: str | None = msgspec.field(name="bestBidSize", default=None)
    ask_size: str | None = msgspec.field(name="bestAskSize", default=None)


class _Ticker(msgspec.Struct):
    data: _Stats


class _Trade(msgspec.Struct):
    sequence: str
    price: str
    size: str
    side: str
    time: Count  # nanoseconds


class _Trades(msgspec.Struct):
    data: list[_Trade]


class _Levels(msgspec.Struct):
    time: Millis
    sequence: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _Book(msgspec.Struct):
    data: _Levels


class _Symbol(msgspec.Struct):
    symbol: str
    base: str = msgspec.field(name="baseCurrency")
    quote: str = msgspec.field(name="quoteCurrency")
    tick: str = msgspec.field(name="priceIncrement")
    lot: str = msgspec.field(name="baseIncrement")
    least: str = msgspec.field(name="baseMinSize")
    trading: bool = msgspec.field(name="enableTrading")
    funds: str | None = msgspec.field(name="minFunds", default=None)


class _Symbols(msgspec.Struct):
    data: list[_Symbol]


class _State(msgspec.Struct):
    status: str
    msg: str | None = None


class _Status(msgspec.Struct):
    data: _State


_envelope = Envelope(msgspec.json.Decoder(_Head), limited=_LIMITED, passing=_PASSING)
_bars = msgspec.json.Decoder(_Bars)
_ticker = msgspec.json.Decoder(_Ticker)
_trades = msgspec.json.Decoder(_Trades)
_book = msgspec.json.Decoder(_Book)
_symbols = msgspec.json.Decoder(_Symbols)
_status = msgspec.json.Decoder(_Status)
_STATES = {"open": "up", "close": "down", "cancelonly": "degraded"}
_SIDES = {"buy": "buy", "sell": "sell"}


class KuCoin:
    """Spot; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "kucoin"
    per_second = PACE
    page_bars = PAGE
    paging = Paging.WINDOW

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
        """Ask for the bars of `span`, whichever of its ends belongs to it."""
        return self._api.get(
            "/api/v1/market/candles",
            {
                "symbol": native(span.symbol),
                "type": interval_of(span, INTERVALS),
                "startAt": -(-to_micros(span.start) // SECOND),
                "endAt": -(-to_micros(span.end) // SECOND),
            },
        )

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page of bars, newest first; the close comes before the high."""
        columns = transposed(self._decode(_bars, body).data, 7)
        names = ("open", "close", "high", "low", "volume", "quote_volume")
        return text_bars(
            span,
            times(columns[0], SECOND, self.name),
            dict(zip(names, columns[1:], strict=True)),
        )

    def explain(self, body: bytes) -> str:
        """Return the venue's code and message, or the start of a body that has none."""
        return _envelope.explain(body)

    def _decode(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """Read an answer, or raise what its own code stands for."""
        return _envelope.open(self.name, decoder, body)

    def _ask_ticker(self, wanted: Wanted) -> httpx.Request:
        return self._api.get("/api/v1/market/stats", {"symbol": native(symbol_of(wanted))})

    def _ticker(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        read = self._decode(_ticker, body).data
        symbol = symbol_of(wanted)
        expect(self.name, "a ticker of", native(symbol), read.symbol)
        columns = {
            "symbol": [symbol],
            "time": times([read.time], MILLI, self.name),
            "last": [read.last],
            "bid": [read.buy],
            "bid_size": [read.bid_size],
            "ask": [read.sell],
            "ask_size": [read.ask_size],
            "high_24h": [read.high],
            "low_24h": [read.low],
            "volume_24h": [read.vol],
            "quote_volume_24h": [read.value],
        }
        return table("tickers", self.name, columns)

    def _ask_trades(self, wanted: Wanted) -> httpx.Request:
        return self._api.get("/api/v1/market/histories", {"symbol": native(symbol_of(wanted))})

    def _trades(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the last hundred trades, numbered by their place in the market's sequence."""
        trades = self._decode(_trades, body).data
        micros = [trade.time // _NANO_PER_MICRO for trade in trades]
        columns = {
            "symbol": symbol_of(wanted),
            "trade_id": [trade.sequence for trade in trades],
            "time": times(micros, 1, self.name),
            "price": [trade.price for trade in trades],
            "amount": [trade.size for trade in trades],
            "side": [_SIDES.get(trade.side) for trade in trades],
        }
        return table("market_trades", self.name, columns)

    def _ask_book(self, wanted: Wanted) -> httpx.Request:
        return self._api.get(
            "/api/v1/market/orderbook/level2_100", {"symbol": native(symbol_of(wanted))}
        )

    def _book(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        read = self._decode(_book, body).data
        time = times([read.time], MILLI, self.name)
        sequence = times([read.sequence], 1, self.name, "sequence")[0]
        sides = (read.bids, read.asks)
        return book(self.name, symbol_of(wanted), sides, time=time, sequence=sequence)

    def _ask_symbols(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/api/v2/symbols")

    def _symbols(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read what is traded; markets whose name we could not ask for are left out."""
        every = self._decode(_symbols, body).data
        named = [s for s in every if has_a_name(f"{s.base}-{s.quote}")]
        kept = [s for s in named if native(f"{s.base}-{s.quote}") == s.symbol]
        columns: dict[str, Any] = {
            "symbol": [f"{s.base}-{s.quote}" for s in kept],
            "native": [s.symbol for s in kept],
            "kind": "spot",
            "base": [s.base for s in kept],
            "quote": [s.quote for s in kept],
            "status": ["trading" if s.trading else "halted" for s in kept],
            "tick_size": [s.tick for s in kept],
            "lot_size": [s.lot for s in kept],
            "min_amount": [s.least for s in kept],
            "min_notional": [s.funds for s in kept],
            "valid_from": wanted.now,
        }
        return table("instruments", self.name, columns)

    def _ask_status(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/api/v1/status")

    def _status(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        state = self._decode(_status, body).data
        columns = {
            "time": [wanted.now],
            "status": _STATES.get(state.status, "degraded"),
            "message": state.msg,
        }
        return table("venue_status", self.name, columns)


def native(symbol: str) -> str:
    """Return the venue's spelling of a symbol: ours, but for assets that were renamed."""
    return "-".join(_THEIRS.get(part, part) for part in symbol.split("-"))
