"""OKX perpetual swaps that are settled in the quote asset: bars, marks, funding, open interest.

https://www.okx.com/docs-v5/en/#public-data-rest-api-get-mark-price and its neighbours
`get-funding-rate-history` (newest first, 100 a call, `after` is older), `get-open-interest`.
`BTC-USDT` is `BTC-USDT-SWAP` there. Amounts come in contracts; here they are in the base asset.
A swap's index price is not part of its mark price's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from core.clock import to_micros
from sources.numbers import floats
from sources.venues.feeds import (
    EVERY,
    MILLI,
    SYMBOL,
    Get,
    expect,
    has_a_name,
    malformed,
    symbol_of,
    table,
    times,
)
from sources.venues.okx import INSTRUMENTS, URL, Instrument, Okx

if TYPE_CHECKING:
    import httpx

    from sources.provider import Wanted

PAGE_RATES = 100
_SUFFIX = "-SWAP"


class _Mark(msgspec.Struct):
    ts: str
    instrument: str = msgspec.field(name="instId")
    price: str = msgspec.field(name="markPx")


class _Marks(msgspec.Struct):
    data: list[_Mark]


class _Rate(msgspec.Struct):
    instrument: str = msgspec.field(name="instId")
    time: str = msgspec.field(name="fundingTime")
    rate: str = msgspec.field(name="realizedRate")


class _Rates(msgspec.Struct):
    data: list[_Rate]


class _Interest(msgspec.Struct):
    ts: str
    instrument: str = msgspec.field(name="instId")
    amount: str = msgspec.field(name="oiCcy")


class _Interests(msgspec.Struct):
    data: list[_Interest]


_marks = msgspec.json.Decoder(_Marks)
_rates = msgspec.json.Decoder(_Rates)
_interests = msgspec.json.Decoder(_Interests)


class OkxPerp(Okx):
    """Swaps; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "okx_perp"
    kind = "SWAP"
    volumes = (6, 7)

    def __init__(self, url: str = URL) -> None:
        super().__init__(url)
        self.feeds = {
            "mark_prices": Get(SYMBOL, self._ask_mark, self._mark),
            "funding_rates": Get(SYMBOL, self._ask_rates, self._rates, self._older_rates),
            "open_interest": Get(SYMBOL, self._ask_interest, self._interest),
            "instruments": Get(EVERY, self._ask_instruments, self._swaps),
            "venue_status": self.feeds["venue_status"],
        }

    def native(self, symbol: str) -> str:
        """Return `BTC-USDT` as `BTC-USDT-SWAP`."""
        return symbol + _SUFFIX

    def _ask_mark(self, wanted: Wanted) -> httpx.Request:
        params = {"instType": self.kind, "instId": self.native(symbol_of(wanted))}
        return self._api.get("/api/v5/public/mark-price", params)

    def _mark(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        marks = self.decode(_marks, body).data
        symbol = self._same(wanted, [mark.instrument for mark in marks])
        columns = {
            "symbol": symbol,
            "time": times([mark.ts for mark in marks], MILLI, self.name),
            "mark_price": [mark.price for mark in marks],
        }
        return table("mark_prices", self.name, columns)

    def _ask_rates(self, wanted: Wanted, after: int | None = None) -> httpx.Request:
        params: dict[str, str | int | None] = {
            "instId": self.native(symbol_of(wanted)),
            "before": to_micros(wanted.start) // MILLI - 1 if wanted.start else None,
            "after": after or (to_micros(wanted.end) // MILLI if wanted.end else None),
            "limit": PAGE_RATES,
        }
        return self._api.get("/api/v5/public/funding-rate-history", params)

    def _rates(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read what was paid; the rate announced before may have been another."""
        rates = self.decode(_rates, body).data
        columns = {
            "symbol": self._same(wanted, [rate.instrument for rate in rates]),
            "funding_time": times([rate.time for rate in rates], MILLI, self.name),
            "rate": [rate.rate for rate in rates],
        }
        return table("funding_rates", self.name, columns)

    def _older_rates(
        self, body: bytes, wanted: Wanted, request: httpx.Request
    ) -> httpx.Request | None:
        """Ask for what is before a full page, where a span was asked for."""
        del request
        rates = self.decode(_rates, body).data
        if wanted.start is None or len(rates) < PAGE_RATES:
            return None
        oldest = times([rate.time for rate in rates], MILLI, self.name).min()
        return self._ask_rates(wanted, after=int(oldest) // MILLI)  # type: ignore[arg-type]  # a whole number

    def _ask_interest(self, wanted: Wanted) -> httpx.Request:
        params = {"instType": self.kind, "instId": self.native(symbol_of(wanted))}
        return self._api.get("/api/v5/public/open-interest", params)

    def _interest(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read what is open. Its worth comes in USD only, which is not the quote asset."""
        found = self.decode(_interests, body).data
        columns = {
            "symbol": self._same(wanted, [each.instrument for each in found]),
            "time": times([each.ts for each in found], MILLI, self.name),
            "amount": [each.amount for each in found],
        }
        return table("open_interest", self.name, columns)

    def _swaps(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the swaps whose contracts are so much of the base asset."""
        every = self.decode(INSTRUMENTS, body).data
        kept = [i for i in every if i.contract_kind == "linear" and has_a_name(_symbol(i))]
        size = self._numbers("ctVal", [i.contract_value for i in kept]) * self._numbers(
            "ctMult", [i.contract_times for i in kept]
        )
        columns: dict[str, Any] = {
            "symbol": [_symbol(i) for i in kept],
            "kind": "perpetual",
            "base": [_symbol(i).split("-")[0] for i in kept],
            "quote": [_symbol(i).split("-")[1] for i in kept],
            "lot_size": self._numbers("lotSz", [i.lot for i in kept]) * size,
            "min_amount": self._numbers("minSz", [i.least for i in kept]) * size,
            "contract_size": size,
        }
        return table("instruments", self.name, columns | self.terms(kept, wanted))

    def _numbers(self, place: str, texts: list[str]) -> pl.Series:
        return floats(pl.Series(place, texts, pl.String), malformed(self.name))

    def _same(self, wanted: Wanted, instruments: list[str]) -> str:
        """Return the symbol that was asked for; refuse an answer about another."""
        symbol = symbol_of(wanted)
        for instrument in instruments:
            expect(self.name, "an answer about", self.native(symbol), instrument)
        return symbol


def _symbol(instrument: Instrument) -> str:
    return instrument.native.removesuffix(_SUFFIX)
