"""OKX: bars, tickers, trades, books, instruments and the system's status, of spot and swaps.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks-history and its
neighbours; errors: https://www.okx.com/docs-v5/en/#error-code; limits: 20 calls in 2 s by address.

Bars: `after` and `before` are milliseconds that do not belong to what is answered, `after` is the
later one; newest first; at most 300, of which the newest where there are more. Whether a minute
without a trade has a bar is not said. A bar whose last field is 0 still forms.
An error has a code other than 0, with a 200 or with a 4xx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from core.clock import to_micros
from core.errors import SourceMalformed
from sources.api import Api
from sources.base import Paging
from sources.shapes import Count
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
    import polars as pl

    from core.market import Span
    from sources.provider import Wanted

T = TypeVar("T")
URL = "https://www.okx.com"
PAGE = 300
PACE = 5.0
INTERVALS = {
    "1m": "1m",
    "3m": "3m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1h": "1H",
    "2h": "2H",
    "4h": "4H",
    # Without `utc` these begin at midnight in Hong Kong.
    "6h": "6Hutc",
    "12h": "12Hutc",
    "1d": "1Dutc",
}
_DONE = "0"
_LIMITED = frozenset({"50011", "50061"})
_PASSING = frozenset({"50001", "50004", "50013", "50026"})

# What REST and the socket write alike: a bar is time, open, high, low, close, volume, volume in the
# base, in the quote, and whether it has closed.
Bar = tuple[str, str, str, str, str, str, str, str, str]


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
    data: list[Bar]


class Quote(msgspec.Struct):
    """A market now and in the last 24 hours."""

    last: str
    ts: str
    instrument: str = msgspec.field(name="instId")
    bid: str = msgspec.field(name="bidPx")
    bid_size: str = msgspec.field(name="bidSz")
    ask: str = msgspec.field(name="askPx")
    ask_size: str = msgspec.field(name="askSz")
    open: str = msgspec.field(name="open24h")
    high: str = msgspec.field(name="high24h")
    low: str = msgspec.field(name="low24h")
    volume: str = msgspec.field(name="vol24h")
    value: str = msgspec.field(name="volCcy24h")


class _Quotes(msgspec.Struct):
    data: list[Quote]


class Trade(msgspec.Struct):
    """A trade, or several of one taker."""

    px: str
    sz: str
    side: str
    ts: str
    instrument: str = msgspec.field(name="instId")
    number: str = msgspec.field(name="tradeId")


class _Trades(msgspec.Struct):
    data: list[Trade]


class _Levels(msgspec.Struct):
    ts: str
    bids: list[list[str]]
    asks: list[list[str]]
    sequence: Count | None = msgspec.field(name="seqId", default=None)


class _Books(msgspec.Struct):
    data: list[_Levels]


class Instrument(msgspec.Struct):
    """One entry of `public/instruments`; of swaps, sizes count contracts."""

    state: str
    uly: str
    native: str = msgspec.field(name="instId")
    base: str = msgspec.field(name="baseCcy")
    quote: str = msgspec.field(name="quoteCcy")
    tick: str = msgspec.field(name="tickSz")
    lot: str = msgspec.field(name="lotSz")
    least: str = msgspec.field(name="minSz")
    listed: str = msgspec.field(name="listTime")
    contract_kind: str = msgspec.field(name="ctType")
    contract_value: str = msgspec.field(name="ctVal")
    contract_times: str = msgspec.field(name="ctMult")


class _Instruments(msgspec.Struct):
    data: list[Instrument]


class _Event(msgspec.Struct):
    title: str
    state: str


class _Events(msgspec.Struct):
    data: list[_Event]


_envelope = Envelope(msgspec.json.Decoder(_Head), limited=_LIMITED, passing=_PASSING)
_bars = msgspec.json.Decoder(_Bars)
_quotes = msgspec.json.Decoder(_Quotes)
_trades = msgspec.json.Decoder(_Trades)
_books = msgspec.json.Decoder(_Books)
INSTRUMENTS = msgspec.json.Decoder(_Instruments)
_events = msgspec.json.Decoder(_Events)
_SIDES = {"buy": "buy", "sell": "sell"}
STATES = {"live": "trading", "suspend": "halted", "preopen": "halted", "expired": "delisted"}


class Okx:
    """Spot; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "okx"
    per_second = PACE
    page_bars = PAGE
    paging = Paging.WINDOW
    kind = "SPOT"
    # Which fields of a bar are its volume in the base and in the quote asset.
    volumes = (5, 7)

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self._api = Api(self.name, url)
        self.feeds = {
            "tickers": Get(SYMBOL, self._ask_ticker, self._ticker),
            "market_trades": Get(SYMBOL, self._ask_trades, self._trades),
            "order_books": Get(SYMBOL, self._ask_book, self._book),
            "instruments": Get(EVERY, self._ask_instruments, self._instruments),
            "venue_status": Get(EVERY, self._ask_status, self._status),
        }

    def native(self, symbol: str) -> str:
        """Return the venue's spelling of a symbol."""
        return symbol

    def request(self, span: Span) -> httpx.Request:
        """Ask for the bars between `before` and `after`, without both."""
        return self._api.get(
            "/api/v5/market/history-candles",
            {
                "instId": self.native(span.symbol),
                "bar": interval_of(span, INTERVALS),
                "before": -(-to_micros(span.start) // MILLI) - 1,
                "after": -(-to_micros(span.end) // MILLI),
                "limit": PAGE,
            },
        )

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page of bars, newest first, without one that still forms."""
        rows = [row for row in self.decode(_bars, body).data if self._has_closed(row[8])]
        columns = transposed(rows, 9)
        base, quote = self.volumes
        cells = dict(zip(("open", "high", "low", "close"), columns[1:5], strict=True))
        cells |= {"volume": columns[base], "quote_volume": columns[quote]}
        return text_bars(span, times(columns[0], MILLI, self.name), cells)

    def explain(self, body: bytes) -> str:
        """Return the venue's code and message, or the start of a body that has none."""
        return _envelope.explain(body)

    def decode(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """Read an answer, or raise what its own code stands for."""
        return _envelope.open(self.name, decoder, body)

    def _has_closed(self, flag: str) -> bool:
        if flag not in {"0", "1"}:
            raise SourceMalformed(self.name, f"expected a bar's 0 or 1, was {flag!r}")
        return flag == "1"

    def _ask_ticker(self, wanted: Wanted) -> httpx.Request:
        return self._api.get("/api/v5/market/ticker", {"instId": self.native(symbol_of(wanted))})

    def _ticker(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        quotes = self.decode(_quotes, body).data
        symbol = symbol_of(wanted)
        for quote in quotes:
            expect(self.name, "a ticker of", self.native(symbol), quote.instrument)
        columns = {
            "symbol": symbol,
            "time": times([q.ts for q in quotes], MILLI, self.name),
            **quoted(quotes),
        }
        return table("tickers", self.name, columns)

    def _ask_trades(self, wanted: Wanted) -> httpx.Request:
        params: dict[str, str | int] = {"instId": self.native(symbol_of(wanted)), "limit": 500}
        return self._api.get("/api/v5/market/trades", params)

    def _trades(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        trades = self.decode(_trades, body).data
        symbol = symbol_of(wanted)
        for trade in trades:
            expect(self.name, "trades of", self.native(symbol), trade.instrument)
        columns = {
            "symbol": symbol,
            "trade_id": [trade.number for trade in trades],
            "time": times([trade.ts for trade in trades], MILLI, self.name),
            "price": [trade.px for trade in trades],
            "amount": [trade.sz for trade in trades],
            "side": [_SIDES.get(trade.side) for trade in trades],
        }
        return table("market_trades", self.name, columns)

    def _ask_book(self, wanted: Wanted) -> httpx.Request:
        params: dict[str, str | int] = {"instId": self.native(symbol_of(wanted)), "sz": 400}
        return self._api.get("/api/v5/market/books", params)

    def _book(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read a book; a level's third and fourth field are not its size."""
        found = self.decode(_books, body).data
        if len(found) != 1:
            raise SourceMalformed(self.name, f"expected one book, was {len(found)}")
        time = times([found[0].ts], MILLI, self.name)
        sides = (found[0].bids, found[0].asks)
        return book(self.name, symbol_of(wanted), sides, time=time, sequence=found[0].sequence)

    def _ask_instruments(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/api/v5/public/instruments", {"instType": self.kind})

    def _instruments(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        kept = [i for i in self.decode(INSTRUMENTS, body).data if has_a_name(i.native)]
        columns: dict[str, Any] = {
            "symbol": [i.native for i in kept],
            "kind": "spot",
            "base": [i.base for i in kept],
            "quote": [i.quote for i in kept],
            "min_amount": [i.least for i in kept],
            "lot_size": [i.lot for i in kept],
        }
        return table("instruments", self.name, columns | self.terms(kept, wanted))

    def terms(self, kept: list[Instrument], wanted: Wanted) -> dict[str, Any]:
        """Return the columns of instruments that spot and swaps have in common."""
        return {
            "native": [i.native for i in kept],
            "status": [STATES.get(i.state, "halted") for i in kept],
            "tick_size": [i.tick for i in kept],
            "listed_at": times([said(i.listed) for i in kept], MILLI, self.name),
            "valid_from": wanted.now,
        }

    def _ask_status(self, wanted: Wanted) -> httpx.Request:
        del wanted
        return self._api.get("/api/v5/system/status", {"state": "ongoing"})

    def _status(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the maintenance that goes on; none is the usual answer."""
        events = [event.title for event in self.decode(_events, body).data]
        return maintenance(self.name, events, wanted)
