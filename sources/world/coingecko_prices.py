"""CoinGecko's prices: of several coins now, or of one coin over a span.

https://docs.coingecko.com/v3.0.1/reference/simple-price
https://docs.coingecko.com/v3.0.1/reference/coins-id-market-chart-range
https://docs.coingecko.com/v3.0.1/reference/coins-list
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.clock import to_micros
from core.errors import InvalidInput, SourceMalformed
from sources.answers import decode
from sources.provider import Page
from sources.shapes import Millis, from_millis, from_seconds, rows_of
from sources.world.coins import COINGECKO_IDS, symbols_of

if TYPE_CHECKING:
    from datetime import datetime

    import httpx
    import polars as pl

    from sources.api import Api
    from sources.provider import Wanted


class _Chart(msgspec.Struct):
    """Three series of [milliseconds, value] over the same times."""

    prices: list[tuple[Millis, float]]
    market_caps: list[tuple[Millis, float | None]]
    total_volumes: list[tuple[Millis, float | None]]


class _Coin(msgspec.Struct):
    id: str
    symbol: str


_simple = msgspec.json.Decoder(dict[str, dict[str, float | None]])
_chart = msgspec.json.Decoder(_Chart)
_list = msgspec.json.Decoder(list[_Coin])
_LIST = "/api/v3/coins/list"


class Prices:
    """Prices now (any number of coins, one currency), or with `start` the history of one coin."""

    subjects = "symbols such as BTC-USD or BTC-USD,ETH-USD; one where a start is given"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for prices, or first for the list of coins where a ticker is none we know."""
        pairs = symbols_of(wanted.subject)
        if wanted.start and len(pairs) != 1:
            raise InvalidInput(f"expected one symbol for a history, was {wanted.subject!r}")
        if all(base in COINGECKO_IDS for base, _ in pairs):
            return self._ask(wanted, COINGECKO_IDS)
        return self._api.get(_LIST)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read prices, a history, or the list, after which the prices are asked for."""
        path = request.url.path
        if path.endswith(_LIST):
            asking = self._ask(wanted, {**self._unique_ids(body, wanted), **COINGECKO_IDS})
            return Page(rows_of("prices", []), asking)
        if path.endswith("/range"):
            return Page(self._history(body, wanted))
        return Page(self._now(body, wanted, request))

    def _ask(self, wanted: Wanted, ids: dict[str, str]) -> httpx.Request:
        pairs = symbols_of(wanted.subject)
        currency = pairs[0][1].lower()
        if wanted.start:
            end = wanted.end or wanted.now
            return self._api.get(
                f"/api/v3/coins/{ids[pairs[0][0]]}/market_chart/range",
                {"vs_currency": currency, "from": _seconds(wanted.start), "to": _seconds(end)},
            )
        return self._api.get(
            "/api/v3/simple/price",
            {
                "ids": ",".join(ids[base] for base, _ in pairs),
                "vs_currencies": currency,
                "include_market_cap": "true",
                "include_24hr_vol": "true",
                "include_last_updated_at": "true",
                "precision": "full",
            },
            tickers={ids[base]: base for base, _ in pairs},
        )

    def _now(self, body: bytes, wanted: Wanted, request: httpx.Request) -> pl.DataFrame:
        currency = symbols_of(wanted.subject)[0][1]
        tickers: dict[str, str] = request.extensions["tickers"]
        told = {coin: tickers.get(coin, "") for coin in decode(_simple, body, self._api.name)}
        if "" in told.values():
            raise SourceMalformed(self._api.name, f"expected coins {sorted(tickers)}, was {told}")
        return rows_of(
            "prices",
            (
                self._row(f"{told[coin]}-{currency}", values, wanted, currency.lower())
                for coin, values in decode(_simple, body, self._api.name).items()
                if values.get(currency.lower()) is not None
            ),
        )

    def _row(
        self, symbol: str, values: dict[str, float | None], wanted: Wanted, currency: str
    ) -> dict[str, object]:
        updated = values.get("last_updated_at")
        if updated is not None and not 0 <= updated <= 253_402_300_799:
            raise SourceMalformed(
                self._api.name, f"last_updated_at: expected seconds, was {updated}"
            )
        return {
            "venue": self._api.name,
            "symbol": symbol,
            "time": wanted.now if updated is None else from_seconds(int(updated)),
            "price": values[currency],
            "volume_24h": values.get(f"{currency}_24h_vol"),
            "market_cap": values.get(f"{currency}_market_cap"),
        }

    def _history(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        chart = decode(_chart, body, self._api.name)
        base, quote = symbols_of(wanted.subject)[0]
        caps, volumes = dict(chart.market_caps), dict(chart.total_volumes)
        return rows_of(
            "prices",
            (
                {
                    "venue": self._api.name,
                    "symbol": f"{base}-{quote}",
                    "time": from_millis(at),
                    "price": price,
                    "volume_24h": volumes.get(at),
                    "market_cap": caps.get(at),
                }
                for at, price in chart.prices
            ),
        )

    def _unique_ids(self, body: bytes, wanted: Wanted) -> dict[str, str]:
        """Return the names of the coins asked for that the list has once."""
        asked = {base for base, _ in symbols_of(wanted.subject)} - set(COINGECKO_IDS)
        found: dict[str, list[str]] = {base: [] for base in asked}
        for coin in decode(_list, body, self._api.name):
            if coin.symbol.upper() in found:
                found[coin.symbol.upper()].append(coin.id)
        for base, ids in found.items():
            if len(ids) != 1:
                raise InvalidInput(
                    f"expected a ticker of one coin at {self._api.name}, was {base}, "
                    f"which {len(ids)} have: {', '.join(ids[:5])}"
                )
        return {base: ids[0] for base, ids in found.items()}


def _seconds(moment: datetime) -> int:
    return to_micros(moment) // 1_000_000
