"""What Binance says of its markets beside bars, spot and futures alike.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
https://developers.binance.com/docs/wallet/others/system-status
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from sources.answers import decode
from sources.shapes import Count, Millis
from sources.venues.feeds import (
    EVERY,
    MILLI,
    SYMBOL,
    Get,
    book,
    expect,
    has_a_name,
    symbol_of,
    table,
    times,
)

if TYPE_CHECKING:
    import httpx
    import polars as pl

    from sources.api import Api
    from sources.provider import Feed, Wanted

_STATES = {"TRADING": "trading"}
_GONE = frozenset({"CLOSE", "SETTLING", "DELIVERED"})
_PERPETUAL = "PERPETUAL"


class _Ticker(msgspec.Struct):
    symbol: str
    last: str = msgspec.field(name="lastPrice")
    bid: str = msgspec.field(name="bidPrice")
    bid_size: str = msgspec.field(name="bidQty")
    ask: str = msgspec.field(name="askPrice")
    ask_size: str = msgspec.field(name="askQty")
    open: str = msgspec.field(name="openPrice")
    high: str = msgspec.field(name="highPrice")
    low: str = msgspec.field(name="lowPrice")
    volume: str
    value: str = msgspec.field(name="quoteVolume")
    time: Millis = msgspec.field(name="closeTime")


class _Trade(msgspec.Struct):
    id: Count
    price: str
    qty: str
    time: Millis
    sold: bool = msgspec.field(name="isBuyerMaker")


class _Depth(msgspec.Struct):
    """A book; futures say when it was so (`T`), spot does not."""

    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    sequence: Count = msgspec.field(name="lastUpdateId")
    time: Millis | None = msgspec.field(name="T", default=None)


class _Filter(msgspec.Struct):
    kind: str = msgspec.field(name="filterType")
    tick: str | None = msgspec.field(name="tickSize", default=None)
    step: str | None = msgspec.field(name="stepSize", default=None)
    least: str | None = msgspec.field(name="minQty", default=None)
    worth: str | None = msgspec.field(name="minNotional", default=None)
    notional: str | None = None  # how futures call it


class _Market(msgspec.Struct):
    symbol: str
    status: str
    filters: list[_Filter]
    base: str = msgspec.field(name="baseAsset")
    quote: str = msgspec.field(name="quoteAsset")
    contract: str | None = msgspec.field(name="contractType", default=None)
    listed: Millis | None = msgspec.field(name="onboardDate", default=None)


class _Info(msgspec.Struct):
    symbols: list[_Market]


class _System(msgspec.Struct):
    status: int
    msg: str


_ticker = msgspec.json.Decoder(_Ticker)
_trades = msgspec.json.Decoder(list[_Trade])
_depth = msgspec.json.Decoder(_Depth)
_info = msgspec.json.Decoder(_Info)
_system = msgspec.json.Decoder(_System)


@dataclass(frozen=True)
class Markets:
    """The feeds of one kind of market; `prefix` is where its paths begin."""

    api: Api
    prefix: str
    kind: str  # spot or perpetual

    def ask_ticker(self, wanted: Wanted) -> httpx.Request:
        """Ask for the last 24 hours."""
        return self.api.get(f"{self.prefix}/ticker/24hr", {"symbol": native(symbol_of(wanted))})

    def ticker(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the last 24 hours and the best prices."""
        read = decode(_ticker, body, self.api.name)
        symbol = symbol_of(wanted)
        expect(self.api.name, "a ticker of", native(symbol), read.symbol)
        columns = {
            "symbol": [symbol],
            "time": times([read.time], MILLI, self.api.name),
            "last": [read.last],
            "bid": [read.bid],
            "bid_size": [read.bid_size],
            "ask": [read.ask],
            "ask_size": [read.ask_size],
            "open_24h": [read.open],
            "high_24h": [read.high],
            "low_24h": [read.low],
            "volume_24h": [read.volume],
            "quote_volume_24h": [read.value],
        }
        return table("tickers", self.api.name, columns)

    def ask_trades(self, wanted: Wanted) -> httpx.Request:
        """Ask for the last trades."""
        params: dict[str, str | int] = {"symbol": native(symbol_of(wanted)), "limit": 1_000}
        return self.api.get(f"{self.prefix}/trades", params)

    def trades(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the last trades; the taker sold where the buyer was the maker."""
        read = decode(_trades, body, self.api.name)
        columns = {
            "symbol": symbol_of(wanted),
            "trade_id": [str(trade.id) for trade in read],
            "time": times([trade.time for trade in read], MILLI, self.api.name),
            "price": [trade.price for trade in read],
            "amount": [trade.qty for trade in read],
            "side": ["sell" if trade.sold else "buy" for trade in read],
        }
        return table("market_trades", self.api.name, columns)

    def ask_book(self, wanted: Wanted) -> httpx.Request:
        """Ask for the book, a thousand levels deep."""
        params: dict[str, str | int] = {"symbol": native(symbol_of(wanted)), "limit": 1_000}
        return self.api.get(f"{self.prefix}/depth", params)

    def book(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the book as it was at the answer's number."""
        read = decode(_depth, body, self.api.name)
        said = [] if read.time is None else [read.time]
        time = times(said, MILLI, self.api.name) if said else wanted.now
        sides = (read.bids, read.asks)
        return book(self.api.name, symbol_of(wanted), sides, time=time, sequence=read.sequence)

    def ask_info(self, wanted: Wanted) -> httpx.Request:
        """Ask for everything that is or was traded."""
        del wanted
        return self.api.get(f"{self.prefix}/exchangeInfo")

    def info(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the markets of this kind; dated futures are left out."""
        every = decode(_info, body, self.api.name).symbols
        contract = _PERPETUAL if self.kind == "perpetual" else None
        kept = [m for m in every if m.contract == contract and has_a_name(_symbol(m))]
        listed = [m.listed for m in kept]
        columns: dict[str, Any] = {
            "symbol": [_symbol(m) for m in kept],
            "native": [m.symbol for m in kept],
            "kind": self.kind,
            "base": [m.base for m in kept],
            "quote": [m.quote for m in kept],
            "status": [_state(m.status) for m in kept],
            "tick_size": [_of(m, "PRICE_FILTER", "tick") for m in kept],
            "lot_size": [_of(m, "LOT_SIZE", "step") for m in kept],
            "min_amount": [_of(m, "LOT_SIZE", "least") for m in kept],
            "min_notional": [
                _of(m, "NOTIONAL", "worth")
                or _of(m, "MIN_NOTIONAL", "worth")
                or _of(m, "MIN_NOTIONAL", "notional")
                for m in kept
            ],
            "contract_size": 1.0 if self.kind == "perpetual" else None,
            "listed_at": times(listed, MILLI, self.api.name, "onboardDate"),
            "valid_from": wanted.now,
        }
        return table("instruments", self.api.name, columns)

    def ask_system(self, wanted: Wanted) -> httpx.Request:
        """Ask whether the exchange works; only spot's address answers."""
        del wanted
        return self.api.get("/sapi/v1/system/status")

    def system(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read 0 as up and 1 as maintenance."""
        read = decode(_system, body, self.api.name)
        columns = {
            "time": [wanted.now],
            "status": {0: "up", 1: "maintenance"}.get(read.status, "degraded"),
            "message": read.msg,
        }
        return table("venue_status", self.api.name, columns)


def spot_feeds(api: Api) -> dict[str, Feed]:
    """Return the feeds of spot markets."""
    markets = Markets(api, "/api/v3", "spot")
    return {
        "tickers": Get(SYMBOL, markets.ask_ticker, markets.ticker),
        "market_trades": Get(SYMBOL, markets.ask_trades, markets.trades),
        "order_books": Get(SYMBOL, markets.ask_book, markets.book),
        "instruments": Get(EVERY, markets.ask_info, markets.info),
        "venue_status": Get(EVERY, markets.ask_system, markets.system),
    }


def futures_feeds(api: Api) -> dict[str, Feed]:
    """Return the feeds that futures have in common with spot."""
    markets = Markets(api, "/fapi/v1", "perpetual")
    return {
        "market_trades": Get(SYMBOL, markets.ask_trades, markets.trades),
        "order_books": Get(SYMBOL, markets.ask_book, markets.book),
        "instruments": Get(EVERY, markets.ask_info, markets.info),
    }


def native(symbol: str) -> str:
    """Return `BTC-USDT` as `BTCUSDT`."""
    return symbol.replace("-", "")


def _symbol(market: _Market) -> str:
    return f"{market.base}-{market.quote}"


def _state(status: str) -> str:
    return "delisted" if status in _GONE else _STATES.get(status, "halted")


def _of(market: _Market, kind: str, field: str) -> str | None:
    """Return what one of a market's filters says, None where it has no such filter."""
    found: str | None = next(
        (getattr(each, field) for each in market.filters if each.kind == kind), None
    )
    return found
