"""Twitter: posts that match a search, and how many there are of them.

`GET /2/tweets/search/recent` and `GET /2/tweets/counts/recent`, the last seven days:
https://docs.x.com/x-api/posts/search-recent-posts
https://docs.x.com/x-api/posts/get-count-of-recent-posts
The bearer token goes into `Authorization`. `x-rate-limit-*` say what is left of 15 minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.clock import format_utc
from core.errors import InvalidInput
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Count, Moment, rows_of
from sources.voices.twitter_posts import Search, query_of

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

URL = "https://api.twitter.com"


class _Bucket(msgspec.Struct):
    start: Moment
    end: Moment
    tweet_count: Count


class _Paging(msgspec.Struct):
    next_token: str | None = None


class _Counts(msgspec.Struct):
    meta: _Paging
    data: list[_Bucket] = []


_counts = msgspec.json.Decoder(_Counts)


class Twitter:
    """Posts and their number; implements `sources.provider.Provider`."""

    name = "twitter"
    per_second = 0.4

    def __init__(self, url: str = URL, api_key: SecretStr | None = None) -> None:
        self.url = url
        api = Api(self.name, url, api_key, header="authorization", prefix="Bearer ")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"social_posts": Search(api), "social_metrics": Counts(api)}


class Counts:
    """Posts an hour that name an asset."""

    subjects = "the ticker of an asset such as BTC"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the hours of the span, of the last seven days without one."""
        return self._page(wanted, None)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the counts; an hour that is cut at either end is left out."""
        del request
        counts = decode(_counts, body, self._api.name)
        token = counts.meta.next_token
        rows = (
            {
                "venue": self._api.name,
                "asset": _asset(wanted),
                "time": bucket.start,
                "posts": bucket.tweet_count,
            }
            for bucket in counts.data
            if (bucket.end - bucket.start).total_seconds() == 3_600
        )
        return Page(rows_of("social_metrics", rows), self._page(wanted, token) if token else None)

    def _page(self, wanted: Wanted, token: str | None) -> httpx.Request:
        asset = _asset(wanted)
        return self._api.get(
            "/2/tweets/counts/recent",
            {
                "query": query_of(f"(${asset} OR #{asset})"),
                "granularity": "hour",
                "start_time": format_utc(wanted.start) if wanted.start else None,
                "end_time": format_utc(wanted.end) if wanted.end else None,
                "next_token": token,
            },
        )


def _asset(wanted: Wanted) -> str:
    asset = wanted.subject or ""
    if not (asset.isascii() and asset.isalnum() and asset == asset.upper()):
        raise InvalidInput(f"expected {Counts.subjects}, was {wanted.subject!r}")
    return asset
