"""Yahoo: bars of stock indices, from `GET /v8/finance/chart/{symbol}`.

The address is public but not documented; its form is that of https://github.com/ranaroussi/yfinance
(no recording of an answer was at hand, only tables saved from it: `sources.world.price_csv`).
Prices are not adjusted for dividends: an index pays none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from core.clock import to_micros
from core.errors import InvalidInput, SourceMalformed
from core.market import interval_step
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Seconds, from_seconds, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import httpx

    from sources.provider import Feed, Wanted

URL = "https://query1.finance.yahoo.com"
SYMBOLS = {
    "SP500": "^GSPC",
    "NASDAQ": "^IXIC",
    "NASDAQ100": "^NDX",
    "DOW": "^DJI",
    "RUSSELL2000": "^RUT",
    "VIX": "^VIX",
    "DAX": "^GDAXI",
    "FTSE100": "^FTSE",
    "EUROSTOXX50": "^STOXX50E",
    "NIKKEI225": "^N225",
    "HANGSENG": "^HSI",
}
INTERVALS = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "60m", "1d": "1d"}
RECENT = {"1m": 1, "5m": 5, "15m": 5, "30m": 5, "1h": 30, "1d": 60}  # days, without a start


class _Session(msgspec.Struct):
    start: Seconds
    end: Seconds


class _Sessions(msgspec.Struct):
    regular: _Session


class _Meta(msgspec.Struct, rename="camel"):
    symbol: str
    data_granularity: str
    current_trading_period: _Sessions


class _Quote(msgspec.Struct):
    """Columns over the same times; null where nothing is known of a time."""

    open: list[float | None]
    high: list[float | None]
    low: list[float | None]
    close: list[float | None]
    volume: list[float | None]


class _Indicators(msgspec.Struct):
    quote: list[_Quote]


class _Series(msgspec.Struct):
    meta: _Meta
    indicators: _Indicators
    timestamp: list[Seconds] = []  # left out where there is no bar


class _Chart(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    chart: _Chart


class _Problem(msgspec.Struct):
    code: str
    description: str


class _Refused(msgspec.Struct):
    error: _Problem


class _Refusal(msgspec.Struct):
    chart: _Refused


_answer = msgspec.json.Decoder(_Answer)
_refusal = msgspec.json.Decoder(_Refusal)


class Yahoo:
    """Bars of stock indices; implements `sources.provider.Provider`."""

    name = "yahoo"
    per_second = 0.5

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self._api = Api(self.name, url)
        self.feeds: dict[str, Feed] = {"stock_indices": Indices(self._api)}

    def explain(self, body: bytes) -> str:
        """Return Yahoo's own words from the body of a refusal."""
        try:
            said = _refusal.decode(body).chart.error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._api.explain(body)
        return f"{said.code}: {said.description}"


class Indices:
    """Bars of one index; days without an interval."""

    subjects = f"an index: {', '.join(SYMBOLS)}"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the span, or for recent bars where there is no start."""
        if wanted.subject not in SYMBOLS:
            raise InvalidInput(f"expected {self.subjects}, was {wanted.subject!r}")
        interval, end = _interval(wanted), wanted.end or wanted.now
        start = wanted.start or end - timedelta(days=RECENT[interval])
        return self._api.get(
            f"/v8/finance/chart/{quote(SYMBOLS[wanted.subject])}",
            {
                "interval": INTERVALS[interval],
                "period1": to_micros(start) // 1_000_000,
                "period2": to_micros(end) // 1_000_000,
            },
        )

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the bars; times of which nothing is known, and what still forms, are left out."""
        del request
        interval, subject = _interval(wanted), wanted.subject or ""
        found = decode(_answer, body, self._api.name).chart.result
        if len(found) != 1:
            raise SourceMalformed(self._api.name, f"expected one series, was {len(found)}")
        told = (found[0].meta.symbol, found[0].meta.data_granularity)
        expected = (SYMBOLS[subject], INTERVALS[interval])
        if told not in {expected, (expected[0], interval)}:
            raise SourceMalformed(self._api.name, f"expected bars of {expected}, was {told}")
        rows = self._rows(found[0], subject, interval, wanted.now)
        return Page(rows_of("stock_indices", rows))

    def _rows(
        self, series: _Series, index: str, interval: str, now: datetime
    ) -> Iterator[dict[str, object]]:
        quotes = series.indicators.quote
        columns = msgspec.structs.asdict(quotes[0]) if quotes else {}
        lengths = {len(column) for column in columns.values()}
        if series.timestamp and lengths != {len(series.timestamp)}:
            raise SourceMalformed(
                self._api.name,
                f"expected columns of {len(series.timestamp)} values, was {sorted(lengths)}",
            )
        session = series.meta.current_trading_period.regular
        for at, seconds in enumerate(series.timestamp):
            bar = {name: column[at] for name, column in columns.items()}
            opened = from_seconds(seconds)
            if bar["close"] is None or not _is_over(opened, interval, session, now):
                continue
            yield {
                "venue": self._api.name,
                "index": index,
                "interval": interval,
                "time": opened,
                **bar,
            }


def _is_over(opened: datetime, interval: str, session: _Session, now: datetime) -> bool:
    """Whether a bar is complete: a day is when its session ends."""
    if interval != "1d":
        return opened + interval_step(interval) <= now
    return opened < from_seconds(session.start) or now >= from_seconds(session.end)


def _interval(wanted: Wanted) -> str:
    interval = wanted.interval or "1d"
    if interval not in INTERVALS:
        raise InvalidInput(f"expected an interval of {', '.join(INTERVALS)}, was {interval!r}")
    return interval
