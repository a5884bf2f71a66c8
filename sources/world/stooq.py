"""Stooq: daily bars of stock indices as CSV, from `GET /q/d/l/`.

https://stooq.com/q/d/?s=^spx; the address and its limits are described at
https://apis.io/rate-limits/stooq/stooq-rate-limits/ (no recording was at hand). A key is needed
since 2026, and is taken only as the query parameter `apikey`. Too many requests a day, and an
unknown symbol, are answered with status 200 and a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput, RateLimited, SourceMalformed, SourceRejected
from sources.api import Api
from sources.provider import Page
from sources.world.price_csv import read_csv

if TYPE_CHECKING:
    from datetime import datetime

    import httpx
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

URL = "https://stooq.com"
SYMBOLS = {
    "SP500": "^spx",
    "NASDAQ": "^ndq",
    "NASDAQ100": "^ndx",
    "DOW": "^dji",
    "DAX": "^dax",
    "FTSE100": "^ukx",
    "NIKKEI225": "^nkx",
    "HANGSENG": "^hsi",
}
_SECONDS_OF_A_DAY = 86_400.0


class Stooq:
    """Bars of stock indices; implements `sources.provider.Provider`."""

    name = "stooq"
    per_second = 0.5

    def __init__(self, url: str = URL, api_key: SecretStr | None = None) -> None:
        self.url = url
        api = Api(self.name, url, api_key, parameter="apikey")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"stock_indices": Indices(api)}


class Indices:
    """Daily bars of one index."""

    subjects = f"an index: {', '.join(SYMBOLS)}"
    json = False

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the days of the span, both ends included; for all there are without one."""
        _check(wanted)
        return self._api.get(
            "/q/d/l/",
            {
                "s": SYMBOLS[wanted.subject or ""],
                "i": "d",
                "d1": _day(wanted.start),
                "d2": _day(wanted.end),
            },
        )

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the table; the day that is not over yet is left out.

        Raises:
            RateLimited, SourceRejected: what it says in a sentence.
        """
        del request
        self._refuse(body)
        rows = read_csv(body, venue=self._api.name, index=wanted.subject or "", interval="1d")
        today = wanted.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return Page(rows.filter(rows["time"] < today))

    def _refuse(self, body: bytes) -> None:
        said = body[:200].decode(errors="replace").strip()
        if "exceeded the daily hits limit" in said.lower():
            raise RateLimited(self._api.name, status=429, retry_after=_SECONDS_OF_A_DAY)
        if said.lower().startswith("no data"):
            raise SourceRejected(self._api.name, 200, said)
        if said.startswith("<"):
            raise SourceMalformed(self._api.name, "expected CSV, was HTML")


def _check(wanted: Wanted) -> None:
    if wanted.subject not in SYMBOLS:
        raise InvalidInput(f"expected {Indices.subjects}, was {wanted.subject!r}")
    if wanted.interval not in {None, "1d"}:
        raise InvalidInput(f"expected days of stooq, was {wanted.interval!r}")


def _day(moment: datetime | None) -> str | None:
    return f"{moment:%Y%m%d}" if moment else None
