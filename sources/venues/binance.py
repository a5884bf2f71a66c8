"""Binance spot: bars from `GET /api/v3/klines`; what else it gives is in `binance_markets`.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
The sandbox exchange speaks the same protocol: `Binance(url, name="sandbox")`.

Bars: `startTime` and `endTime` are milliseconds and both belong to what is answered; oldest first;
at most 1,000, of which the oldest where there are more. A minute without a trade has a bar that
repeats the last price. A bar's closing time says when it stops forming.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from core.clock import to_micros
from core.errors import SourceMalformed
from core.market import check_venue, interval_step
from sources.answers import decode, opening, without_key
from sources.api import Api
from sources.base import ask
from sources.frames import bars
from sources.numbers import float_columns
from sources.pacing import Pacer
from sources.paging import Paging
from sources.retry import PATIENT, Retry
from sources.shapes import Count, Millis
from sources.venues.binance_markets import spot_feeds
from sources.venues.feeds import has_a_name

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from core.market import Span
    from sources.provider import Feed

URL = "https://api.binance.com"
PAGE = 1_000
# An address may spend 6,000 weight a minute and a page of bars weighs 2: 50 pages a second.
PACE = 20.0
SANDBOX_PACE = 1_000.0  # it is our own machine

# open time, open, high, low, close, volume, close time, quote volume, trades,
# taker buy volume, taker buy quote volume, unused
Row = tuple[Millis, str, str, str, str, str, Millis, str, Count, str, str, str]
_NAMES = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
_PLACES = (1, 2, 3, 4, 5, 7, 9)


class _Market(msgspec.Struct):
    """One entry of `exchangeInfo.symbols`, as far as we use it."""

    status: str
    base: str = msgspec.field(name="baseAsset")
    quote: str = msgspec.field(name="quoteAsset")


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Market]


class _Refusal(msgspec.Struct):
    """The body of an error; https://developers.binance.com/docs/binance-spot-api-docs/errors."""

    code: int
    msg: str


_rows = msgspec.json.Decoder(list[Row])
_info = msgspec.json.Decoder(_ExchangeInfo)
_refusal = msgspec.json.Decoder(_Refusal)


class Binance:
    """Spot; implements `sources.base.Venue` and `sources.provider.Provider`.

    `api_key` is sent as `X-MBX-APIKEY` where it is given; public data needs none.
    """

    page_bars = PAGE
    paging = Paging.FORWARD
    bars_path = "/api/v3/klines"

    def __init__(
        self,
        url: str = URL,
        name: str = "binance",
        api_key: SecretStr | None = None,
        *,
        per_second: float | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.name = check_venue(name)
        self.per_second = per_second or (SANDBOX_PACE if name == "sandbox" else PACE)
        self._key = api_key
        self._api = Api(self.name, url, api_key, header="X-MBX-APIKEY")
        # The sandbox speaks of bars only.
        self.feeds: dict[str, Feed] = {} if name == "sandbox" else spot_feeds(self._api)

    def request(self, span: Span) -> httpx.Request:
        """Ask for the first page of `span`; this venue's `endTime` is inclusive."""
        params: dict[str, str | int] = {
            "symbol": span.symbol.replace("-", ""),
            "interval": span.interval,
            "startTime": -(-to_micros(span.start) // 1_000),
            "endTime": -(-to_micros(span.end) // 1_000) - 1,
            "limit": self.page_bars,
        }
        return self._api.get(self.bars_path, params)

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page of bars; prices that are numbers but no prices are left to the gate."""
        rows = decode(_rows, body, self.name)
        columns = list(zip(*rows, strict=True)) or [()] * 12
        self._check_lengths(columns[0], columns[6], span)
        text = [
            pl.Series(name, columns[place], pl.String)
            for name, place in zip(_NAMES, _PLACES, strict=True)
        ]
        read = float_columns(pl.DataFrame(text), self._malformed)
        opens = pl.Series("open_time", columns[0], pl.Int64) * 1_000
        trades = pl.Series("trades", columns[8], pl.Int64)
        return bars(
            {"open_time": opens, "trades": trades, **read},
            venue=self.name,
            symbol=span.symbol,
            interval=span.interval,
        )

    def explain(self, body: bytes) -> str:
        """Return the venue's code and message, or the start of a body that has none."""
        try:
            refusal = _refusal.decode(body)
            said = f"{refusal.code}: {refusal.msg}"
        except msgspec.DecodeError:
            said = opening(body)
        return without_key(said, self._key)

    def instruments(
        self,
        client: httpx.Client,
        *,
        pacer: Pacer | None = None,
        retry: Retry = PATIENT,
    ) -> list[str]:
        """Return the symbols trading now as `BASE-QUOTE`, sorted.

        A market whose assets are not of letters A to Z and digits has no name here and is left
        out; Binance lists a few.
        """
        info = ask(
            self.name,
            lambda: self._api.get("/api/v3/exchangeInfo", {"symbolStatus": "TRADING"}),
            client,
            read=lambda body: decode(_info, body, self.name),
            explain=self.explain,
            pacer=pacer or Pacer(self.per_second),
            retry=retry,
        )
        names = (f"{m.base}-{m.quote}" for m in info.symbols if m.status == "TRADING")
        return sorted({name for name in names if has_a_name(name)})

    def _check_lengths(self, opens: tuple[int, ...], closes: tuple[int, ...], span: Span) -> None:
        """Refuse a page whose bars are mostly not as long as those asked for."""
        step = interval_step(span.interval) // timedelta(milliseconds=1)
        wrong = [b - a + 1 for a, b in zip(opens, closes, strict=True) if b - a + 1 != step]
        if len(wrong) * 2 > len(opens):
            raise self._malformed(f"expected bars of {step} ms, was {wrong[0]} ms")

    def _malformed(self, reason: str) -> SourceMalformed:
        return SourceMalformed(self.name, reason)
