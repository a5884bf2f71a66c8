"""CoinGecko's tickers: what many venues quote for a coin, or one venue for its markets.

https://docs.coingecko.com/v3.0.1/reference/coins-id-tickers
https://docs.coingecko.com/v3.0.1/reference/exchanges-id-tickers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.errors import InvalidInput
from core.market import check_symbol, check_venue
from sources.answers import decode
from sources.provider import Page
from sources.shapes import Moment, rows_of
from sources.world.coins import COINGECKO_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from sources.api import Api
    from sources.provider import Wanted

PAGE = 100  # tickers on each page but the last
PAGES = 20
# Where its name of a venue is not ours.
VENUES = {
    "gdax": "coinbase",
    "huobi": "htx",
    "okex": "okx",
    "bybit_spot": "bybit",
    "binance_futures": "binance_perp",
}


class _Venue(msgspec.Struct):
    identifier: str


class _Ticker(msgspec.Struct):
    base: str
    target: str
    market: _Venue
    last: float
    volume: float
    timestamp: Moment | None
    is_anomaly: bool
    is_stale: bool


class _Tickers(msgspec.Struct):
    name: str
    tickers: list[_Ticker]


_tickers = msgspec.json.Decoder(_Tickers)


class Tickers:
    """The last price and volume of a coin's markets, or of a venue's.

    What CoinGecko itself calls stale or an anomaly is left out, as are markets whose assets or
    venue have no name here, such as tokens that are named by their address.
    """

    subjects = "a coin's ticker such as BTC, or a venue such as kraken"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the first page."""
        return self._page(wanted, 1)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read one page; another follows a full one."""
        tickers = decode(_tickers, body, self._api.name).tickers
        number: int = request.extensions.get("number", 1)
        full = len(tickers) == PAGE and number < PAGES
        following = self._page(wanted, number + 1) if full else None
        return Page(rows_of("tickers", _rows(tickers, wanted)), following)

    def _page(self, wanted: Wanted, number: int) -> httpx.Request:
        subject = wanted.subject or ""
        if subject in COINGECKO_IDS:
            path = f"/api/v3/coins/{COINGECKO_IDS[subject]}/tickers"
        else:
            path = f"/api/v3/exchanges/{_venue_of(subject)}/tickers"
        return self._api.get(path, {"page": number}, number=number)


def _rows(tickers: list[_Ticker], wanted: Wanted) -> Iterator[dict[str, object]]:
    for ticker in tickers:
        venue = VENUES.get(ticker.market.identifier, ticker.market.identifier)
        symbol = f"{ticker.base}-{ticker.target}"
        if ticker.is_anomaly or ticker.is_stale or not _named(venue, symbol):
            continue
        yield {
            "venue": venue,
            "symbol": symbol,
            "time": ticker.timestamp or wanted.now,
            "last": ticker.last,
            "volume_24h": ticker.volume,
        }


def _venue_of(subject: str) -> str:
    theirs = {ours: theirs for theirs, ours in VENUES.items()}
    try:
        return theirs.get(subject, check_venue(subject))
    except InvalidInput:
        raise InvalidInput(
            f"expected a ticker of {', '.join(sorted(COINGECKO_IDS)[:5])}, … or a venue, "
            f"was {subject!r}"
        ) from None


def _named(venue: str, symbol: str) -> bool:
    try:
        check_venue(venue)
        check_symbol(symbol)
    except InvalidInput:
        return False
    return True
