"""CoinMarketCap: the largest coins, from `GET /v1/cryptocurrency/listings/latest`.

https://coinmarketcap.com/api/documentation/v1/#operation/getV1CryptocurrencyListingsLatest
The basic plan allows 30 requests a minute; a page costs a credit for each 200 coins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.errors import InvalidInput
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Count, Moment, rows_of
from sources.world.coingecko_listings import fraction

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

URL = "https://pro-api.coinmarketcap.com"
COINS = 1_000  # five credits


class _Quote(msgspec.Struct):
    price: float | None
    volume_24h: float | None
    market_cap: float | None
    last_updated: Moment
    change_1h: float | None = msgspec.field(name="percent_change_1h")
    change_24h: float | None = msgspec.field(name="percent_change_24h")
    change_7d: float | None = msgspec.field(name="percent_change_7d")


class _Quotes(msgspec.Struct):
    usd: _Quote = msgspec.field(name="USD")


class _Coin(msgspec.Struct):
    id: Count
    name: str
    symbol: str
    cmc_rank: Count
    circulating_supply: float | None
    total_supply: float | None
    max_supply: float | None
    date_added: Moment
    quote: _Quotes


class _Listings(msgspec.Struct):
    data: list[_Coin]


_listings = msgspec.json.Decoder(_Listings)


class CoinMarketCap:
    """Listings; implements `sources.provider.Provider`."""

    name = "coinmarketcap"
    per_second = 0.4

    def __init__(self, url: str = URL, api_key: SecretStr | None = None) -> None:
        self.url = url
        api = Api(self.name, url, api_key, header="X-CMC_PRO_API_KEY")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"listings": Listings(api)}


class Listings:
    """The largest coins, in USD."""

    subjects = ""

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the one page."""
        if wanted.subject is not None:
            raise InvalidInput(f"expected no subject for listings, was {wanted.subject!r}")
        return self._api.get(
            "/v1/cryptocurrency/listings/latest", {"start": 1, "limit": COINS, "convert": "USD"}
        )

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the page."""
        del wanted, request
        coins = decode(_listings, body, self._api.name).data
        return Page(rows_of("listings", (self._row(coin, coin.quote.usd) for coin in coins)))

    def _row(self, coin: _Coin, quote: _Quote) -> dict[str, object]:
        return {
            "venue": self._api.name,
            "asset_id": str(coin.id),
            "asset": coin.symbol,
            "name": coin.name,
            "time": quote.last_updated,
            "rank": coin.cmc_rank,
            "price": quote.price,
            "market_cap": quote.market_cap,
            "volume_24h": quote.volume_24h,
            "circulating_supply": coin.circulating_supply,
            "total_supply": coin.total_supply,
            "max_supply": coin.max_supply,
            "change_1h": fraction(quote.change_1h),
            "change_24h": fraction(quote.change_24h),
            "change_7d": fraction(quote.change_7d),
            "listed_at": coin.date_added,
        }
