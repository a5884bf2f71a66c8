"""CoinGecko: prices now and before, coins by market capitalisation, tickers of many venues.

`GET /api/v3/simple/price`, `/coins/{id}/market_chart/range`, `/coins/list`, `/coins/markets`,
`/coins/{id}`, `/coins/{id}/history`, `/coins/{id}/tickers`, `/exchanges/{id}/tickers`:
https://docs.coingecko.com/v3.0.1/reference/endpoint-overview
Without a key an address may ask some 5 to 15 times a minute, with a demo key (header
`x-cg-demo-api-key`) 30 times: https://docs.coingecko.com/docs/common-errors-rate-limit
History is in steps that the length of the span decides: 5 minutes for a day, hours up to 90 days,
days beyond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.api import Api
from sources.world.coingecko_listings import Listings
from sources.world.coingecko_prices import Prices
from sources.world.coingecko_tickers import Tickers

if TYPE_CHECKING:
    from pydantic import SecretStr

    from sources.provider import Feed

URL = "https://api.coingecko.com"
PACE_WITHOUT_KEY, PACE_WITH_KEY = 5 / 60, 25 / 60  # requests a second


class CoinGecko:
    """Prices, listings and tickers; implements `sources.provider.Provider`."""

    name = "coingecko"

    def __init__(self, url: str = URL, api_key: SecretStr | None = None) -> None:
        self.url = url
        self.per_second = PACE_WITH_KEY if api_key else PACE_WITHOUT_KEY
        api = Api(self.name, url, api_key, header="x-cg-demo-api-key")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {
            "prices": Prices(api),
            "listings": Listings(api),
            "tickers": Tickers(api),
        }
