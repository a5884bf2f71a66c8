"""Steps of a collection of candles: plan what is missing, bring it into landing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from msgspec.structs import replace
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from core.clock import utc_now
from core.datasets import CANDLES
from core.errors import InvalidInput, StoreBusy
from core.market import Span, with_neighbours
from core.receipts import Receipt
from core.settings import load
from sources.binance_archive import ArchiveFile, download_archives, find_archives, read_archive
from sources.files import read_file
from sources.http import open_client
from sources.pacing import shared_pacer
from storage import catalog, health, landing
from storage.store import default_store
from tasks.asking import Asker, health_rows
from tasks.steps import ONCE, PATIENT, log
from tasks.tally import Fetched, Summary
from tasks.tiers import from_venue, serve

ARCHIVE, FILES = "binance-archive", "files"
ARCHIVED_VENUE = "binance"
# A span asked for in one step: a month of minutes. Small enough that a failure loses little,
# large enough that a step's own cost does not count.
BATCH_BARS = 43_200
GENTLE = 5.0  # requests a second to the file server of the dumps
# How many stored bars on each side of a hole are fetched again with it.
NEIGHBOURS = 60


@task(task_run_name="plan {venue}", **ONCE)
def plan_spans(
    venue: str, symbols: list[str], interval: str, start: datetime, end: datetime
) -> list[Span]:
    """Return what to fetch of [start, end): what is not stored, in batches.

    A hole that the venue could not fill before is asked for again: it may have healed. Its
    neighbours are asked for too, since a gate that sees one bad bar alone must refuse it, and a
    price jump is released only by the bars after it.
    """
    store = default_store()
    wholes = [Span(venue, symbol, interval, start, end) for symbol in symbols]
    return [
        batch
        for whole in wholes
        for wide in with_neighbours(catalog.missing(store, whole), whole, NEIGHBOURS)
        for batch in wide.split(BATCH_BARS)
    ]


@task(task_run_name="fetch {span}", **(PATIENT | {"retries": 1}))
def fetch_span(asker: Asker, span: Span, *, routed: bool) -> Fetched:
    """Ask for the bars of one span and leave the answer in landing.

    Args:
        asker: who asks.
        span: of one venue.
        routed: whether the venue's further tiers are asked for what it does not give.
    """
    now = utc_now()
    if routed:
        served = serve(asker, span, now)
        frame, missing = served.bars, served.missing
    else:
        part = from_venue(asker, span, now)
        frame = part.bars
        missing = (f"{part.short_of} (its history is shorter)",) if part.short_of else ()
    log.info("fetched %s: %s bars", span, f"{frame.height:,}")
    if frame.is_empty():
        return Fetched(None, missing)
    return Fetched(
        landing.land(default_store(), CANDLES.name, frame, source=span.venue, now=now), missing
    )


def note_health(asker: Asker) -> None:
    """Write down how each source did; a store that is held must not fail what was collected."""
    now = utc_now()
    rows = health_rows(asker.standing, now)
    try:
        health.note(default_store(), rows, now=now)
    except StoreBusy as busy:
        log.warning("how the sources did could not be noted: %s", busy)
    if rows:
        create_table_artifact([dict(row) for row in rows], key="source-health")


@task(task_run_name="download {symbols}", **PATIENT)
def download(
    symbols: list[str], interval: str, since: datetime | None, until: datetime | None
) -> Path:
    """Fetch the venue's dumps over HTTP; return the folder they lie in."""
    settings, now = load(), utc_now()
    if not symbols:
        raise InvalidInput("expected --symbols BTC-USDT,… to say which dumps to fetch")
    folder = settings.home / "downloads" / ARCHIVE
    with open_client() as client:
        download_archives(
            settings.binance_archive_url,
            symbols,
            interval,
            since or now - timedelta(days=settings.days),
            until or now,
            folder,
            client,
            pacer=shared_pacer(settings.binance_archive_url, GENTLE),
        )
    return folder


@task(task_run_name="list archives", **ONCE)
def list_archives(folder: Path, symbols: list[str], interval: str) -> list[ArchiveFile]:
    """Return the venue's dumps that lie in a folder, oldest first."""
    return find_archives(folder, symbols, interval)


def span_of(file: ArchiveFile, since: datetime | None, until: datetime | None) -> Span | None:
    """Return the bars that a dump is read for; None where none of its period is wanted."""
    start = max(file.start, since) if since else file.start
    end = min(file.end, until) if until else file.end
    if end <= start:
        return None
    return Span(ARCHIVED_VENUE, file.symbol, file.interval, start, end)


@task(task_run_name="read {file.path}", **ONCE)
def land_archive(file: ArchiveFile, since: datetime | None, until: datetime | None) -> Receipt:
    """Read one dump of the venue into landing, or the part of it in [since, until)."""
    now = utc_now()
    frame = read_archive(file, now=now)
    if since is not None:
        frame = frame.filter(pl.col("open_time") >= since)
    if until is not None:
        frame = frame.filter(pl.col("open_time") < until)
    log.info("read %s: %s bars of %s", Path(file.path).name, f"{frame.height:,}", file.symbol)
    return landing.land(default_store(), CANDLES.name, frame, source=ARCHIVE, now=now)


@task(task_run_name="read {path}", **ONCE)
def land_file(
    path: Path, venue: str, symbol: str, interval: str | None, zone: str | None
) -> tuple[Receipt, list[str]]:
    """Read anyone's file of bars into landing; also return what was detected about it."""
    now = utc_now()
    reading = read_file(path, venue=venue, symbol=symbol, interval=interval, zone=zone, now=now)
    for note in reading.notes:
        log.info("%s: %s", path.name, note)
    receipt = landing.land(default_store(), CANDLES.name, reading.frame, source=FILES, now=now)
    return receipt, reading.notes


def with_coverage(summary: Summary, venue: str, symbols: list[str], interval: str) -> Summary:
    """Return the summary with what the store now holds of the series asked for."""
    found = catalog.coverage(default_store()).filter(venue=venue, interval=interval)
    wanted = found.filter(pl.col("symbol").is_in(symbols)) if symbols else found
    return replace(summary, coverage=tuple(wanted.to_dicts()))


def publish_collection(summary: Summary) -> None:
    """Leave what a collection did on the run's page."""
    counts = ("inserted", "unchanged", "revised", "quarantined", "released")
    lines = [f"### Collected from {summary.source}", "", "| bars | |", "|---|---:|"]
    lines += [f"| {name} | {summary.total(name):,} |" for name in counts]
    for title, items in (("Refused", summary.refused), ("Still missing", summary.failed)):
        if items:
            lines += ["", f"**{title}**", "", *(f"- {item}" for item in items)]
    key = f"collected-{summary.source}".replace("_", "-")
    create_markdown_artifact("\n".join(lines), key=key)
