"""CryptoCompare: bars by the minute, hour and day, and prices of many assets at once.

Bars: `GET /index/cc/v1/historical/{minutes,hours,days}` for its own index of all venues (CADLI),
`GET /spot/v1/historical/…` for one venue's market:
https://developers.coindesk.com/documentation/data-api/index_cc_v1_historical_hours
https://developers.coindesk.com/documentation/data-api/spot_v1_historical_hours
Prices: `GET /data/pricemulti`: https://min-api.cryptocompare.com/documentation?key=Price
A key is sent as `Authorization: Apikey …`. Without one some 10 requests a minute are safe.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec
import polars as pl

from core.clock import to_micros
from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceOutOfReach,
    SourceRejected,
)
from core.market import check_venue
from sources.answers import decode
from sources.api import Api
from sources.base import Paging
from sources.frames import bars
from sources.provider import Page
from sources.shapes import Count, Seconds, from_seconds, rows_of
from sources.world.coins import symbols_of

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from core.market import Span
    from sources.provider import Feed, Wanted

URL = "https://data-api.cryptocompare.com"
PRICES_URL = "https://min-api.cryptocompare.com"
PAGE = 2_000
PACE_WITHOUT_KEY, PACE_WITH_KEY = 1 / 6, 5.0
INDEX = "cadli"
UNITS = {"1m": ("minutes", "MINUTE"), "1h": ("hours", "HOUR"), "1d": ("days", "DAY")}
_SECOND = timedelta(seconds=1)
# What the body of an answer with status 200 says when we asked too often.
_OVER_LIMIT = 99


class _Bar(msgspec.Struct, rename="upper"):
    unit: str
    timestamp: Seconds
    market: str
    instrument: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    total_trades: Count | None = None  # of a venue; an index has none
    volume_buy: float | None = None


class _Bars(msgspec.Struct, rename="pascal"):
    data: list[_Bar]


class _Refusal(msgspec.Struct, rename="pascal"):
    """What `min-api` answers, with status 200, in place of prices."""

    response: str
    message: str
    type: Count


class _Place(msgspec.Struct):
    """What is wrong with a parameter; `first` where a market begins later."""

    param: Literal["to_ts"]
    first: Seconds


class _Error(msgspec.Struct):
    other_info: _Place


class _BeforeFirst(msgspec.Struct, rename="pascal"):
    err: _Error


_bars = msgspec.json.Decoder(_Bars)
_before_first = msgspec.json.Decoder(_BeforeFirst)
_prices = msgspec.json.Decoder(dict[str, dict[str, float]])
_one_price = msgspec.json.Decoder(dict[str, float])
_refusal = msgspec.json.Decoder(_Refusal)


class CryptoCompare:
    """Bars and prices; implements `sources.base.Venue` and `sources.provider.Provider`.

    `market` is whose bars: the index of all venues, or a venue as CryptoCompare spells it; the
    bars of a venue belong to `name`. With `url` both kinds of data are asked at one address.
    """

    page_bars = PAGE
    paging = Paging.WINDOW

    def __init__(
        self,
        url: str | None = None,
        api_key: SecretStr | None = None,
        *,
        market: str = INDEX,
        name: str = "cryptocompare",
    ) -> None:
        self.name = check_venue(name)
        self.url = url or URL
        self.market = check_venue(market)
        self.per_second = PACE_WITH_KEY if api_key else PACE_WITHOUT_KEY
        ways = {"header": "authorization", "prefix": "Apikey "}
        self._api = Api(name, self.url, api_key, **ways)
        self.feeds: dict[str, Feed] = {
            "prices": Prices(Api(name, url or PRICES_URL, api_key, **ways))
        }

    def explain(self, body: bytes) -> str:
        """Return the words of a refusal.

        Raises:
            SourceOutOfReach: what was asked for is before the market's first bar.
        """
        said = self._api.explain(body)
        try:
            first = _before_first.decode(body).err.other_info.first
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return said
        raise SourceOutOfReach(self.name, said[:200], from_seconds(first))

    def request(self, span: Span) -> httpx.Request:
        """Ask for the first page of `span`: so many bars up to `to_ts`, which is included."""
        path, _ = _unit(span.interval)
        wanted = max(1, min(span.bars, PAGE))
        first = -(-to_micros(span.start) // 1_000_000)
        seconds = span.step // _SECOND
        first += -first % seconds
        kind = "index/cc" if self.market == INDEX else "spot"
        return self._api.get(
            f"/{kind}/v1/historical/{path}",
            {
                "market": self.market,
                "instrument": span.symbol,
                "to_ts": first + (wanted - 1) * seconds,
                "limit": wanted,
            },
        )

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page; an index has no count of trades, a bar without an update is flat."""
        found = decode(_bars, body, self.name).data
        told = {(bar.market, bar.instrument, bar.unit) for bar in found}
        expected = (self.market, span.symbol, _unit(span.interval)[1])
        if told - {expected}:
            raise SourceMalformed(self.name, f"expected bars of {expected}, was {sorted(told)}")
        given = {
            "open_time": pl.Series([bar.timestamp * 1_000_000 for bar in found], dtype=pl.Int64),
            **{
                column: pl.Series([getattr(bar, field) for bar in found], dtype=kind)
                for column, field, kind in _COLUMNS
            },
        }
        return bars(given, venue=self.name, symbol=span.symbol, interval=span.interval)


_COLUMNS = (
    *((name, name, pl.Float64()) for name in ("open", "high", "low", "close")),
    ("volume", "volume", pl.Float64()),
    ("quote_volume", "quote_volume", pl.Float64()),
    ("trades", "total_trades", pl.Int64()),
    ("taker_buy_volume", "volume_buy", pl.Float64()),
)


def _unit(interval: str) -> tuple[str, str]:
    try:
        return UNITS[interval]
    except KeyError:
        raise InvalidInput(
            f"expected an interval of cryptocompare: {', '.join(UNITS)}, was {interval!r}"
        ) from None


class Prices:
    """What assets are worth now."""

    subjects = "symbols such as BTC-USD or BTC-USD,ETH-USD"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for all symbols at once."""
        pairs = symbols_of(wanted.subject)
        if len(pairs) == 1:
            return self._api.get("/data/price", {"fsym": pairs[0][0], "tsyms": pairs[0][1]})
        bases = ",".join(base for base, _ in pairs)
        return self._api.get("/data/pricemulti", {"fsyms": bases, "tsyms": pairs[0][1]})

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read prices; an asset that it does not know is left out.

        Raises:
            RateLimited, SourceRejected: a refusal that came with status 200.
        """
        self._refuse(body)
        pairs = symbols_of(wanted.subject)
        if request.url.path.endswith("/data/price"):
            told = {pairs[0][0]: decode(_one_price, body, self._api.name)}
        else:
            told = decode(_prices, body, self._api.name)
        strange = set(told) - {base for base, _ in pairs}
        if strange:
            raise SourceMalformed(self._api.name, f"expected {wanted.subject}, was {strange}")
        return Page(
            rows_of(
                "prices",
                (
                    {
                        "venue": self._api.name,
                        "symbol": f"{base}-{quote}",
                        "time": wanted.now,
                        "price": told[base][quote],
                    }
                    for base, quote in dict.fromkeys(pairs)
                    if quote in told.get(base, {})
                ),
            )
        )

    def _refuse(self, body: bytes) -> None:
        try:
            refusal = _refusal.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # whatever it is, it is read as prices
        if refusal.type == _OVER_LIMIT:
            raise RateLimited(self._api.name, status=429, retry_after=None)
        raise SourceRejected(self._api.name, 200, self._api.explain(body))
