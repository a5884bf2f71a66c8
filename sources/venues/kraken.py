"""Kraken spot: bars, tickers, trades, books, pairs and the system's status.

https://docs.kraken.com/api-reference/market-data/get-ohlc-data and its neighbours; errors:
https://docs.kraken.com/api/docs/guides/spot-errors; limits (one public call a second):
https://docs.kraken.com/api/docs/guides/spot-rest-ratelimits

Bars: the newest 720 and no others, whatever `since` says; oldest first. Each minute has a bar:
where nothing was traded it repeats the last price with a volume of 0. The last entry is of the
bar that still forms, and the field `last` is the time of the last one that does not. Errors come
with a 200. Kraken writes XBT for BTC and XDG for DOGE.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import polars as pl

from core.clock import to_micros
from core.errors import InvalidInput, SourceMalformed
from sources.answers import decode, opening
from sources.api import Api
from sources.base import Paging
from sources.shapes import Count, Moment, Seconds
from sources.venues.feeds import (
    EVERY,
    SECOND,
    SYMBOL,
    Get,
    book,
    has_a_name,
    interval_of,
    refusal,
    symbol_of,
    table,
    text_bars,
    times,
    transposed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx

    from core.market import Span
    from sources.provider import Wanted

T = TypeVar("T")
URL = "https://api.kraken.com"
PAGE = 720
PACE = 1.0
INTERVALS = {
    "1m": "1",
    "5m": "5",
    "15m": "15",
    "30m": "30",
    "1h": "60",
    "4h": "240",
    "1d": "1440",
}
_OURS = {"XBT": "BTC", "XDG": "DOGE"}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}
_LIMITED = frozenset(
    {"EGeneral:Too many requests", "EAPI:Rate limit exceeded", "EService:Throttled"}
)
_PASSING = frozenset(
    {
        "EService:Unavailable",
        "EService:Busy",
        "EService:Timeout",
        "EService:Deadline elapsed",
        "EGeneral:Internal error",
        "EGeneral:Temporary lockout",
    }
)

# time, open, high, low, close, volume-weighted mean, volume, trades
_Bar = tuple[Seconds, str, str, str, str, str, str, Count]
# price, volume, seconds, buy or sell, market or limit, notes, number
_Trade = tuple[str, str, Annotated[float, msgspec.Meta(ge=0, le=253_402_300_799)], str, str, str,
               Count]  # fmt: skip


class _Head(msgspec.Struct):
    error: list[str]


class _Raw(msgspec.Struct):
    result: dict[str, msgspec.Raw]


class _Quote(msgspec.Struct):
    """One market of a ticker; what has two entries is of today and of the last 24 hours."""

    a: tuple[str, str, str]
    b: tuple[str, str, str]
    c: tuple[str, str]
    v: tuple[str, str]
    l: tuple[str, str]  # noqa: E741 - the venue's name
    h: tuple[str, str]


class _Quotes(msgspec.Struct):
    result: dict[str, _Quote]


class _Sides(msgspec.Struct):
    asks: list[tuple[str, str, Count]]
    bids: list[tuple[str, str, Count]]


class _Depth(msgspec.Struct):
    result: dict[str, _Sides]


class _Pair(msgspec.Struct):
    altname: str
    pair_decimals: Annotated[int, msgspec.Meta(ge=0, le=30)]
    lot_decimals: Annotated[int, msgspec.Meta(ge=0, le=30)]
    wsname: str | None = None
    status: str = "online"  # recordings of 2021 have none
    tick_size: str | None = None
    ordermin: str | None = None
    costmin: str | None = None


class _Pairs(msgspec.Struct):
    result: dict[str, _Pair]


class _State(msgspec.Struct):
    status: str
    timestamp: Moment


class _Status(msgspec.Struct):
    result: _State


_head = msgspec.json.Decoder(_Head)
_raw = msgspec.json.Decoder(_Raw)
_bars = msgspec.json.Decoder(list[_Bar])
_trades = msgspec.json.Decoder(list[_Trade])
_seconds = msgspec.json.Decoder(Seconds)
_quotes = msgspec.json.Decoder(_Quotes)
_depth = msgspec.json.Decoder(_Depth)
_pairs = msgspec.json.Decoder(_Pairs)
_status = msgspec.json.Decoder(_Status)
_SIDES = {"b": "buy", "s": "sell"}
_STATES = {
    "online": "up",
    "maintenance": "maintenance",
    "cancel_only": "degraded",
    "post_only": "degraded",
    "limit_only": "degraded",
}


class Kraken:
    """Spot; implements `sources.base.Venue` and `sources.provider.Provider`."""

    name = "kraken"
    per_second = PACE
    page_bars = PAGE
    paging = Paging.LATEST

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self._api = Api(self.name, url)
        self.feeds = {
            "tickers": Get(f"{SYMBOL}, or nothing for all", self._ask_ticker, self._ticker),
            "market_trades": Get(SYMBOL, self._ask_for("Trades", count=1_000), self._trades),
            "order_books": Get(SYMBOL, self._ask_for("Depth", count=500), self._book),
            "instruments": Get(EVERY, self._ask_for("AssetPairs"), self._pairs),
            "venue_status": Get(EVERY, self._ask_for("SystemStatus"), self._status),
        }

    def request(self, span: Span) -> httpx.Request:
        """Ask for the bars after `since`, which is not part of what is answered."""
        return self._get(
            "OHLC",
            pair=native(span.symbol),
            interval=interval_of(span, INTERVALS),
            since=to_micros(span.start) // SECOND - 1,
        )

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read the newest bars, without those that `last` says are not committed."""
        raw = self._decode(_raw, body).result
        last = decode(_seconds, bytes(raw.get("last", msgspec.Raw(b"null"))), self.name)
        rows = decode(_bars, self._only(raw), self.name)
        columns = transposed(rows, 8)
        read = text_bars(
            span,
            times(pl.Series("time", columns[0], pl.Int64), SECOND, self.name),
            dict(zip(("open", "high", "low", "close"), columns[1:5], strict=True))
            | {"volume": columns[6]},
            trades=columns[7],
        )
        return read.filter(pl.col("open_time").to_physical() <= last * SECOND)

    def explain(self, body: bytes) -> str:
        """Return the venue's own words from the body of a refusal."""
        try:
            return "; ".join(_head.decode(body).error) or opening(body)
        except msgspec.DecodeError:
            return opening(body)

    def _get(self, path: str, **params: str | int) -> httpx.Request:
        return self._api.get(f"/0/public/{path}", params)

    def _ask_for(self, path: str, **params: str | int) -> Callable[[Wanted], httpx.Request]:
        def ask(wanted: Wanted) -> httpx.Request:
            if path in {"Trades", "Depth"}:
                return self._get(path, pair=native(symbol_of(wanted)), **params)
            return self._get(path)

        return ask

    def _decode(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """Read an answer, or raise what its own error stands for."""
        errors = decode(_head, body, self.name).error
        if errors:
            code = ":".join(errors[0].split(":")[:2])
            raise refusal(self.name, code, "; ".join(errors), limited=_LIMITED, passing=_PASSING)
        return decode(decoder, body, self.name)

    def _only(self, result: dict[str, msgspec.Raw]) -> bytes:
        """Return the one part that is a market's; its name is one of several that a market has."""
        markets = [part for name, part in result.items() if name != "last"]
        if len(markets) != 1:
            raise SourceMalformed(self.name, f"expected one market, was {sorted(result)}")
        return bytes(markets[0])

    def _ask_ticker(self, wanted: Wanted) -> httpx.Request:
        if wanted.subject is None:
            return self._get("Ticker", assetVersion=1)
        return self._get("Ticker", pair=native(symbol_of(wanted)))

    def _ticker(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read one market, or all: then their names are ours, but for the slash."""
        quotes = self._decode(_quotes, body).result
        if wanted.subject is None:
            named = {_ours(name): quote for name, quote in quotes.items()}
            kept = {name: quote for name, quote in named.items() if has_a_name(name)}
        elif len(quotes) == 1:
            kept = {symbol_of(wanted): next(iter(quotes.values()))}
        else:
            raise SourceMalformed(self.name, f"expected one market, was {sorted(quotes)[:5]}")
        return self._quote_rows(kept, wanted)

    def _quote_rows(self, kept: dict[str, _Quote], wanted: Wanted) -> pl.DataFrame:
        each = kept.values()
        columns = {
            "symbol": list(kept),
            "time": wanted.now,
            "last": [q.c[0] for q in each],
            "bid": [q.b[0] for q in each],
            "bid_size": [q.b[2] for q in each],
            "ask": [q.a[0] for q in each],
            "ask_size": [q.a[2] for q in each],
            "high_24h": [q.h[1] for q in each],
            "low_24h": [q.l[1] for q in each],
            "volume_24h": [q.v[1] for q in each],
        }
        return table("tickers", self.name, columns)

    def _trades(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        rows = decode(_trades, self._only(self._decode(_raw, body).result), self.name)
        columns = transposed(rows, 7)
        micros = [round(seconds * SECOND) for seconds in columns[2]]
        return table(
            "market_trades",
            self.name,
            {
                "symbol": symbol_of(wanted),
                "trade_id": [str(number) for number in columns[6]],
                "time": pl.Series("time", micros, pl.Int64),
                "price": columns[0],
                "amount": columns[1],
                "side": [_SIDES.get(side) for side in columns[3]],
            },
        )

    def _book(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read a book; levels carry times, the book has none."""
        found = self._decode(_depth, body).result
        if len(found) != 1:
            raise SourceMalformed(self.name, f"expected one market, was {sorted(found)[:5]}")
        sides = next(iter(found.values()))
        return book(self.name, symbol_of(wanted), (sides.bids, sides.asks), time=wanted.now)

    def _pairs(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the pairs that have a public name; those of the dark pool have none."""
        every = self._decode(_pairs, body).result.items()
        kept = [(_ours(p.wsname), key, p) for key, p in every if p.wsname]
        kept = [(name, key, p) for name, key, p in kept if has_a_name(name)]
        pairs = [pair for _, _, pair in kept]
        columns: dict[str, Any] = {
            "symbol": [name for name, _, _ in kept],
            "native": [key for _, key, _ in kept],
            "kind": "spot",
            "base": [name.split("-")[0] for name, _, _ in kept],
            "quote": [name.split("-")[1] for name, _, _ in kept],
            "status": ["trading" if p.status == "online" else "halted" for p in pairs],
            "tick_size": [p.tick_size or _step(p.pair_decimals) for p in pairs],
            "lot_size": [_step(p.lot_decimals) for p in pairs],
            "min_amount": [p.ordermin for p in pairs],
            "min_notional": [p.costmin for p in pairs],
            "valid_from": wanted.now,
        }
        return table("instruments", self.name, columns)

    def _status(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        del wanted
        state = self._decode(_status, body).result
        columns = {
            "time": [state.timestamp],
            "status": _STATES.get(state.status, "degraded"),
            "message": state.status,
        }
        return table("venue_status", self.name, columns)


def native(symbol: str) -> str:
    """Return the venue's spelling of `BASE-QUOTE`."""
    parts = symbol.split("-")
    if len(parts) != 2:
        raise InvalidInput(f"expected a symbol such as BTC-USD, was {symbol!r}")
    return "".join(_THEIRS.get(part, part) for part in parts)


def socket_name(symbol: str) -> str:
    """Return the name that Kraken's socket has for `BASE-QUOTE`, such as `XBT/USD`."""
    return "/".join(_THEIRS.get(part, part) for part in symbol.split("-"))


def _ours(name: str) -> str:
    """Return `XBT/USD` as `BTC-USD`."""
    return "-".join(_renamed(name.split("/")))


def _renamed(parts: Iterable[str]) -> list[str]:
    return [_OURS.get(part, part) for part in parts]


def _step(decimals: int) -> str:
    return str(Decimal(1).scaleb(-decimals))
