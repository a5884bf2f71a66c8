"""What is stored: how far each series reaches, what is missing in it, and which version it is."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.clock import require_utc, to_micros
from core.datasets import CANDLES, TIME
from core.market import Span
from storage.gaps import caused
from storage.lake import query_candles, sql
from storage.schema import columns, literal, values
from storage.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.store import Store

_SERIES = ("venue", "symbol", "interval")


def coverage(store: Store) -> pl.DataFrame:
    """Return one row per series: first and last bar, bars, bars expected, bars missing."""
    return sql(f"from coverage order by {columns(_SERIES)}", store=store)


def gaps(
    store: Store,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    interval: str | None = None,
) -> pl.DataFrame:
    """Return the stretches [start, end) without a bar, and how many `bars` each lacks.

    Only between a series' first and last bar. Nothing ever fills them but bars from a source.
    """
    chosen = Selection(venue, () if symbol is None else (symbol,), interval).condition
    return sql(f"from gaps where {chosen} order by {columns((*_SERIES, 'start'))}", store=store)


def causes(
    store: Store,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    interval: str | None = None,
) -> pl.DataFrame:
    """Return the gaps cut where their cause changes, each with its `cause`.

    The causes are those of `storage.gaps`: refused, venue_had_none, failed, never_asked.
    """
    chosen = Selection(venue, () if symbol is None else (symbol,), interval).condition
    order = columns((*_SERIES, "start"))
    return sql(f"from missing_bars where {chosen} order by {order}", store=store)


def why(store: Store, spans: Sequence[Span]) -> pl.DataFrame:
    """Say why bars are missing that are: as `causes`, of stretches that hold no bar.

    Args:
        store: whose questions and quarantine to look at.
        spans: stretches without a bar, such as `missing` returns; any part of a series.
    """
    if not spans:
        return sql("from missing_bars where false", store=store)
    stretches = ", ".join(
        f"({literal(s.venue)}, {literal(s.symbol)}, {literal(s.interval)}, "
        f"{s.step // timedelta(microseconds=1)}::BIGINT, {_moment(s.start)}, {_moment(s.end)})"
        for s in spans
    )
    holes = f'from (values {stretches}) t({columns(_SERIES)}, step, start, "end")'
    return sql(f"{caused(holes)} order by {columns((*_SERIES, 'start'))}", store=store)


def _moment(when: datetime) -> str:
    return f"make_timestamptz({to_micros(when)})"


def missing(store: Store, span: Span) -> list[Span]:
    """Return the stretches of `span` that are not stored: its head, its holes and its tail."""
    query = "select open_time from {candles} order by open_time"
    stored = query_candles(store, Selection.of(span), query)["open_time"]
    # As if the bar before the span were there, and the first one after it.
    edges = pl.Series([span.start - span.step, span.end], dtype=TIME)
    times = pl.concat([edges.head(1), stored.alias(""), edges.tail(1)])
    holes = pl.DataFrame({"start": times.head(-1) + span.step, "end": times.tail(-1)})
    stretches = [
        Span(span.venue, span.symbol, span.interval, require_utc(start), require_utc(end))
        for start, end in holes.filter(pl.col("start") < pl.col("end")).iter_rows()
    ]
    return [stretch for stretch in stretches if stretch.bars]


def snapshot(
    store: Store,
    *,
    venue: str | None = None,
    symbols: Sequence[str] = (),
    interval: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> str:
    """Return a hash of the chosen candles: which data a computation saw.

    It depends on keys and values alone: not on the order of arrival, not on the tier that holds a
    row, not on `source` and `ingested_at`, not on the time. DuckDB makes the rows' hashes, so that
    snapshots can be compared between stores that the same version of it reads.
    """
    chosen = Selection(venue, symbols, interval, start, end)
    said = columns(["open_time", *values(CANDLES)])
    rows = query_candles(
        store,
        chosen,
        f"select {columns(_SERIES)}, count(*) as bars, sum(hash({said}))::VARCHAR as hash "
        f"from {{candles}} group by all order by all",
    )
    return hashlib.sha256(rows.write_csv().encode()).hexdigest()
