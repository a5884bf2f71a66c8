"""Data: collect it, ask it, see how much of it there is."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read when a command is called
from typing import TYPE_CHECKING

from commands.console import (
    DONE,
    FAILED,
    Json,
    Moment,
    Symbols,
    load_settings,
    open_desk,
    print_json,
)

if TYPE_CHECKING:
    from datetime import datetime


def ingest(
    *,
    source: str,
    dataset: Symbols = None,
    symbols: Symbols = None,
    since: Moment = None,
    until: Moment = None,
    path: Path | None = None,
    interval: str | None = None,
    venue: str | None = None,
    zone: str | None = None,
    as_json: Json = False,
) -> int:
    """Collect once, through the gate, into the store; of candles what is not stored yet.

    Args:
        source: one that `nightjar sources` lists, such as kraken, binance-archive or files.
        dataset: what of it, such as tickers,order_books; default is candles where it gives them,
            else all that it gives.
        symbols: about what, such as BTC-USDT,ETH-USDT, or whatever the source is asked about;
            `files` takes exactly one. Default is what the settings name.
        since: from when; default for candles is as far back as a night looks.
        until: the end, not part of it; default is now.
        path: a folder of dumps (binance-archive) or one file (files).
        interval: the length of one bar; default is 1m, or the source's own.
        venue: whose bars a file holds (files only), such as kucoin.
        zone: the time zone of a file's times where they carry none (files only), such as UTC.
    """
    from sources.registry import CANDLES, source_named

    wanted = dataset or ([CANDLES] if CANDLES in source_named(source).gives else [])
    if wanted != [CANDLES]:
        return _collect(source, wanted, symbols, (since, until), interval, as_json=as_json)
    open_desk()
    from flows.ingest import ingest as collect
    from serving.terminal import show_ingest

    summary = collect(
        source=source,
        symbols=symbols,
        since=since,
        until=until,
        path=path,
        interval=interval or "1m",
        venue=venue,
        zone=zone,
    )
    if as_json:
        print_json(summary)
    else:
        show_ingest(summary)
    return DONE


def _collect(
    source: str,
    datasets: list[str],
    subjects: list[str] | None,
    window: tuple[datetime | None, datetime | None],
    interval: str | None,
    *,
    as_json: bool,
) -> int:
    open_desk()
    from flows.collect import collect
    from serving.sources import show_collected

    summary = collect(
        datasets=datasets,
        source=source,
        subjects=subjects,
        since=window[0],
        until=window[1],
        interval=interval,
    )
    if as_json:
        print_json(summary)
    else:
        show_collected(summary)
    return DONE


def sql(query: str, /, *, as_of: Moment = None, as_json: Json = False) -> int:
    """Ask the store, hot and cold, in DuckDB's SQL; reading only.

    Args:
        query: one SELECT, such as "select symbol, count(*) from candles group by symbol".
        as_of: answer as the store stood then, such as 2026-06-01T03:00Z; default is as it stands.
    """
    load_settings()
    from serving.terminal import show_frame
    from storage.lake import sql as ask

    frame = ask(query, as_of=as_of)
    if as_json:
        print(frame.write_json())
    else:
        show_frame(frame)
    return DONE


def status(*, days: int = 60, as_json: Json = False) -> int:
    """Show what the store holds: coverage, gaps, freshness, quarantine, the last runs.

    Args:
        days: how many days the calendar shows.
    """
    load_settings()
    from core.clock import utc_now
    from serving.status import status as look
    from serving.terminal import show_status
    from storage.store import default_store

    found = look(default_store(), now=utc_now(), days=days)
    if as_json:
        print_json(found)
    else:
        show_status(found)
    return DONE


def repair(
    *,
    venue: str | None = None,
    symbols: Symbols = None,
    interval: str = "1m",
    since: Moment = None,
    until: Moment = None,
    lenders: Symbols = None,
    as_json: Json = False,
) -> int:
    """Ask again for bars that are missing: the same venue first, then others.

    Bars of another venue are kept under that venue's own name; research reads them only where the
    setting `borrow` says so.

    Args:
        venue: whose gaps; default is every venue's.
        symbols: of which markets; default is all that are stored.
        interval: the length of one bar.
        since: from when; default is each series' first bar.
        until: until when; default is each series' last bar.
        lenders: other venues to ask, in order; default is the setting repair_venues.
    """
    open_desk()
    from flows.repair import repair as mend
    from serving.repair import show_repair

    repaired = mend(
        venue=venue,
        symbols=symbols,
        interval=interval,
        since=since,
        until=until,
        lenders=lenders,
    )
    if as_json:
        print_json(repaired)
    else:
        show_repair(repaired)
    return FAILED if repaired.failed else DONE
