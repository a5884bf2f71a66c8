"""Any venue that CCXT knows: spot bars and instruments, by its own description of each.

https://docs.ccxt.com/#/?id=ohlcv-structure and `load_markets`. CCXT is an optional extra and is
imported when the first such venue is made. It describes requests and reads bodies here, and never
sends: its `fetch` is replaced by one that hands out what we were answered, so that our loop paces,
asks again, and translates errors for it as for all. Numbers stay the text that the venue sent
(`exchange.number = str`), because CCXT's own reading takes `1_000` for a number.

Bars: asked for by a start and a count, in windows; nothing marks one that still forms.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from core.clock import to_micros
from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceUnavailable,
)
from core.market import INTERVALS as STEPS
from core.market import check_venue
from sources.answers import decode, opening
from sources.base import Paging
from sources.venues.feeds import (
    EVERY,
    MILLI,
    Get,
    has_a_name,
    interval_of,
    malformed,
    table,
    text_bars,
    times,
    transposed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from core.errors import NightjarError
    from core.market import Span
    from sources.provider import Wanted

    Ask = Callable[[httpx.Request], bytes]

MOST_REQUESTS = 20  # before a venue's markets are known
FEWEST = 100  # bars a page, where CCXT does not know the limit
_COLUMNS = ("open", "high", "low", "close", "volume")
# An answer without bars is short. CCXT takes what it does not find for nothing, so that a long one
# is in another form than it knows.
_EMPTY = 400  # bytes
_any = msgspec.json.Decoder()
# What CCXT raises of itself where a body is not what it expects.
_SURPRISES = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)


class _Unanswered(BaseException):
    """CCXT wants to send a request; not an `Exception`, since it catches those."""

    def __init__(self, request: httpx.Request) -> None:
        super().__init__()
        self.request = request


class Ccxt:
    """Spot of one of CCXT's venues; implements `sources.base.Venue` and `Provider`.

    Args:
        exchange: CCXT's id of it, such as `bitstamp`.
        url: Where to ask instead of the public address; paths stay.
        name: What rows call the venue, where that is not the id.
    """

    paging = Paging.WINDOW

    def __init__(self, exchange: str, url: str | None = None, *, name: str | None = None) -> None:
        self.name = check_venue(name or exchange)
        self._api: Any = _made(exchange)
        self.url = url or f"https://{exchange}"
        if url:
            self._api.urls["api"] = _at(url, self._api.urls["api"])
        # Which bars were asked for is for our loop to say; it wants to see what else came.
        self._api.filter_by_since_limit = lambda rows, *_args, **_options: rows
        self._lock = threading.Lock()  # CCXT keeps what it was answered in the object
        limit = _most_bars(self._api)
        self.page_bars = min(1_000, limit or FEWEST)
        self.per_second = 500 / self._api.rateLimit  # half of what CCXT thinks is allowed
        self.feeds = {"instruments": Get(EVERY, self._ask_markets, self._markets)}
        self._intervals = {ours: ours for ours in STEPS if ours in (self._api.timeframes or {})}

    def prepare(self, ask: Ask) -> None:
        """Ask for the venue's markets, unless they are known: CCXT needs them for any question.

        Raises:
            SourceMalformed: they are not known after `MOST_REQUESTS` requests, or not readable.
        """
        answers: dict[str, bytes] = {}
        for _ in range(MOST_REQUESTS):
            with self._lock:
                request = self._wants(self._api.load_markets, answers)
            if request is None:
                return
            answers[_mark(request)] = ask(request)
        raise SourceMalformed(self.name, f"no markets after {MOST_REQUESTS} requests")

    def request(self, span: Span) -> httpx.Request:
        """Ask for the bars from the start of `span` on, as many as it has."""
        interval_of(span, self._intervals)
        with self._lock:
            request = self._wants(lambda: self._bars(span), {})
        if request is None:
            raise SourceMalformed(self.name, "expected CCXT to ask for bars")
        return request

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page of bars, oldest first."""
        with self._lock:
            rows = self._read(lambda: self._bars(span), body)
        if not isinstance(rows, list) or any(len(row) < 6 for row in rows):
            raise SourceMalformed(self.name, "expected rows of six columns")
        if not rows and len(body) > _EMPTY:
            raise SourceMalformed(self.name, f"CCXT found no bars in {len(body)} bytes")
        columns = transposed([row[:6] for row in rows], 6)
        for name, cells in zip(("time", *_COLUMNS), columns, strict=True):
            wanted = int if name == "time" else str
            if any(not isinstance(cell, wanted) for cell in cells):
                raise SourceMalformed(self.name, f"expected every bar's {name}")
        opens = times(columns[0], MILLI, self.name)
        return text_bars(span, opens, dict(zip(_COLUMNS, columns[1:], strict=True)))

    def explain(self, body: bytes) -> str:
        """Return the venue's own words, as CCXT finds them.

        Raises:
            RateLimited: CCXT knows the words for asking too often.
        """
        text = body.decode(errors="replace")
        try:
            json = _any.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return opening(body)
        try:
            self._complain(400, text, json)
        except RateLimited:
            raise
        except (SourceRejected, SourceUnavailable, SourceMalformed) as error:
            return str(error)
        return opening(body)

    def _bars(self, span: Span) -> Any:
        symbol = span.symbol.replace("-", "/")
        since = -(-to_micros(span.start) // MILLI)
        return self._api.fetch_ohlcv(symbol, span.interval, since, span.bars)

    def _wants(self, call: Callable[[], Any], answers: dict[str, bytes]) -> httpx.Request | None:
        """Return the request that CCXT would send next, None where `answers` were enough."""

        def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            request = self._described(url, method, headers, body)
            if (answer := answers.get(_mark(request))) is None:
                raise _Unanswered(request)
            return self._json(answer)

        try:
            self._with(fetch, call)
        except _Unanswered as wanted:
            return wanted.request
        return None

    def _read(self, call: Callable[[], Any], body: bytes) -> Any:
        """Return what CCXT makes of the answer to its one request."""
        return self._with(lambda *_: self._json(body), call)

    def _with(self, fetch: Callable[..., Any], call: Callable[[], Any]) -> Any:
        """Run one of CCXT's methods with our `fetch`, its errors translated."""
        import ccxt  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, and it takes a second

        self._api.fetch = fetch
        try:
            return call()
        except ccxt.BaseError as error:
            raise self._translated(error) from None
        except _SURPRISES as error:
            raise SourceMalformed(self.name, f"{type(error).__name__}: {error}") from None

    def _json(self, body: bytes) -> Any:
        json = decode(_any, body, self.name)
        if not isinstance(json, dict | list):
            raise SourceMalformed(self.name, f"expected an object or an array, was {opening(body)}")
        self._complain(200, body.decode(errors="replace"), json)
        return json

    def _complain(self, status: int, text: str, json: Any) -> None:
        """Let CCXT say what is wrong with an answer, if anything is."""
        import ccxt  # noqa: PLC0415 - optional, and it takes a second

        try:
            self._api.handle_errors(status, "", "", "GET", {}, text, json, {}, None)
        except ccxt.BaseError as error:
            raise self._translated(error) from None
        except _SURPRISES as error:
            raise SourceMalformed(self.name, f"{type(error).__name__}: {error}") from None

    def _translated(self, error: Exception) -> NightjarError:
        import ccxt  # noqa: PLC0415 - optional, and it takes a second

        said = str(error)[:200]
        if isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
            return RateLimited(self.name, status=429, retry_after=None)
        if isinstance(error, ccxt.BadResponse):
            return SourceMalformed(self.name, said)
        if isinstance(error, ccxt.OperationFailed):
            return SourceUnavailable(self.name, said)
        return SourceRejected(self.name, 200, said)

    def _described(self, url: str, method: str, headers: Any, body: Any) -> httpx.Request:
        try:
            return httpx.Request(method, url, headers=headers or {}, content=body)
        except httpx.InvalidURL:
            raise InvalidInput(f"expected the URL of {self.name}, was {self.url!r}") from None

    def _ask_markets(self, wanted: Wanted) -> httpx.Request:
        del wanted
        with self._lock:
            request = self._wants(self._api.fetch_markets, {})
        if request is None:
            raise SourceMalformed(self.name, "expected CCXT to ask for markets")
        return request

    def _markets(self, body: bytes, wanted: Wanted) -> pl.DataFrame:
        """Read the spot markets of a venue that lists them in one answer."""
        with self._lock:
            found = self._read(self._api.fetch_markets, body)
        if not isinstance(found, list):
            raise malformed(self.name)(f"expected markets, was {type(found).__name__}")
        spot = [m for m in found if m.get("spot") and has_a_name(f"{m['base']}-{m['quote']}")]
        columns = {
            "symbol": [f"{m['base']}-{m['quote']}" for m in spot],
            "native": [str(m["id"]) for m in spot],
            "kind": "spot",
            "base": [m["base"] for m in spot],
            "quote": [m["quote"] for m in spot],
            "status": ["halted" if m.get("active") is False else "trading" for m in spot],
            "tick_size": [self._step(m, "price") for m in spot],
            "lot_size": [self._step(m, "amount") for m in spot],
            "valid_from": wanted.now,
        }
        return table("instruments", self.name, columns)

    def _step(self, market: dict[str, Any], what: str) -> str | None:
        """Return a step of price or amount; some venues count digits instead."""
        said = market["precision"].get(what)
        if said is None:
            return None
        import ccxt  # noqa: PLC0415 - optional, and it takes a second

        return str(said) if self._api.precisionMode == ccxt.TICK_SIZE else f"1e-{said}"


def is_installed() -> bool:
    """Whether the optional extra is there; nothing is imported."""
    return find_spec("ccxt") is not None


def exchanges() -> list[str]:
    """Return the ids of CCXT's venues; none where it is not installed."""
    try:
        import ccxt  # noqa: PLC0415 - optional, and it takes a second
    except ImportError:
        return []
    return list(ccxt.exchanges)


def _made(exchange: str) -> Any:
    try:
        import ccxt  # noqa: PLC0415 - optional, and it takes a second
    except ImportError:
        raise InvalidInput("expected the extra `ccxt`: pip install nightjar[ccxt]") from None
    if exchange not in ccxt.exchanges:
        raise InvalidInput(f"expected one of CCXT's venues such as bitstamp, was {exchange!r}")
    api = getattr(ccxt, exchange)({"enableRateLimit": False})
    if not api.has.get("fetchOHLCV"):
        raise InvalidInput(f"expected a venue of which CCXT reads bars, was {exchange!r}")
    api.number = str
    return api


def _most_bars(api: Any) -> int | None:
    """Return how many bars a venue gives at once, as far as CCXT knows."""
    spot = (api.features or {}).get("spot") or {}
    limit: int | None = (spot.get("fetchOHLCV") or {}).get("limit")
    return limit


def _mark(request: httpx.Request) -> str:
    return f"{request.method} {request.url} {request.content!r}"


def _at(url: str, addresses: Any) -> Any:
    """Return CCXT's addresses moved to the host of `url`, paths and placeholders kept."""
    if isinstance(addresses, dict):
        return {name: _at(url, address) for name, address in addresses.items()}
    if not isinstance(addresses, str):
        return addresses
    _, _, rest = addresses.partition("://")
    _, slash, path = rest.partition("/")
    return url.rstrip("/") + slash + path
