"""Binance's USDⓈ-margined perpetual contracts: bars, marks, funding rates, open interest.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
(`Kline-Candlestick-Data`, `Mark-Price`, `Get-Funding-Rate-History`: oldest first, 1,000 a call;
`Open-Interest`, `Open-Interest-Statistics`: 500 a call, the last month only).
2,400 of weight a minute; a page of 1,000 bars weighs 5. One contract is one unit of the base asset.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from core.clock import from_micros, to_micros
from sources.answers import decode
from sources.shapes import Millis
from sources.venues.binance import Binance
from sources.venues.binance_markets import futures_feeds, native
from sources.venues.feeds import MILLI, SYMBOL, Get, expect, symbol_of, table, times

if TYPE_CHECKING:
    from datetime import datetime

    import httpx
    import polars as pl
    from pydantic import SecretStr

    from sources.provider import Wanted

URL = "https://fapi.binance.com"
PACE = 4.0
PAGE_RATES = 1_000
PAGE_INTEREST = 500
INTEREST_STEP = timedelta(minutes=5)


class _Mark(msgspec.Struct):
    symbol: str
    time: Millis
    mark: str = msgspec.field(name="markPrice")
    index: str = msgspec.field(name="indexPrice")


class _Rate(msgspec.Struct):
    symbol: str
    rate: str = msgspec.field(name="fundingRate")
    time: Millis = msgspec.field(name="fundingTime")
    mark: str | None = msgspec.field(name="markPrice", default=None)  # empty in older rows


class _Interest(msgspec.Struct):
    """What is open now."""

    symbol: str
    time: Millis
    amount: str = msgspec.field(name="openInterest")


class _PastInterest(msgspec.Struct):
    """What was open, and its worth."""

    symbol: str
    timestamp: Millis
    amount: str = msgspec.field(name="sumOpenInterest")
    value: str = msgspec.field(name="sumOpenInterestValue")


_mark = msgspec.json.Decoder(_Mark)
_rates = msgspec.json.Decoder(list[_Rate])
_interest = msgspec.json.Decoder(_Interest)
_past_interest = msgspec.json.Decoder(list[_PastInterest])


class BinancePerp(Binance):
    """Perpetuals; implements `sources.base.Venue` and `sources.provider.Provider`."""

    bars_path = "/fapi/v1/klines"

    def __init__(self, url: str = URL, api_key: SecretStr | None = None) -> None:
        super().__init__(url, "binance_perp", api_key, per_second=PACE)
        self.feeds = futures_feeds(self._api) | {
            "mark_prices": Get(SYMBOL, self._ask_mark, self._read_mark),
            "funding_rates": Get(SYMBOL, self._ask_rates, self._read_rates, self._later_rates),
            "open_interest": Get(
                SYMBOL, self._ask_interest, self._read_interest, self._later_interest
            ),
        }

    def _ask_mark(self, wanted: Wanted) -> httpx.Request:
        return self._api.get("/fapi/v1/premiumIndex", {"symbol": native(symbol_of(wanted))})

    def _read_mark(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        read = decode(_mark, body, self.name)
        expect(self.name, "a mark of", native(symbol_of(wanted)), read.symbol)
        columns = {
            "symbol": [symbol_of(wanted)],
            "time": times([read.time], MILLI, self.name),
            "mark_price": [read.mark],
            "index_price": [read.index],
        }
        return table("mark_prices", self.name, columns)

    def _ask_rates(self, wanted: Wanted, start: datetime | None = None) -> httpx.Request:
        params = {
            "symbol": native(symbol_of(wanted)),
            "startTime": _millis(start or wanted.start),
            "endTime": _millis(wanted.end, less=1),
            "limit": PAGE_RATES,
        }
        return self._api.get("/fapi/v1/fundingRate", params)

    def _read_rates(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read what was paid; a funding time may be some milliseconds late."""
        read = decode(_rates, body, self.name)
        for rate in read:
            expect(self.name, "funding rates of", native(symbol_of(wanted)), rate.symbol)
        columns = {
            "symbol": symbol_of(wanted),
            "funding_time": times([rate.time for rate in read], MILLI, self.name),
            "rate": [rate.rate for rate in read],
            "mark_price": [rate.mark or None for rate in read],
        }
        return table("funding_rates", self.name, columns)

    def _later_rates(
        self, body: bytes, wanted: Wanted, request: httpx.Request
    ) -> httpx.Request | None:
        """Ask for what follows a full page, where a span was asked for."""
        del request
        read = decode(_rates, body, self.name)
        if wanted.start is None or len(read) < PAGE_RATES:
            return None
        last = max(rate.time for rate in read)
        return self._ask_rates(wanted, from_micros((last + 1) * MILLI))

    def _ask_interest(self, wanted: Wanted, start: datetime | None = None) -> httpx.Request:
        """Ask for what is open now, or for a stretch of what was."""
        symbol = native(symbol_of(wanted))
        start = start or wanted.start
        if start is None:
            return self._api.get("/fapi/v1/openInterest", {"symbol": symbol})
        params = {
            "symbol": symbol,
            "period": "5m",
            "startTime": _millis(start),
            "endTime": _millis(min(start + _STRETCH, wanted.end or wanted.now), less=1),
            "limit": PAGE_INTEREST,
        }
        return self._api.get("/futures/data/openInterestHist", params)

    def _read_interest(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        if wanted.start is None:
            now = decode(_interest, body, self.name)
            rows = [_PastInterest(now.symbol, now.time, now.amount, "")]
        else:
            rows = decode(_past_interest, body, self.name)
        for row in rows:
            expect(self.name, "open interest of", native(symbol_of(wanted)), row.symbol)
        columns = {
            "symbol": symbol_of(wanted),
            "time": times([row.timestamp for row in rows], MILLI, self.name),
            "amount": [row.amount for row in rows],
            "value": [row.value or None for row in rows],
        }
        return table("open_interest", self.name, columns)

    def _later_interest(
        self, body: bytes, wanted: Wanted, request: httpx.Request
    ) -> httpx.Request | None:
        """Ask for the stretch after the one that was asked for, until the end."""
        del body
        if wanted.start is None:
            return None
        following = from_micros((int(request.url.params["endTime"]) + 1) * MILLI)
        if following >= (wanted.end or wanted.now):
            return None
        return self._ask_interest(wanted, following)


_STRETCH = PAGE_INTEREST * INTEREST_STEP


def _millis(moment: datetime | None, *, less: int = 0) -> int | None:
    """Return milliseconds since the epoch, rounded up, minus `less`."""
    return None if moment is None else -(-to_micros(moment) // MILLI) - less
