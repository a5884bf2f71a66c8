"""Venues as they document themselves: what each answers when it is asked for bars.

A dialect is a small fake that refuses what its venue refuses (too many bars, a wrong parameter) and
pages as its venue pages. One conformance test asks them all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx

from sources.venues.binance import Binance
from sources.venues.binance_perp import BinancePerp
from sources.venues.bybit import Bybit
from sources.venues.bybit_perp import BybitPerp
from sources.venues.ccxt_venue import Ccxt
from sources.venues.coinbase import Coinbase
from sources.venues.htx import Htx
from sources.venues.kraken import Kraken
from sources.venues.kucoin import KuCoin
from sources.venues.okx import Okx
from sources.venues.okx_perp import OkxPerp
from sources.world.cryptocompare import CryptoCompare
from tests.sources.fakes import MINUTE, START, millis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

URL = "http://venue"
SYMBOL = "BTC-USDT"
STEP = 60


class Market:
    """A market in which something was traded in some minutes after START, as it is at `now`."""

    def __init__(self, minutes: Iterable[int], now: datetime) -> None:
        self.now = now
        self.traded = sorted(n for n in set(minutes) if START + n * MINUTE <= now)

    @property
    def filled(self) -> list[int]:
        """Every minute from the first trade on, as venues write them that leave none out."""
        newest = (self.now - START) // MINUTE
        return list(range(self.traded[0], newest + 1)) if self.traded else []

    def closed(self, minute: int) -> bool:
        return START + (minute + 1) * MINUTE <= self.now

    def cells(self, minute: int) -> dict[str, str]:
        """Return a bar's numbers as text; a minute without a trade repeats the last close."""
        if minute in self.traded:
            return numbers(minute)
        last = numbers(max(n for n in self.traded if n < minute))["close"]
        flat = dict.fromkeys(("open", "high", "low", "close"), last)
        return flat | {"volume": "0", "quote": "0", "trades": "0"}


def numbers(minute: int) -> dict[str, str]:
    """Return what the bar of a minute says, different in every column and every minute."""
    base = 1_000 + abs(minute) % 1_000
    return {
        "open": f"{base}.25",
        "high": f"{base + 2}.5",
        "low": f"{base - 3}.125",
        "close": f"{base + 1}.75",
        "volume": f"{abs(minute) + 1}.0625",
        "quote": f"{1_000 * (abs(minute) + 1)}.5",
        "trades": str(abs(minute) + 7),
    }


def seconds(minute: int) -> int:
    return int(START.timestamp()) + STEP * minute


def between(minutes: Iterable[int], first_ms: int, last_ms: int) -> list[int]:
    """Return the minutes whose bars open in [first, last], in milliseconds."""
    return [n for n in minutes if first_ms <= 1_000 * seconds(n) <= last_ms]


class Dialect:
    """What all fakes share; `cap` is the most bars that the venue gives at once."""

    cap = 1_000
    fills = False
    dates_its_answers = True
    has_quote = True
    has_trades = False

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.market = Market([], START)
        self.instead: httpx.Response | None = None  # what it answers, whatever it is asked
        self.turned: Callable[[httpx.QueryParams], httpx.QueryParams] = lambda params: params

    def make(self, url: str = URL) -> Any:
        raise NotImplementedError

    def answer(self, params: httpx.QueryParams) -> Any:
        """Return the JSON that answers a request for bars, or an `httpx.Response`."""
        raise NotImplementedError

    def minutes(self) -> list[int]:
        return self.market.filled if self.fills else self.market.traded

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        said = self.instead or self.answer(self.turned(request.url.params))
        date = format_datetime(self.market.now, usegmt=True)
        dated = {"date": date} if self.dates_its_answers else {}
        if isinstance(said, httpx.Response):
            return said
        return httpx.Response(200, json=said, headers=dated)

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))


class BinanceDialect(Dialect):
    fills = True
    has_trades = True

    def make(self, url: str = URL) -> Any:
        return Binance(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        if int(params["limit"]) > 1_000 or params["symbol"] != "BTCUSDT":
            return httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})
        found = between(self.minutes(), int(params["startTime"]), int(params["endTime"]))
        return [self.row(n) for n in found[: self.cap]]

    def row(self, minute: int) -> list[Any]:
        c = self.market.cells(minute)
        opened = 1_000 * seconds(minute)
        return [
            *(opened, c["open"], c["high"], c["low"], c["close"], c["volume"]),
            *(opened + 59_999, c["quote"], int(c["trades"]), c["volume"], c["quote"], "0"),
        ]


class BinancePerpDialect(BinanceDialect):
    def make(self, url: str = URL) -> Any:
        return BinancePerp(url)


