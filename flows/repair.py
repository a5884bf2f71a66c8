"""Ask again for bars that are missing: the same venue first, then others."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from core.clock import utc_now
from core.settings import load
from flows.ingest import MOST_AT_ONCE
from storage.store import default_store
from tasks import ingest as collecting
from tasks import repair as steps
from tasks.asking import asking
from tasks.markets import at_address, reachable
from tasks.steps import in_turn
from tasks.tally import Fetched, Summary, Tally

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture

    from core.market import Span


@flow(
    name="repair",
    flow_run_name="repair",
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_AT_ONCE),  # type: ignore[arg-type]
)
def repair(
    venue: str | None = None,
    symbols: list[str] | None = None,
    interval: str = "1m",
    since: datetime | None = None,
    until: datetime | None = None,
    lenders: list[str] | None = None,
) -> steps.Repaired:
    """Fill gaps: from a series' own venue, else keep what other venues have for the same time.

    Bars of another venue are stored under that venue's own name; research reads them only where
    the setting `borrow` says so.

    Args:
        venue: Whose gaps; every venue's where it is empty.
        symbols: Of which markets; of all where it is empty.
        interval: The length of one bar.
        since: From when; from each series' first bar where it is empty.
        until: Until when; until each series' last bar where it is empty.
        lenders: Other venues to ask, in order; the settings' `repair_venues` where it is empty.
    """
    store, now = default_store(), utc_now()
    holes = steps.find_holes(venue, symbols, interval, since, until, now)
    venues, notes = steps.venues_to_ask(holes)
    summaries = [ask(own, [h for h in holes if h.venue == own], now) for own in venues]
    rest = left = steps.still_missing(store, holes)
    for lender in lenders or load().repair_venues:
        lacking = [hole for hole in left if hole.venue != lender]
        if lacking and steps.is_asked(lender):
            summaries.append(ask(lender, lacking, now))
        same = [hole for hole in left if hole.venue == lender]
        left = same + steps.not_lent(store, lacking, lender)
    repaired = steps.outcome(holes, rest, left, summaries, notes)
    steps.publish_repair(repaired)
    return repaired


def ask(venue: str, holes: list[Span], now: datetime) -> Summary:
    """Ask one venue, and its further tiers, for what is missing; merge what they have."""
    tally = Tally(venue)
    with reachable(venue) as url:
        settings = at_address(load(), url)
        with asking(settings, default_store()) as asker:

            def fetch(span: Span) -> PrefectFuture[Fetched]:
                return collecting.fetch_span.submit(asker, span, routed=True)

            spans = steps.to_ask(holes, venue, now)
            for span, future in in_turn(fetch, spans, settings.routing.connections):
                tally.take_span(span, future.result(raise_on_failure=False))
            collecting.note_health(asker)
    tally.keep_asks()
    return tally.summary()
