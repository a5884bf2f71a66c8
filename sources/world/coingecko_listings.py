"""CoinGecko's coins: the largest ones, one of them, or one as it was on past days.

https://docs.coingecko.com/v3.0.1/reference/coins-markets
https://docs.coingecko.com/v3.0.1/reference/coins-id
https://docs.coingecko.com/v3.0.1/reference/coins-id-history
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from core.clock import floor_to
from core.errors import InvalidInput
from sources.answers import decode
from sources.provider import Page
from sources.shapes import Count, Moment, rows_of
from sources.world.coins import COINGECKO_IDS

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from sources.api import Api
    from sources.provider import Wanted

PAGE = 250  # the most coins of one page
PAGES = 4  # the thousand largest are enough
_DAY = timedelta(days=1)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}", re.ASCII)


class _Market(msgspec.Struct):
    """One entry of `/coins/markets`."""

    id: str
    symbol: str
    name: str
    current_price: float | None
    market_cap: float | None
    market_cap_rank: Count | None
    total_volume: float | None
    circulating_supply: float | None
    total_supply: float | None
    max_supply: float | None
    last_updated: Moment | None
    change_1h: float | None = msgspec.field(
        name="price_change_percentage_1h_in_currency", default=None
    )
    change_24h: float | None = msgspec.field(name="price_change_percentage_24h", default=None)
    change_7d: float | None = msgspec.field(
        name="price_change_percentage_7d_in_currency", default=None
    )


class _Money(msgspec.Struct):
    """An amount in many currencies, of which we keep one."""

    usd: float | None = None


class _MarketData(msgspec.Struct):
    current_price: _Money
    market_cap: _Money
    total_volume: _Money
    circulating_supply: float | None = None
    total_supply: float | None = None
    max_supply: float | None = None
    market_cap_rank: Count | None = None
    last_updated: Moment | None = None
    change_1h: _Money = msgspec.field(
        name="price_change_percentage_1h_in_currency", default_factory=_Money
    )
    change_24h: float | None = msgspec.field(name="price_change_percentage_24h", default=None)
    change_7d: float | None = msgspec.field(name="price_change_percentage_7d", default=None)


class _Coin(msgspec.Struct):
    """A coin by itself; without market data where it had none on that day."""

    id: str
    symbol: str
    name: str
    market_data: _MarketData | None = None


_markets = msgspec.json.Decoder(list[_Market])
_coin = msgspec.json.Decoder(_Coin)


class Listings:
    """The largest coins in USD; one coin where it is named, day by day where `start` is given."""

    subjects = "none for the largest coins; a ticker such as BTC, or CoinGecko's name of a coin"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the first page, the coin, or its first day."""
        if wanted.subject is None:
            return self._page(1)
        if wanted.start:
            first = floor_to(wanted.start + _DAY - timedelta(microseconds=1), _DAY)
            return self._day(_id_of(wanted.subject), first)
        return self._api.get(
            f"/api/v3/coins/{_id_of(wanted.subject)}",
            {
                "localization": "false",
                "tickers": "false",
                "market_data": "true",
                "community_data": "false",
                "developer_data": "false",
                "sparkline": "false",
            },
        )

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read a page of coins, one coin, or its day; the next of either follows."""
        if wanted.subject is None:
            return self._read_page(body, wanted, request)
        coin = decode(_coin, body, self._api.name)
        day: datetime | None = request.extensions.get("day")
        rows = [self._row_of(coin, coin.market_data, day or wanted.now)] if coin.market_data else []
        following = None
        if day is not None and day + _DAY < (wanted.end or wanted.now):
            following = self._day(_id_of(wanted.subject), day + _DAY)
        return Page(rows_of("listings", rows), following)

    def _page(self, number: int) -> httpx.Request:
        return self._api.get(
            "/api/v3/coins/markets",
            {
                "vs_currency": "usd",
                "order": "market_cap_desc",
                "per_page": PAGE,
                "page": number,
                "price_change_percentage": "1h,24h,7d",
                "precision": "full",
            },
            number=number,
        )

    def _day(self, coin: str, day: datetime) -> httpx.Request:
        date = f"{day:%d-%m-%Y}"
        params = {"date": date, "localization": "false"}
        return self._api.get(f"/api/v3/coins/{coin}/history", params, day=day)

    def _read_page(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        coins = decode(_markets, body, self._api.name)
        number: int = request.extensions.get("number", 1)
        following = self._page(number + 1) if len(coins) == PAGE and number < PAGES else None
        return Page(rows_of("listings", (self._row(coin, wanted) for coin in coins)), following)

    def _row(self, coin: _Market, wanted: Wanted) -> dict[str, object]:
        return {
            "venue": self._api.name,
            "asset_id": coin.id,
            "asset": coin.symbol.upper(),
            "name": coin.name,
            "time": coin.last_updated or wanted.now,
            "rank": coin.market_cap_rank,
            "price": coin.current_price,
            "market_cap": coin.market_cap,
            "volume_24h": coin.total_volume,
            "circulating_supply": coin.circulating_supply,
            "total_supply": coin.total_supply,
            "max_supply": coin.max_supply,
            "change_1h": fraction(coin.change_1h),
            "change_24h": fraction(coin.change_24h),
            "change_7d": fraction(coin.change_7d),
        }

    def _row_of(self, coin: _Coin, data: _MarketData, time: datetime) -> dict[str, object]:
        return {
            "venue": self._api.name,
            "asset_id": coin.id,
            "asset": coin.symbol.upper(),
            "name": coin.name,
            "time": data.last_updated or time,
            "rank": data.market_cap_rank,
            "price": data.current_price.usd,
            "market_cap": data.market_cap.usd,
            "volume_24h": data.total_volume.usd,
            "circulating_supply": data.circulating_supply,
            "total_supply": data.total_supply,
            "max_supply": data.max_supply,
            "change_1h": fraction(data.change_1h.usd),
            "change_24h": fraction(data.change_24h),
            "change_7d": fraction(data.change_7d),
        }


def fraction(percent: float | None) -> float | None:
    """Return a change in percent as a fraction."""
    return None if percent is None else percent / 100


def _id_of(subject: str) -> str:
    coin = COINGECKO_IDS.get(subject, subject)
    if not _ID.fullmatch(coin):
        raise InvalidInput(f"expected a coin such as BTC or render-token, was {subject!r}")
    return coin
