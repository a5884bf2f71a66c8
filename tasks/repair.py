"""Steps of a repair: find what is missing, ask for it again, say what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl
from prefect import task
from prefect.artifacts import create_markdown_artifact

from core.clock import floor_to
from core.market import Span, interval_step, with_neighbours
from sources.registry import SOURCES
from storage import catalog
from storage.store import default_store
from tasks.ingest import BATCH_BARS, NEIGHBOURS
from tasks.steps import ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from storage.store import Store
    from tasks.tally import Summary


class Repaired(msgspec.Struct, frozen=True):
    """What a repair did: bars that were missing, came from their own venue, from another, or not.

    `causes` says why those that no venue had are missing still.
    """

    missing: int = 0
    own: int = 0
    lent: int = 0
    left: int = 0
    causes: dict[str, int] = {}
    refused: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@task(task_run_name="find holes", **ONCE)
def find_holes(
    venue: str | None,
    symbols: list[str] | None,
    interval: str,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> list[Span]:
    """Return the stretches without bars: of what is stored, or of [since, until) where given.

    Without `since` and `until`, only stretches between a series' first and last bar are holes.
    """
    store = default_store()
    found = []
    for row in catalog.coverage(store).iter_rows(named=True):
        if venue not in {None, row["venue"]} or row["interval"] != interval:
            continue
        if symbols and row["symbol"] not in symbols:
            continue
        start = since or row["first"]
        end = until or row["last"] + interval_step(interval)
        closed = floor_to(min(end, now), interval_step(interval))
        if start < closed:
            whole = Span(row["venue"], row["symbol"], interval, start, closed)
            found += catalog.missing(store, whole)
    return found


def venues_to_ask(holes: Sequence[Span]) -> tuple[list[str], list[str]]:
    """Return the venues of holes that can be asked, and a note on each that cannot."""
    venues = sorted({hole.venue for hole in holes})
    can = [venue for venue in venues if is_asked(venue)]
    notes = [f"{venue} cannot be asked: its bars came from files" for venue in venues]
    return can, [note for venue, note in zip(venues, notes, strict=True) if venue not in can]


def is_asked(venue: str) -> bool:
    """Say whether a venue is a source of candles that can be asked."""
    return venue in SOURCES and SOURCES[venue].kind == "rest"


def to_ask(holes: Iterable[Span], venue: str, now: datetime) -> list[Span]:
    """Return what to ask a venue for, so that holes fill: they and their neighbours, in batches.

    A gate that sees one bar alone can judge no jump, so that the bars around it come too.
    """
    wide: list[Span] = []
    for hole in holes:
        margin = NEIGHBOURS * hole.step
        end = max(hole.end, min(hole.end + margin, floor_to(now, hole.step)))
        whole = Span(venue, hole.symbol, hole.interval, hole.start - margin, end)
        own = Span(venue, hole.symbol, hole.interval, hole.start, hole.end)
        [widened] = with_neighbours([own], whole, NEIGHBOURS)
        if wide and wide[-1].symbol == widened.symbol and widened.start <= wide[-1].end:
            last = wide.pop()
            widened = Span(venue, hole.symbol, hole.interval, last.start, widened.end)
        wide.append(widened)
    return [batch for span in wide for batch in span.split(BATCH_BARS)]


def still_missing(store: Store, holes: Iterable[Span]) -> list[Span]:
    """Return what holes still lack."""
    return [rest for hole in holes for rest in catalog.missing(store, hole)]


def not_lent(store: Store, holes: Iterable[Span], lender: str) -> list[Span]:
    """Return the part of holes that another venue has no bars for either, as its own holes."""
    return [
        Span(hole.venue, rest.symbol, rest.interval, rest.start, rest.end)
        for hole in holes
        for rest in catalog.missing(
            store, Span(lender, hole.symbol, hole.interval, hole.start, hole.end)
        )
    ]


def bars_in(spans: Iterable[Span]) -> int:
    """Count the bars that open in spans."""
    return sum(span.bars for span in spans)


def outcome(
    holes: list[Span],
    rest: list[Span],
    left: list[Span],
    summaries: list[Summary],
    notes: list[str],
) -> Repaired:
    """Put together what a repair did.

    Args:
        holes: what was missing before.
        rest: what their own venues did not fill.
        left: what no other venue has either.
        summaries: of each venue that was asked.
        notes: what a person should read.
    """
    why = catalog.why(default_store(), left)
    return Repaired(
        missing=bars_in(holes),
        own=bars_in(holes) - bars_in(rest),
        lent=bars_in(rest) - bars_in(left),
        left=bars_in(left),
        causes=dict(why.group_by("cause").agg(pl.col("bars").sum()).sort("cause").iter_rows()),
        refused=tuple(text for summary in summaries for text in summary.refused),
        failed=tuple(text for summary in summaries for text in summary.failed),
        notes=tuple(notes),
    )


def publish_repair(repaired: Repaired) -> None:
    """Leave what a repair did on the run's page."""
    lines = ["### Repair", "", "| bars | |", "|---|---:|"]
    counts = ("missing", "own", "lent", "left")
    lines += [f"| {name} | {getattr(repaired, name):,} |" for name in counts]
    lines += [f"| left: {cause} | {bars:,} |" for cause, bars in repaired.causes.items()]
    lines += ["", *(f"- {text}" for text in (*repaired.notes, *repaired.failed, *repaired.refused))]
    create_markdown_artifact("\n".join(lines), key="repair")
