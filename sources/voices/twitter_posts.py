"""Twitter's posts: what a search answers, in the form of today and in that of 2019.

https://docs.x.com/x-api/posts/search-recent-posts; the older form (`statuses`) is that of
`GET /1.1/search/tweets.json`, which recordings and archives hold.
The time of a post is in its number: https://docs.x.com/fundamentals/x-ids
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

from core.clock import format_utc
from core.errors import InvalidInput, SourceMalformed
from sources.answers import decode
from sources.provider import Page
from sources.shapes import Count, Moment, from_millis, rows_of
from sources.voices.mentions import assets_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from sources.api import Api
    from sources.provider import Wanted

PAGE = 100
_FIRST_SNOWFLAKE = 1_288_834_974_657  # milliseconds: what the time inside a number counts from
_V1_TIME = "%a %b %d %H:%M:%S %z %Y"

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$|^[1-8][0-9]{18}$")]


class _Metrics(msgspec.Struct):
    like_count: Count
    reply_count: Count
    retweet_count: Count
    quote_count: Count


class _Post(msgspec.Struct):
    id: Identifier
    text: str
    created_at: Moment | None = None
    author_id: str | None = None
    lang: str | None = None
    public_metrics: _Metrics | None = None


class _User(msgspec.Struct):
    id: str
    username: str


class _Includes(msgspec.Struct):
    users: list[_User] = []


class _Paging(msgspec.Struct):
    next_token: str | None = None


class _Found(msgspec.Struct):
    meta: _Paging
    data: list[_Post] = []  # left out where nothing matches
    includes: _Includes = msgspec.field(default_factory=_Includes)


class _OldUser(msgspec.Struct):
    screen_name: str


class _Status(msgspec.Struct):
    id_str: Identifier
    text: str
    created_at: str
    user: _OldUser
    retweet_count: Count
    favorite_count: Count
    lang: str | None = None


class _Statuses(msgspec.Struct):
    statuses: list[_Status]


class _Kind(msgspec.Struct):
    statuses: msgspec.Raw = msgspec.Raw()


_found = msgspec.json.Decoder(_Found)
_statuses = msgspec.json.Decoder(_Statuses)
_kind = msgspec.json.Decoder(_Kind)


class Search:
    """Posts of the last seven days that match a search, reposts left out."""

    subjects = "a search such as $BTC, in Twitter's own words"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the newest posts."""
        return self._page(wanted, None)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read one page of posts."""
        del request
        if bytes(decode(_kind, body, self._api.name).statuses):
            old = decode(_statuses, body, self._api.name).statuses
            return Page(rows_of("social_posts", (self._old_row(status) for status in old)))
        found = decode(_found, body, self._api.name)
        token = found.meta.next_token
        following = self._page(wanted, token) if token else None
        return Page(rows_of("social_posts", self._rows(found)), following)

    def _page(self, wanted: Wanted, token: str | None) -> httpx.Request:
        if not (wanted.subject or "").strip():
            raise InvalidInput(f"expected {self.subjects}, was nothing")
        return self._api.get(
            "/2/tweets/search/recent",
            {
                "query": query_of(wanted.subject or ""),
                "max_results": PAGE,
                "start_time": format_utc(wanted.start) if wanted.start else None,
                "end_time": format_utc(wanted.end) if wanted.end else None,
                "tweet.fields": "author_id,created_at,lang,public_metrics",
                "expansions": "author_id",
                "user.fields": "username",
                "next_token": token,
            },
        )

    def _rows(self, found: _Found) -> Iterator[dict[str, object]]:
        names = {user.id: user.username for user in found.includes.users}
        for post in found.data:
            metrics = post.public_metrics
            yield {
                "network": self._api.name,
                "post_id": post.id,
                "time": post.created_at or time_of(post.id),
                "author": names.get(post.author_id or "", post.author_id),
                "language": post.lang,
                "text": post.text,
                "assets": assets_in(post.text),
                "likes": metrics.like_count if metrics else None,
                "replies": metrics.reply_count if metrics else None,
                "shares": metrics.retweet_count + metrics.quote_count if metrics else None,
            }

    def _old_row(self, status: _Status) -> dict[str, object]:
        try:
            time = datetime.strptime(status.created_at, _V1_TIME).astimezone(UTC)
        except ValueError:
            raise SourceMalformed(
                self._api.name, f"expected a time, was {status.created_at[:40]!r}"
            ) from None
        return {
            "network": self._api.name,
            "post_id": status.id_str,
            "time": time,
            "author": status.user.screen_name,
            "language": status.lang,
            "text": status.text,
            "assets": assets_in(status.text),
            "likes": status.favorite_count,
            "shares": status.retweet_count,
        }


def query_of(search: str) -> str:
    """Return a search that leaves reposts out."""
    return search if "is:retweet" in search else f"{search} -is:retweet"


def time_of(post_id: str) -> datetime:
    """Return when a post was made: milliseconds in the upper bits of its number."""
    return from_millis((int(post_id) >> 22) + _FIRST_SNOWFLAKE)
