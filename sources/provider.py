"""Providers of any kind of data: what one is, and the one loop that asks all of them.

A provider is one file. It has a feed for each dataset that it can give; a feed describes
requests and reads bytes, and neither sends, waits, nor judges. Candles of REST venues have a loop
of their own (`sources.base.fetch`), since bars have a grid on which progress can be proven.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - read when the protocol is
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

import httpx  # noqa: TC002 - read when the named tuple is made
import msgspec
import polars as pl

from core.clock import format_utc
from core.datasets import TIME, dataset_named
from core.errors import InvalidInput, SourceStalled
from sources.base import ask
from sources.retry import PATIENT, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sources.pacing import Pacer

PROVENANCE = ("source", "ingested_at")
MOST_PAGES = 10_000  # of one question; more is a source that goes round in circles


class Wanted(msgspec.Struct, frozen=True):
    """One question. What a feed does not need is None.

    `subject` is what it is about: a symbol such as `BTC-USDT` for a venue; each feed says what it
    takes (an asset, an address, words to search for), and one that lists everything takes None.
    Rows are wanted from `start` on and before `end`, as far as the feed has a history. `now` is
    when the question is asked: the time of rows whose source does not say one.
    """

    now: datetime
    subject: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    interval: str | None = None

    def __str__(self) -> str:
        since = f" from {format_utc(self.start)}" if self.start else ""
        until = f" to {format_utc(self.end)}" if self.end else ""
        return f"{self.subject or 'all'}{since}{until}"


class Page(NamedTuple):
    """What one answer held: rows without provenance, and the request for what follows, if any."""

    rows: pl.DataFrame
    following: httpx.Request | None = None


class Feed(Protocol):
    """One dataset of one provider; one whose answers are no JSON says so by `json = False`."""

    @property
    def subjects(self) -> str:
        """What a subject is, for people: `a symbol such as BTC-USDT`; empty where it takes none."""

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the first page; raise `InvalidInput` for a subject that it cannot ask about."""

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the answer to `request`.

        Raises:
            SourceUnavailable: the body is cut.
            SourceMalformed: the body is not what the provider documents.
        """


class Provider(Protocol):
    """Who gives data: a name, a pace, and a feed for each dataset."""

    @property
    def name(self) -> str:
        """What rows and people call it: lower case, such as `coingecko`."""

    @property
    def per_second(self) -> float:
        """Requests a second that it allows, with room to spare."""

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """Its feeds, by the name of their dataset."""

    def explain(self, body: bytes) -> str:
        """Return the provider's own words from the body of a refusal (4xx), without our key."""


def feed_of(provider: Provider, dataset: str) -> Feed:
    """Return the provider's feed for a dataset; raise `InvalidInput` with those it has."""
    try:
        return provider.feeds[dataset]
    except KeyError:
        known = ", ".join(sorted(provider.feeds))
        raise InvalidInput(
            f"expected a dataset of {provider.name}: {known}, was {dataset!r}"
        ) from None


def collect(
    provider: Provider,
    dataset: str,
    wanted: Wanted,
    client: httpx.Client,
    *,
    pacer: Pacer,
    retry: Retry = PATIENT,
    source: str | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield the rows that answer `wanted`, page by page, in the dataset's columns.

    Rows are kept as the provider sent them; judging them is the gate's. `source` is what the rows
    say of where they come from, by default `<provider>:rest`.

    Raises:
        SourceUnavailable, RateLimited, SourceRejected, SourceMalformed: as `sources.base.ask`.
        SourceStalled: what follows a page is a page that was there before.
    """
    feed = feed_of(provider, dataset)
    following: httpx.Request | None = feed.request(wanted)
    seen: set[bytes] = set()
    while following is not None:
        request = following
        mark = _mark(request)
        if mark in seen or len(seen) >= MOST_PAGES:
            raise SourceStalled(provider.name, str(wanted))
        seen.add(mark)
        page = _ask(provider, feed, wanted, request, client, pacer=pacer, retry=retry)
        if not page.rows.is_empty():
            yield stamped(
                dataset, page.rows, source=source or f"{provider.name}:rest", now=wanted.now
            )
        following = page.following


def _ask(
    provider: Provider,
    feed: Feed,
    wanted: Wanted,
    request: httpx.Request,
    client: httpx.Client,
    *,
    pacer: Pacer,
    retry: Retry,
) -> Page:
    return ask(
        provider.name,
        lambda: request,
        client,
        read=lambda body: feed.read(body, wanted, request),
        explain=provider.explain,
        pacer=pacer,
        retry=retry,
        json=getattr(feed, "json", True),
    )


def stamped(dataset: str, rows: pl.DataFrame, *, source: str, now: datetime) -> pl.DataFrame:
    """Return rows as their dataset declares them: what they lack is null, their origin noted."""
    declared = dataset_named(dataset)
    lacking = [
        pl.lit(None, kind).alias(name)
        for name, kind in declared.columns.items()
        if name not in rows.columns and name not in PROVENANCE
    ]
    marks = (pl.lit(source).alias("source"), pl.lit(now).cast(TIME).alias("ingested_at"))
    return declared.conform(rows.with_columns(*lacking, *marks))


def _mark(request: httpx.Request) -> bytes:
    """Return what makes two requests the same question."""
    return b"\n".join([request.method.encode(), str(request.url).encode(), request.read()])