class CoinbaseDialect(Dialect):
    cap = 350
    has_quote = False

    def make(self, url: str = URL) -> Any:
        return Coinbase(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        start, end = int(params["start"]), int(params["end"])
        if (end - start) // STEP >= 350 or params["granularity"] != "ONE_MINUTE":
            said = "number of candles requested should be less than 350"
            return httpx.Response(400, json={"error": "INVALID_ARGUMENT", "message": said})
        found = between(self.minutes(), 1_000 * start, 1_000 * end)[-self.cap :]
        rows = [{"start": str(seconds(n)), **self.columns(n)} for n in reversed(found)]
        return {"candles": rows}

    def columns(self, minute: int) -> dict[str, str]:
        cells = self.market.cells(minute)
        return {name: cells[name] for name in ("low", "high", "open", "close", "volume")}


class KrakenDialect(Dialect):
    cap = 720
    fills = True
    has_quote = False
    has_trades = True

    def make(self, url: str = URL) -> Any:
        return Kraken(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        if params["pair"] != "XBTUSDT":
            return {"error": ["EQuery:Unknown asset pair"]}
        newest = self.minutes()[-self.cap :]
        since = int(params["since"])
        # The last entry is there whatever `since` is.
        found = [n for n in newest if seconds(n) > since or n == newest[-1]]
        committed = [n for n in newest if self.market.closed(n)]
        last = seconds(committed[-1]) if committed else 0
        return {"error": [], "result": {"XBTUSDT": [self.row(n) for n in found], "last": last}}

    def row(self, minute: int) -> list[Any]:
        c = self.market.cells(minute)
        prices = (c["open"], c["high"], c["low"], c["close"], c["open"])
        return [seconds(minute), *prices, c["volume"], int(c["trades"])]


class CryptoCompareDialect(Dialect):
    cap = 2_000
    fills = True

    def make(self, url: str = URL) -> Any:
        return CryptoCompare(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        minutes, last = self.minutes(), int(params["to_ts"])
        if params["instrument"] != SYMBOL or params["market"] != "cadli":
            return httpx.Response(
                404, json={"Data": [], "Err": {"type": 1, "message": "Invalid instrument"}}
            )
        if minutes and last < seconds(minutes[0]):
            place = {"param": "to_ts", "values": [last], "first": seconds(minutes[0])}
            error = {"type": 1, "message": "Invalid: to_ts parameter.", "other_info": place}
            return httpx.Response(404, json={"Data": [], "Err": error})
        most = min(int(params["limit"]), self.cap)
        found = between(minutes, 1_000 * (last - STEP * (most - 1)), 1_000 * last)
        return {"Data": [self.row(n) for n in found], "Err": {}}

    def row(self, minute: int) -> dict[str, Any]:
        c = self.market.cells(minute)
        told = {name.upper(): float(c[name]) for name in ("open", "high", "low", "close", "volume")}
        return {
            "UNIT": "MINUTE",
            "TIMESTAMP": seconds(minute),
            "MARKET": "cadli",
            "INSTRUMENT": SYMBOL,
            "QUOTE_VOLUME": float(c["quote"]),
            **told,
        }


class KuCoinDialect(Dialect):
    cap = 1_500
    includes_end = False

    def make(self, url: str = URL) -> Any:
        return KuCoin(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        if params["symbol"] != SYMBOL or params["type"] != "1min":
            return {"code": "900001", "msg": "symbol not exists"}
        end = int(params["endAt"]) - (not self.includes_end)
        found = between(self.minutes(), 1_000 * int(params["startAt"]), 1_000 * end)
        rows = [self.row(n) for n in reversed(found[-self.cap :])]
        return {"code": "200000", "data": rows}

    def row(self, minute: int) -> list[str]:
        c = self.market.cells(minute)
        prices = (c["open"], c["close"], c["high"], c["low"])
        return [str(seconds(minute)), *prices, c["volume"], c["quote"]]


class KuCoinInclusiveDialect(KuCoinDialect):
    includes_end = True


class OkxDialect(Dialect):
    cap = 300
    fills = True

    def make(self, url: str = URL) -> Any:
        return Okx(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        if params["instId"] not in {SYMBOL, SYMBOL + "-SWAP"}:
            return {"code": "51001", "msg": "Instrument ID doesn't exist", "data": []}
        if int(params["limit"]) > 300:
            return {"code": "51000", "msg": "Parameter limit error", "data": []}
        first, last = int(params["before"]) + 1, int(params["after"]) - 1
        found = between(self.minutes(), first, last)[-self.cap :]
        return {"code": "0", "msg": "", "data": [self.row(n) for n in reversed(found)]}

    def row(self, minute: int) -> list[str]:
        c = self.market.cells(minute)
        prices = (c["open"], c["high"], c["low"], c["close"])
        closed = "1" if self.market.closed(minute) else "0"
        return [str(1_000 * seconds(minute)), *prices, c["volume"], c["quote"], c["quote"], closed]


class OkxPerpDialect(OkxDialect):
    def make(self, url: str = URL) -> Any:
        return OkxPerp(url)

    def row(self, minute: int) -> list[str]:
        """Volumes are contracts, then the base asset, then the quote asset."""
        row = super().row(minute)
        return [*row[:5], "123456", row[5], row[7], row[8]]


class HtxDialect(Dialect):
    cap = 2_000
    has_trades = True

    def make(self, url: str = URL) -> Any:
        return Htx(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        if params["symbol"] != "btcusdt" or int(params["size"]) > 2_000:
            error = {"err-code": "invalid-parameter", "err-msg": "invalid symbol", "data": None}
            return {"ts": millis(self.market.now), "status": "error", **error}
        rows = [self.row(n) for n in reversed(self.minutes()[-self.cap :])]
        channel = f"market.btcusdt.kline.{params['period']}"
        return {"ch": channel, "status": "ok", "ts": millis(self.market.now), "data": rows}

    def row(self, minute: int) -> dict[str, Any]:
        c = self.market.cells(minute)
        prices = {name: float(c[name]) for name in ("open", "close", "low", "high")}
        volumes = {"amount": float(c["volume"]), "vol": float(c["quote"])}
        return {"id": seconds(minute), **prices, **volumes, "count": int(c["trades"])}


class BybitDialect(Dialect):
    cap = 1_000
    fills = True

    def make(self, url: str = URL) -> Any:
        return Bybit(url)

    def answer(self, params: httpx.QueryParams) -> Any:
        now = {"retExtInfo": {}, "time": millis(self.market.now)}
        if params["symbol"] != "BTCUSDT" or int(params["limit"]) > 1_000:
            return {"retCode": 10001, "retMsg": "Not supported symbols", "result": {}, **now}
        start = int(params["start"]) // 60_000 * 60_000  # the bar that contains the start too
        found = between(self.minutes(), start, int(params["end"]))[-self.cap :]
        rows = [self.row(n) for n in reversed(found)]
        result = {"category": params["category"], "symbol": "BTCUSDT", "list": rows}
        return {"retCode": 0, "retMsg": "OK", "result": result, **now}

    def row(self, minute: int) -> list[str]:
        c = self.market.cells(minute)
        prices = (c["open"], c["high"], c["low"], c["close"])
        return [str(1_000 * seconds(minute)), *prices, c["volume"], c["quote"]]


class BybitPerpDialect(BybitDialect):
    def make(self, url: str = URL) -> Any:
        return BybitPerp(url)


class CcxtDialect(Dialect):
    """Bitstamp, as CCXT knows it."""

    cap = 1_000
    has_quote = False
    listing = (
        {
            "name": "BTC/USDT",
            "market_symbol": "btcusdt",
            "base_currency": "BTC",
            "base_decimals": 8,
            "counter_currency": "USDT",
            "counter_decimals": 2,
            "minimum_order_value": "10",
            "trading": "Enabled",
            "instant_order_counter_decimals": 2,
            "instant_and_market_orders": "Enabled",
            "description": "Bitcoin / Tether",
            "market_type": "SPOT",
        },
    )

    def make(self, url: str = URL) -> Any:
        venue = Ccxt("bitstamp", url)
        venue.prepare(lambda request: self(request).content)
        return venue

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v2/markets/":
            return httpx.Response(200, json=self.listing)
        if request.url.path == "/api/v2/currencies/":
            return httpx.Response(200, json=[])
        return super().__call__(request)

    def answer(self, params: httpx.QueryParams) -> Any:
        if int(params["limit"]) > 1_000 or params["step"] != "60":
            return httpx.Response(400, json={"code": "400.002", "reason": "Invalid step symbol"})
        found = between(self.minutes(), 1_000 * int(params["start"]), 1_000 * int(params["end"]))
        rows = [{"timestamp": str(seconds(n)), **self.columns(n)} for n in found[: self.cap]]
        return {"data": {"pair": "BTC/USDT", "ohlc": rows}}

    def columns(self, minute: int) -> dict[str, str]:
        cells = self.market.cells(minute)
        return {name: cells[name] for name in ("low", "high", "open", "close", "volume")}


DIALECTS: dict[str, type[Dialect]] = {
    "binance": BinanceDialect,
    "binance_perp": BinancePerpDialect,
    "bybit": BybitDialect,
    "bybit_perp": BybitPerpDialect,
    "ccxt": CcxtDialect,
    "coinbase": CoinbaseDialect,
    "cryptocompare": CryptoCompareDialect,
    "htx": HtxDialect,
    "kraken": KrakenDialect,
    "kucoin": KuCoinDialect,
    "kucoin, its end included": KuCoinInclusiveDialect,
    "okx": OkxDialect,
    "okx_perp": OkxPerpDialect,
}


def after(minutes: float) -> datetime:
    """Return so many minutes after START."""
    return START + timedelta(minutes=minutes)
