"""REST venues: what one is, and the one loop that asks all of them.

A venue describes requests and reads bytes. The loop sends, paces, asks again, proves progress,
and marks every row with where it came from and when.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

import polars as pl

from core.clock import floor_to, format_utc, from_micros, to_micros
from core.errors import InvalidInput, RateLimited, SourceStalled
from core.market import Span
from sources.frames import stamp
from sources.http import accept, open_client, require_json, send
from sources.retry import BANNED, PATIENT, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    import httpx

    from sources.pacing import Pacer

__all__ = ["Retry", "Venue", "ask", "fetch", "open_client", "plan"]

T = TypeVar("T")
BATCH_BARS = 30 * 1440  # a month of minutes: one file in landing, one run of the gate
_UNSAID = {BANNED: 120.0}  # seconds to keep quiet where the venue does not say; else 1


class Venue(Protocol):
    """A REST venue: a name, a pace, and how to ask for bars and read them."""

    @property
    def name(self) -> str:
        """What the rows call it: lower case, such as `binance`."""

    @property
    def per_second(self) -> float:
        """Requests a second that it allows, with room to spare."""

    @property
    def page_bars(self) -> int:
        """The most bars that one call returns."""

    def request(self, span: Span) -> httpx.Request:
        """Ask for the first page of the bars that open in `span`."""

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Return the bars of one page (`sources.frames.BARS`), in the order they came.

        Raises:
            SourceUnavailable: the body is cut.
            SourceMalformed: the body is not what the venue documents.
        """

    def explain(self, body: bytes) -> str:
        """Return the venue's own words from the body of a refusal (4xx)."""


def fetch(
    venue: Venue,
    span: Span,
    client: httpx.Client,
    *,
    now: datetime,
    pacer: Pacer,
    retry: Retry = PATIENT,
) -> Iterator[pl.DataFrame]:
    """Yield the bars of `span` that are closed at `now`, page by page, as rows of `CANDLES`.

    Rows are kept as the venue sent them, doubles and disorder too: judging them is the gate's.
    Two exceptions: a bar that is still forming is dropped, and the span ends with a page of no
    rows, since a venue answers with the next bars that exist.

    Raises:
        SourceUnavailable, RateLimited, SourceRejected, SourceMalformed: as `ask`.
        SourceStalled: no row of a page is a bar of what is still to come.
    """
    if span.venue != venue.name:
        raise InvalidInput(f"expected a span of {venue.name}, was {span}")
    end = min(span.end, floor_to(now, span.step))
    start = span.start
    while start < end:
        rest = Span(span.venue, span.symbol, span.interval, start, end)
        page = _page(venue, rest, client, pacer=pacer, retry=retry)
        if page.is_empty():
            return
        start = _after(page, rest)
        closed = page.filter(~_forming(span.step, now))
        if not closed.is_empty():
            yield stamp(closed, source=f"{venue.name}:rest", now=now)


def _page(
    venue: Venue, rest: Span, client: httpx.Client, *, pacer: Pacer, retry: Retry
) -> pl.DataFrame:
    return ask(
        venue.name,
        lambda: venue.request(rest),
        client,
        read=lambda body: venue.parse(body, rest),
        explain=venue.explain,
        pacer=pacer,
        retry=retry,
    )


def ask(
    source: str,
    request: Callable[[], httpx.Request],
    client: httpx.Client,
    *,
    read: Callable[[bytes], T],
    explain: Callable[[bytes], str],
    pacer: Pacer,
    retry: Retry,
    json: bool = True,
) -> T:
    """Send one request, again where that may help, and return what `read` makes of its answer.

    With `json`, an answer that calls itself anything else is malformed.

    Raises:
        SourceUnavailable: no usable answer in the attempts and time that `retry` grants.
        RateLimited: the source wants us to wait longer than that, or has banned us.
        SourceRejected: a 4xx, with the source's own words.
        SourceMalformed: the answer is not what is documented, each time it was asked for.
    """

    def once() -> T:
        if not pacer.wait(retry.deadline):
            raise RateLimited(source, status=429, retry_after=pacer.held)
        answer = send(client, request(), source, clock=retry.clock)
        try:
            body = accept(answer, source, explain)
        except RateLimited as error:
            unsaid = _UNSAID.get(answer.status, 1.0)
            pacer.hold(unsaid if error.retry_after is None else error.retry_after)
            raise
        if json:
            require_json(answer, source)
        return read(body)

    return retry.run(once)


def _after(page: pl.DataFrame, rest: Span) -> datetime:
    """Return where the next page starts: after the last bar of `rest` that `page` holds.

    Only times that can be bars of `rest` count: one misprinted year must not end a collection.
    """
    times = page["open_time"].cast(pl.Int64)
    start, end, step = to_micros(rest.start), to_micros(rest.end), rest.step
    micros = step // timedelta(microseconds=1)
    possible = times.filter((times >= start) & (times % micros == 0))
    last = possible.filter(possible < end).max()
    if isinstance(last, int):
        return from_micros(last) + step
    if possible.is_empty():
        raise SourceStalled(rest.venue, format_utc(rest.start))
    return rest.end  # the next bars that exist are after what was asked for


def _forming(step: timedelta, now: datetime) -> pl.Expr:
    opens = pl.col("open_time")
    return (opens <= now) & (opens > now - step)


def plan(spans: Iterable[Span], *, now: datetime, bars: int = BATCH_BARS) -> list[Span]:
    """Cut `spans` to what is closed at `now` and into batches of at most `bars` bars.

    A batch is what is landed, judged and merged together; spans with nothing to ask for go.
    """
    closed = (
        Span(
            s.venue, s.symbol, s.interval, s.start, max(s.start, min(s.end, floor_to(now, s.step)))
        )
        for s in spans
    )
    return [piece for span in closed for piece in span.split(bars) if piece.bars]
