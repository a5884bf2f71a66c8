"""Collect candles: plan what is missing, fetch it, judge it, merge it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from core.clock import floor_to, utc_now
from core.errors import InvalidInput
from core.market import Span, interval_step
from core.settings import load
from sources.registry import source_named
from storage import landing
from storage.store import default_store
from tasks import ingest as steps
from tasks.asking import asking
from tasks.markets import at_address, list_symbols, reachable
from tasks.secrets import with_secret_blocks
from tasks.steps import in_turn
from tasks.tally import Fetched, Summary, Tally

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture

    from core.receipts import Receipt
    from sources.binance_archive import ArchiveFile

MOST_AT_ONCE = 64  # threads; how many of them ask is the setting routing.connections
READ_AHEAD = 3  # dumps that are read while others are merged


@flow(
    name="ingest",
    flow_run_name="ingest {source}",
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_AT_ONCE),  # type: ignore[arg-type]
)
def ingest(
    source: str | None = None,
    symbols: list[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    path: Path | None = None,
    interval: str = "1m",
    venue: str | None = None,
    zone: str | None = None,
) -> Summary:
    """Store the candles of a source that are not stored yet.

    Args:
        source: whose candles, such as kraken, binance-archive or files; where it is empty, the
            settings' venue, and its further tiers for what it does not give.
        symbols: What to collect, such as BTC-USDT; what the settings name where it is empty.
        since: The first bar; as far back as a night looks where it is empty.
        until: The end, not part of it; the last closed bar where it is empty.
        path: A folder of official dumps (binance-archive), or one file of bars (files).
        interval: The length of one bar.
        venue: Whose bars a file holds (files only).
        zone: The time zone of a file's times where they carry none (files only).
    """
    settings, now = load(), utc_now()
    named = source is not None
    source = source_named(source or settings.venue).name
    end = until or floor_to(now, interval_step(interval))
    start = since or end - timedelta(days=settings.days)
    names = list(symbols or settings.symbols)
    market = source
    if source == steps.ARCHIVE:
        market = steps.ARCHIVED_VENUE
        summary = collect_archives(names, since, until, path, interval)
    elif source == steps.FILES:
        market = venue or ""
        summary = collect_file(path, names, interval, venue, zone)
    else:
        summary = collect(source, names, start, end, interval, routed=not named)
    summary = steps.with_coverage(summary, market, names, interval)
    steps.publish_collection(summary)
    return summary.require()


def collect(
    source: str,
    symbols: list[str],
    start: datetime,
    end: datetime,
    interval: str = "1m",
    *,
    routed: bool = True,
) -> Summary:
    """Fetch what is missing of a venue and merge it, batch by batch as they arrive.

    With `routed`, what the venue does not give is asked of its further tiers.
    """
    tally = merge_leftovers(source)
    with reachable(source) as url:
        names = symbols or list_symbols(source, url)
        spans = steps.plan_spans(source, names, interval, start, end)
        keyed = with_secret_blocks(load(), {source, *load().routing.candles})
        settings = at_address(keyed, url)
        with asking(settings, default_store()) as asker:

            def fetch(span: Span) -> PrefectFuture[Fetched]:
                return steps.fetch_span.submit(asker, span, routed=routed)

            for span, future in in_turn(fetch, spans, settings.routing.connections):
                tally.take_span(span, future.result(raise_on_failure=False))
            steps.note_health(asker)
    tally.keep_asks()
    return tally.summary()


def collect_archives(
    symbols: list[str],
    since: datetime | None,
    until: datetime | None,
    folder: Path | None,
    interval: str,
) -> Summary:
    """Read a venue's official dumps, from a folder or fetched over HTTP first, and merge them."""
    tally = merge_leftovers(steps.ARCHIVE)
    folder = folder or steps.download(symbols, interval, since, until)

    def read(file: ArchiveFile) -> PrefectFuture[Receipt]:
        return steps.land_archive.submit(file, since, until)

    for file, future in in_turn(read, steps.list_archives(folder, symbols, interval), READ_AHEAD):
        receipt = future.result(raise_on_failure=False)
        tally.take(file.path, receipt, steps.span_of(file, since, until))
    tally.keep_asks()
    return tally.summary()


def collect_file(
    path: Path | None, symbols: list[str], interval: str | None, venue: str | None, zone: str | None
) -> Summary:
    """Read anyone's file of bars and merge it."""
    if path is None or venue is None or len(symbols) != 1:
        raise InvalidInput(
            "expected --path FILE, --venue NAME and exactly one of --symbols for a file of bars"
        )
    tally = merge_leftovers(steps.FILES)
    receipt, notes = steps.land_file(path, venue, symbols[0], interval, zone)
    tally.note(*notes)
    tally.merge(receipt)
    return tally.summary()


def merge_leftovers(source: str) -> Tally:
    """Start a tally with what earlier runs fetched and could not merge."""
    tally = Tally(source)
    for receipt in landing.pending(default_store()):
        tally.merge(receipt)
    return tally
