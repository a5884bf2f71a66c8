"""Steps of the indicators: which bars closed since the last reading, and what they read."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
from prefect import task

from core.clock import floor_to, utc_now
from core.datasets import INDICATORS, TIME
from core.errors import InvalidInput
from core.market import interval_step
from core.receipts import Receipt
from core.settings import load
from research.readings import at_interval, readings, warm_up
from storage import landing
from storage.lake import read_candles, sql
from storage.store import Store, default_store
from tasks.steps import ONCE, PATIENT, log

SOURCE = "indicators"
FINEST = "1m"


@task(task_run_name="list series of {venue}", **ONCE)
def list_series(venue: str, symbols: list[str]) -> list[str]:
    """Return the symbols of a venue whose bars are stored, or those of `symbols` that are."""
    query = "select distinct symbol from coverage where venue = $venue order by symbol"
    stored = sql(query, {"venue": venue}, store=default_store())["symbol"].to_list()
    return [symbol for symbol in stored if not symbols or symbol in symbols]


@task(task_run_name="read {symbol} {interval}", **PATIENT)
def land_readings(
    venue: str, symbol: str, interval: str, since: datetime | None = None
) -> Receipt | None:
    """Leave readings of the bars that closed since the last one in landing.

    A reading is of the bars that were there when it was made: one that arrives late changes
    none, unless `since` asks for them anew. None where no bar closed since.
    """
    store, now = default_store(), utc_now()
    start, end = (
        _first(store, venue, symbol, interval, since),
        floor_to(now, interval_step(interval)),
    )
    if start is not None and start >= end:
        return None
    bars = _bars(store, venue, symbol, interval, start, end)
    rows = readings(bars)
    if start is not None:
        rows = rows.filter(pl.col("open_time") >= start)
    rows = rows.filter(pl.any_horizontal(pl.col(pl.Float64).is_not_null()))
    if rows.is_empty():
        return None
    log.info("%s %s %s: %s readings", venue, symbol, interval, f"{rows.height:,}")
    stamped = rows.with_columns(
        pl.lit(SOURCE).alias("source"), pl.lit(now).cast(TIME).alias("ingested_at")
    )
    return landing.land(store, INDICATORS.name, stamped, source=SOURCE, now=now)


def _first(
    store: Store, venue: str, symbol: str, interval: str, since: datetime | None
) -> datetime | None:
    """Return the first bar to read: the one after the last that was, None where none was."""
    if since is not None:
        return since
    query = """
        select max(open_time) as last from indicators
        where venue = $venue and symbol = $symbol and interval = $interval
    """
    series = {"venue": venue, "symbol": symbol, "interval": interval}
    last: datetime | None = sql(query, series, store=store)["last"][0]
    return None if last is None else last + interval_step(interval)


def _bars(
    store: Store,
    venue: str,
    symbol: str,
    interval: str,
    start: datetime | None,
    end: datetime,
) -> pl.DataFrame:
    """Return the bars to read and those of the warm-up, made of minutes where none are stored."""
    step = interval_step(interval)
    first = (start or end - timedelta(days=load().days)) - warm_up() * step
    stored = read_candles(
        store, venue=venue, symbols=[symbol], interval=interval, start=first, end=end
    )
    if not stored.is_empty() or interval == FINEST:
        return stored
    fine = read_candles(store, venue=venue, symbols=[symbol], interval=FINEST, start=first, end=end)
    return at_interval(fine, interval)


def check_intervals(intervals: list[str]) -> list[str]:
    """Return intervals that bars can have; raise `InvalidInput` where there is none."""
    if not intervals:
        raise InvalidInput("expected intervals such as 5m, 1h, was none")
    for interval in intervals:
        interval_step(interval)
    return intervals
