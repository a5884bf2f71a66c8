"""Bybit's linear perpetual contracts: bars, marks, funding rates, open interest.

https://bybit-exchange.github.io/docs/v5/market/tickers (mark and index price),
https://bybit-exchange.github.io/docs/v5/market/history-fund-rate (newest first, 200 a call,
`endTime` inclusive), and https://bybit-exchange.github.io/docs/v5/market/open-interest (newest
first, 200 a call, then a cursor). One contract is one unit of the base asset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.clock import to_micros
from sources.venues.bybit import URL, Bybit, Instrument, native
from sources.venues.feeds import MILLI, SYMBOL, Get, expect, symbol_of, table, times

if TYPE_CHECKING:
    import httpx
    import polars as pl

    from sources.provider import Wanted

PAGE_RATES = 200


class _Rate(msgspec.Struct):
    symbol: str
    rate: str = msgspec.field(name="fundingRate")
    time: str = msgspec.field(name="fundingRateTimestamp")


class _RateList(msgspec.Struct):
    rows: list[_Rate] = msgspec.field(name="list")


class _Rates(msgspec.Struct):
    result: _RateList


class _Interest(msgspec.Struct):
    timestamp: str
    amount: str = msgspec.field(name="openInterest")


class _InterestList(msgspec.Struct):
    symbol: str
    rows: list[_Interest] = msgspec.field(name="list")
    cursor: str | None = msgspec.field(name="nextPageCursor", default=None)


class _Interests(msgspec.Struct):
    result: _InterestList


_rates = msgspec.json.Decoder(_Rates)
_interests = msgspec.json.Decoder(_Interests)


class BybitPerp(Bybit):
    """Perpetuals; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "bybit_perp"
    category = "linear"

    def __init__(self, url: str = URL) -> None:
        super().__init__(url)
        self.feeds |= {
            "mark_prices": Get(SYMBOL, self._ask_ticker, self._mark),
            "funding_rates": Get(SYMBOL, self._ask_rates, self._rates, self._older_rates),
            "open_interest": Get(SYMBOL, self._ask_interest, self._interest, self._more_interest),
        }

    def is_ours(self, instrument: Instrument) -> bool:
        """Whether a contract never expires."""
        return instrument.contract == "LinearPerpetual"

    def _mark(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        quotes, moments = self.quotes(body, wanted)
        columns = {
            "symbol": symbol_of(wanted),
            "time": moments,
            "mark_price": [quote.mark for quote in quotes],
            "index_price": [quote.index for quote in quotes],
        }
        return table("mark_prices", self.name, columns)

    def _ask_rates(self, wanted: Wanted, before: int | None = None) -> httpx.Request:
        """Ask for a page; the venue takes no start without an end."""
        until = to_micros(wanted.end or wanted.now) // MILLI - 1
        return self.market(
            "funding/history",
            symbol=native(symbol_of(wanted)),
            startTime=-(-to_micros(wanted.start) // MILLI) if wanted.start else None,
            endTime=before or until,
            limit=PAGE_RATES,
        )

    def _rates(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        rates = self._rate_list(body, wanted)
        columns = {
            "symbol": symbol_of(wanted),
            "funding_time": times([rate.time for rate in rates], MILLI, self.name),
            "rate": [rate.rate for rate in rates],
        }
        return table("funding_rates", self.name, columns)

    def _rate_list(self, body: bytes, wanted: Wanted) -> list[_Rate]:
        rates = self.decode(_rates, body).result.rows
        for rate in rates:
            expect(self.name, "funding rates of", native(symbol_of(wanted)), rate.symbol)
        return rates

    def _older_rates(
        self, body: bytes, wanted: Wanted, request: httpx.Request
    ) -> httpx.Request | None:
        """Ask for what is before a full page, where a span was asked for."""
        del request
        rates = self._rate_list(body, wanted)
        if wanted.start is None or len(rates) < PAGE_RATES:
            return None
        oldest = times([rate.time for rate in rates], MILLI, self.name).to_list()
        return self._ask_rates(wanted, before=min(oldest) // MILLI - 1)

    def _ask_interest(self, wanted: Wanted, cursor: str | None = None) -> httpx.Request:
        start, end = wanted.start, wanted.end
        return self.market(
            "open-interest",
            symbol=native(symbol_of(wanted)),
            intervalTime="5min",
            startTime=-(-to_micros(start) // MILLI) if start else None,
            endTime=-(-to_micros(end) // MILLI) - 1 if end else None,
            limit=PAGE_RATES if start else 1,
            cursor=cursor,
        )

    def _interest(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read what was open, every five minutes."""
        answer = self.decode(_interests, body).result
        expect(self.name, "open interest of", native(symbol_of(wanted)), answer.symbol)
        columns = {
            "symbol": symbol_of(wanted),
            "time": times([each.timestamp for each in answer.rows], MILLI, self.name),
            "amount": [each.amount for each in answer.rows],
        }
        return table("open_interest", self.name, columns)

    def _more_interest(
        self, body: bytes, wanted: Wanted, request: httpx.Request
    ) -> httpx.Request | None:
        """Ask for the page that the answer's cursor names, where a span was asked for."""
        del request
        cursor = self.decode(_interests, body).result.cursor
        return self._ask_interest(wanted, cursor) if cursor and wanted.start else None
