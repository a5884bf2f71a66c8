"""REST venues: what one is, and the one loop that asks all of them.

A venue describes requests and reads bytes. The loop sends, paces, asks again, proves progress
(`sources.paging`), and marks every row with where it came from and when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import polars as pl

from core.clock import floor_to
from core.errors import InvalidInput, NightjarError, RateLimited, SourceOutOfReach
from core.market import Span
from sources.frames import BARS, stamp
from sources.http import accept, open_client, require_json, send, sent_at
from sources.paging import Paging, pages
from sources.retry import BANNED, PATIENT, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, timedelta

    import httpx

    from sources.pacing import Pacer

__all__ = ["Paging", "Retry", "Venue", "ask", "fetch", "open_client", "plan"]

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
        """The most bars that one call is asked for."""

    @property
    def paging(self) -> Paging:
        """Which bars of a span a call returns, where there are more."""

    def request(self, span: Span) -> httpx.Request:
        """Ask for the first page of the bars that open in `span`."""

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Return the bars of one page (`sources.frames.BARS`), in the order they came.

        Raises:
            SourceUnavailable, RateLimited, SourceRejected: the body is cut, or is one of the
                errors that the venue sends with a 200.
            SourceMalformed: the body is not what the venue documents.
        """

    def explain(self, body: bytes) -> str:
        """Return the venue's own words from the body of a refusal (4xx).

        Raises:
            RateLimited: the body says so, where the status does not.
            SourceOutOfReach: it says that what was asked for is before its first bar.
        """


@runtime_checkable
class Prepared(Protocol):
    """A venue that has to ask for something else before it can be asked for bars."""

    def prepare(self, ask: Callable[[httpx.Request], bytes]) -> None:
        """Ask for it, unless it is known; `ask` returns the body of a good answer."""


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
    Two exceptions: a bar that is still forming is dropped, by our clock or by the one that the
    venue's answer names (`Date`), and so are bars that were not asked for where the venue pages by
    windows (`sources.paging`).

    Raises:
        SourceUnavailable, RateLimited, SourceRejected, SourceMalformed: as `ask`.
        SourceStalled: no row of a page is a bar of what is still to come.
        SourceOutOfReach: after the pages that there are, where the venue keeps no more history.
    """
    if span.venue != venue.name:
        raise InvalidInput(f"expected a span of {venue.name}, was {span}")
    end = max(span.start, min(span.end, floor_to(now, span.step)))
    whole = Span(span.venue, span.symbol, span.interval, span.start, end)

    if isinstance(venue, Prepared):
        venue.prepare(lambda request: _body(venue, request, client, pacer=pacer, retry=retry))
    theirs: list[datetime] = []  # when they made the last answer, by their clock

    def heard(headers: httpx.Headers) -> None:
        theirs[:] = [moment for moment in (sent_at(headers),) if moment is not None]

    def page_of(rest: Span) -> pl.DataFrame:
        try:
            return _page(venue, rest, client, pacer=pacer, retry=retry, heard=heard)
        except SourceOutOfReach:  # the venue refuses a window before its first bar: none is in it
            return pl.DataFrame(schema=BARS)

    for page in pages(venue.paging, whole, page_of, venue.page_bars):
        forming = [_forming(span.step, clock) for clock in (now, *theirs)]
        closed = page.filter(~pl.any_horizontal(forming))
        if not closed.is_empty():
            yield stamp(closed, source=f"{venue.name}:rest", now=now)


def _body(
    venue: Venue, request: httpx.Request, client: httpx.Client, *, pacer: Pacer, retry: Retry
) -> bytes:
    return ask(
        venue.name,
        lambda: request,
        client,
        read=bytes,
        explain=venue.explain,
        pacer=pacer,
        retry=retry,
    )


def _page(
    venue: Venue,
    rest: Span,
    client: httpx.Client,
    *,
    pacer: Pacer,
    retry: Retry,
    heard: Callable[[httpx.Headers], None],
) -> pl.DataFrame:
    return ask(
        venue.name,
        lambda: venue.request(rest),
        client,
        read=lambda body: venue.parse(body, rest),
        explain=venue.explain,
        pacer=pacer,
        retry=retry,
        heard=heard,
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
    heard: Callable[[httpx.Headers], None] = lambda _headers: None,
) -> T:
    """Send one request, again where that may help, and return what `read` makes of its answer.

    With `json`, an answer that calls itself anything else is malformed. `heard` is given the
    headers of each answer.

    Raises:
        SourceUnavailable: no usable answer in the attempts and time that `retry` grants.
        SourceResting: none is asked for now, since the source kept failing.
        RateLimited: the source wants us to wait longer than that, or has banned us.
        SourceRejected: a 4xx, with the source's own words.
        SourceMalformed: the answer is not what is documented, each time it was asked for.
    """

    def once() -> T:
        asking = request()
        if not pacer.wait(retry.deadline):
            raise RateLimited(source, status=429, retry_after=pacer.held)
        pacer.admit()
        began = retry.clock()
        try:
            answer = send(client, asking, source, clock=retry.clock)
            pacer.heard(answer.headers)
            heard(answer.headers)
            body = accept(answer, source, explain)
            if json:
                require_json(answer, source)
            found = read(body)
        except RateLimited as error:
            unsaid = _UNSAID.get(error.status or 0, 1.0)
            pacer.hold(unsaid if error.retry_after is None else error.retry_after)
            pacer.failed(error)
            raise
        except NightjarError as error:
            pacer.failed(error)
            raise
        pacer.answered(retry.clock() - began)
        return found

    return retry.run(once)


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
