"""Reddit: the newest posts and comments of a subreddit.

`POST /api/v1/access_token` (client credentials), then `GET /r/{subreddit}/new` or `/comments`:
https://github.com/reddit-archive/reddit/wiki/OAuth2, https://www.reddit.com/dev/api#GET_new
A client may ask 100 times a minute; `x-ratelimit-remaining` and `-reset` say what is left.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import msgspec

from core.clock import from_micros
from core.errors import InvalidInput, SourceMalformed
from sources.answers import decode, key_for_header
from sources.api import Api
from sources.provider import Page
from sources.shapes import Count, rows_of
from sources.voices.mentions import assets_in

if TYPE_CHECKING:
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

TOKEN_URL, URL = "https://www.reddit.com", "https://oauth.reddit.com"
PAGE = 100
PAGES = 10  # a listing never goes beyond a thousand
_SUBJECT = re.compile(r"(?P<subreddit>[A-Za-z0-9_]{2,21})(?P<comments>/comments)?", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)

Time = Annotated[float, msgspec.Meta(ge=0, le=253_402_300_799)]


class _Token(msgspec.Struct):
    access_token: str
    token_type: str


class _Entry(msgspec.Struct):
    """A post (`t3`, with a title) or a comment (`t1`, with a body)."""

    name: str
    subreddit: str
    created_utc: Time
    ups: Count
    author: str | None = None
    title: str | None = None
    selftext: str | None = None
    body: str | None = None
    num_comments: Count | None = None


class _Child(msgspec.Struct):
    kind: str
    data: _Entry


class _Listing(msgspec.Struct):
    children: list[_Child]
    after: str | None


class _Answer(msgspec.Struct):
    kind: str
    data: _Listing


_token = msgspec.json.Decoder(_Token)
_answer = msgspec.json.Decoder(_Answer)


class Reddit:
    """Posts of subreddits; implements `sources.provider.Provider`.

    The key is `client_id:client_secret` of an app; with `url` the token is asked for there too.
    """

    name = "reddit"
    per_second = 1.0

    def __init__(self, url: str | None = None, api_key: SecretStr | None = None) -> None:
        self.url = url or URL
        api = Api(self.name, self.url)
        self.explain = Api(self.name, self.url, api_key).explain
        tokens = Api(self.name, url or TOKEN_URL)
        self.feeds: dict[str, Feed] = {"social_posts": Posts(api, tokens, api_key)}


class Posts:
    """The newest of a subreddit, back to the start of the span or to its thousandth."""

    subjects = "a subreddit such as Bitcoin, or Bitcoin/comments"

    def __init__(self, api: Api, tokens: Api, key: SecretStr | None) -> None:
        self._api = api
        self._tokens = tokens
        self._key = key

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for a token first; it is good for an hour, and the posts follow."""
        _path(wanted)
        request = self._tokens.get("/api/v1/access_token")
        headers = {"content-type": "application/x-www-form-urlencoded", **self._credentials()}
        content = b"grant_type=client_credentials"
        return httpx.Request("POST", request.url, headers=headers, content=content)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the token, or a page of posts."""
        if request.method == "POST":
            return Page(rows_of("social_posts", []), self._first(body, wanted))
        answer = decode(_answer, body, self._api.name)
        if answer.kind != "Listing":
            raise SourceMalformed(self._api.name, f"expected a listing, was {answer.kind[:20]!r}")
        children = answer.data.children
        rows = [self._row(child.data) for child in children]
        kept = [row for row in rows if _is_wanted(row, wanted)]
        oldest = min((row["time"] for row in rows), default=None)
        reaches_back = oldest is not None and (wanted.start is None or oldest >= wanted.start)
        number: int = request.extensions.get("number", 1)
        following = None
        if answer.data.after and reaches_back and number < PAGES:
            token = request.headers.get("authorization", "")
            following = self._page(wanted, token, answer.data.after, number + 1)
        return Page(rows_of("social_posts", kept), following)

    def _credentials(self) -> dict[str, str]:
        if self._key is None:
            return {}
        pair = base64.b64encode(key_for_header(self._key).encode()).decode()
        return {"authorization": f"Basic {pair}"}

    def _first(self, body: bytes, wanted: Wanted) -> httpx.Request:
        token = decode(_token, body, self._api.name)
        if not _TOKEN.fullmatch(token.access_token):
            raise SourceMalformed(self._api.name, "expected a token of printable characters")
        return self._page(wanted, f"bearer {token.access_token}", None, 1)

    def _page(self, wanted: Wanted, token: str, after: str | None, number: int) -> httpx.Request:
        params = {"limit": PAGE, "raw_json": 1, "after": after}
        request = self._api.get(_path(wanted), params, number=number)
        request.headers["authorization"] = token
        return request

    def _row(self, entry: _Entry) -> dict[str, Any]:
        parts = [entry.title, entry.selftext] if entry.body is None else [entry.body]
        if entry.title is None and entry.body is None:
            raise SourceMalformed(self._api.name, f"{entry.name[:20]} has no title and no body")
        text = "\n".join(part for part in parts if part)
        return {
            "network": self._api.name,
            "post_id": entry.name,
            "time": from_micros(round(entry.created_utc * 1_000_000)),
            "author": None if entry.author == "[deleted]" else entry.author,
            "place": entry.subreddit,
            "text": text,
            "assets": assets_in(text),
            "likes": entry.ups,
            "replies": entry.num_comments,
        }


def _path(wanted: Wanted) -> str:
    found = _SUBJECT.fullmatch(wanted.subject or "")
    if found is None:
        raise InvalidInput(f"expected {Posts.subjects}, was {wanted.subject!r}")
    return f"/r/{found['subreddit']}/{'comments' if found['comments'] else 'new'}"


def _is_wanted(row: dict[str, Any], wanted: Wanted) -> bool:
    if wanted.start is not None and row["time"] < wanted.start:
        return False
    return wanted.end is None or row["time"] < wanted.end
