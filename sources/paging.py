"""How a venue's pages follow each other, and the proof that each goes on.

Venues differ in which bars of a span they give when there are more than fit in a page, and in
whether a page of no bars means that there are none. Each way of paging is one generator here;
`sources.base.fetch` picks it by what the venue declares.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

import polars as pl

from core.clock import format_utc, from_micros, to_micros
from core.errors import SourceOutOfReach, SourceStalled
from core.market import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    Ask = Callable[[Span], pl.DataFrame]


class Paging(Enum):
    """Which bars a page holds."""

    FORWARD = "forward"  # the first that exist from the start on; none means that none follow
    WINDOW = "window"  # the last that exist in a stretch of time; none means a quiet stretch
    LATEST = "latest"  # the newest of all, whatever was asked; older ones cannot be had


def pages(way: Paging, whole: Span, ask: Ask, page_bars: int) -> Iterator[pl.DataFrame]:
    """Yield the pages of `whole` as `ask` answers them; each bar of it once if the venue is right.

    Rows are kept as they came, with one exception: windows overlap by what a venue includes at
    its ends, so that a bar beside what was asked for is left out.

    Raises:
        SourceStalled: a page holds bars, and none is of what is still to come.
        SourceOutOfReach: after the last page, where the venue no longer has what comes before it.
    """
    if way is Paging.FORWARD:
        yield from _forward(whole, ask)
    elif way is Paging.WINDOW:
        for window in whole.split(page_bars):
            yield from _backward(window, ask)
    else:
        yield from _latest(whole, ask, page_bars)


def _forward(rest: Span, ask: Ask) -> Iterator[pl.DataFrame]:
    start = rest.start
    while start < rest.end:
        rest = _between(rest, start, rest.end)
        page = ask(rest)
        if page.is_empty():
            return
        times = _possible(page, rest)
        own = times.filter(times < to_micros(rest.end))
        if times.is_empty():
            raise SourceStalled(rest.venue, format_utc(rest.start))
        # Bars after the end only: the next that exist are beyond what was asked for.
        start = rest.end if own.is_empty() else from_micros(_largest(own)) + rest.step
        yield page


def _backward(rest: Span, ask: Ask) -> Iterator[pl.DataFrame]:
    """Ask for a window, then for what is before the first bar of each answer.

    A page that holds every bar of the window is the rule. One that begins later may have been
    cut at the front by a limit that we do not know of, or nothing was traded before it.
    """
    while rest.bars:
        page = ask(rest)
        if page.is_empty():
            return
        asked = page.filter(_beside(rest).not_())
        times = _possible(asked, rest)
        if times.is_empty():
            if _is_beside_only(page, rest):
                return
            raise SourceStalled(rest.venue, format_utc(rest.end))
        yield asked
        rest = _between(rest, rest.start, from_micros(_smallest(times)))


def _latest(whole: Span, ask: Ask, page_bars: int) -> Iterator[pl.DataFrame]:
    page = ask(whole)
    asked = page.filter(_beside(whole).not_())
    if not asked.is_empty():
        yield asked
    if page.height < page_bars - 1:  # a bar that still forms may have been left out
        return
    first = from_micros(_smallest(page["open_time"].cast(pl.Int64)))
    if whole.start + whole.step <= first:
        raise SourceOutOfReach(whole.venue, str(whole), first)


def _between(span: Span, start: datetime, end: datetime) -> Span:
    return Span(span.venue, span.symbol, span.interval, start, end)


def _possible(page: pl.DataFrame, rest: Span) -> pl.Series:
    """Return the times in microseconds that can be bars of `rest`, or come after it.

    Only these count as progress: one misprinted year must not end a collection.
    """
    times = page["open_time"].cast(pl.Int64)
    return times.filter((times >= to_micros(rest.start)) & (times % _micros(rest.step) == 0))


def _beside(span: Span) -> pl.Expr:
    """Say which rows are bars that were not asked for; what cannot be a bar is the gate's."""
    opens = pl.col("open_time")
    return ((opens < span.start) | (opens >= span.end)) & (
        opens.to_physical() % _micros(span.step) == 0
    )


def _is_beside_only(page: pl.DataFrame, rest: Span) -> bool:
    """Whether a page holds nothing but what the venue includes at the ends of a window."""
    opens, step = pl.col("open_time"), rest.step
    near = (opens > rest.start - step) & (opens <= rest.end + step)
    return page.filter(_beside(rest) & near).height == page.height


def _micros(step: timedelta) -> int:
    return step // timedelta(microseconds=1)


def _smallest(times: pl.Series) -> int:
    return int(times.min())  # type: ignore[arg-type]  # not empty, and whole numbers


def _largest(times: pl.Series) -> int:
    return int(times.max())  # type: ignore[arg-type]  # not empty, and whole numbers
