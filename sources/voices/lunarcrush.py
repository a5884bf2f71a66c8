"""LunarCrush: how much an asset is spoken of, hour by hour, and the posts that are read most.

`GET /api4/public/topic/{topic}/time-series/v2` and `/posts/v1`:
https://lunarcrush.com/developers/api/endpoints (no recording was at hand)
The key goes into `Authorization: Bearer …`; the smallest plan allows 10 requests a minute.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import msgspec

from core.clock import to_micros
from core.errors import InvalidInput
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Count, Seconds, from_seconds, rows_of
from sources.voices.mentions import assets_in

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

URL = "https://lunarcrush.com"
_ASSET = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Name = Annotated[str, msgspec.Meta(max_length=200)]


class _Hour(msgspec.Struct):
    time: Seconds
    interactions: Count | None = None
    posts_active: Count | None = None
    contributors_active: Count | None = None
    sentiment: Percent | None = None
    social_dominance: Percent | None = None
    alt_rank: Count | None = None


class _Series(msgspec.Struct):
    data: list[_Hour]


class _Post(msgspec.Struct):
    id: Name
    post_type: Name
    post_created: Seconds
    post_title: str | None = None
    creator_name: Name | None = None
    interactions_total: Count | None = None


class _Posts(msgspec.Struct):
    data: list[_Post]


_series = msgspec.json.Decoder(_Series)
_posts = msgspec.json.Decoder(_Posts)


class LunarCrush:
    """Metrics and posts; implements `sources.provider.Provider`."""

    name = "lunarcrush"
    per_second = 10 / 60

    def __init__(self, url: str = URL, api_key: SecretStr | None = None) -> None:
        self.url = url
        api = Api(self.name, url, api_key, header="authorization", prefix="Bearer ")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"social_metrics": Metrics(api), "social_posts": Posts(api)}


class Metrics:
    """What is said of an asset each hour; the hour that is not over is left out."""

    subjects = "the ticker of an asset such as BTC"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the span, or for the last week."""
        return _ask(self._api, wanted, "time-series/v2", {"bucket": "hour"})

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the hours."""
        del request
        hours = decode(_series, body, self._api.name).data
        over = to_micros(wanted.now) // 1_000_000 - 3_600
        return Page(
            rows_of(
                "social_metrics",
                (
                    {
                        "venue": self._api.name,
                        "asset": _asset(wanted),
                        "time": from_seconds(hour.time),
                        "posts": hour.posts_active,
                        "authors": hour.contributors_active,
                        "interactions": hour.interactions,
                        "sentiment": _share(hour.sentiment),
                        "dominance": _share(hour.social_dominance),
                        "rank": hour.alt_rank,
                    }
                    for hour in hours
                    if hour.time <= over
                ),
            )
        )


class Posts:
    """The posts about an asset with the most interactions, from several networks."""

    subjects = "the ticker of an asset such as BTC"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the span, or for the last day."""
        return _ask(self._api, wanted, "posts/v1", {})

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the posts; the asset asked for is among those that a post names."""
        del request
        posts = decode(_posts, body, self._api.name).data
        return Page(
            rows_of(
                "social_posts",
                (
                    {
                        "network": self._api.name,
                        "post_id": f"{post.post_type}:{post.id}",
                        "time": from_seconds(post.post_created),
                        "author": post.creator_name,
                        "place": post.post_type,
                        "text": post.post_title or "",
                        "assets": sorted({_asset(wanted), *assets_in(post.post_title or "")}),
                        "likes": post.interactions_total,
                    }
                    for post in posts
                ),
            )
        )


def _ask(api: Api, wanted: Wanted, what: str, params: dict[str, str]) -> httpx.Request:
    # A topic that begins with $ is a ticker's.
    return api.get(
        f"/api4/public/topic/${_asset(wanted).lower()}/{what}",
        {
            **params,
            "start": to_micros(wanted.start) // 1_000_000 if wanted.start else None,
            "end": to_micros(wanted.end) // 1_000_000 if wanted.end else None,
        },
    )


def _asset(wanted: Wanted) -> str:
    if not _ASSET.fullmatch(wanted.subject or ""):
        raise InvalidInput(f"expected {Metrics.subjects}, was {wanted.subject!r}")
    return wanted.subject or ""


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
