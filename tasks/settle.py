"""What becomes of a landed batch: judged, held back, merged. Prefect is not needed here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import CANDLES, dataset_named
from core.errors import InvalidInput
from core.market import check_symbol, check_venue, interval_step
from expectations.gate import gate
from expectations.suites import suite_for
from storage import hot, landing, quarantine
from storage.lake import read_candles, sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.receipts import Merge, Receipt
    from expectations.verdict import Verdict
    from storage.store import Store

# How many bars before a batch the gate looks at: more than its slowest fact needs.
MEMORY = 500
FIRST_BAR = datetime(2009, 1, 1, tzinfo=UTC)  # no market of ours is older
# Of every other dataset its suite says how long before; so many rows at most.
MOST_REMEMBERED = 100_000


def judge(store: Store, receipt: Receipt, now: datetime) -> Verdict:
    """Run the gate on a landed batch, with the neighbours that its facts need."""
    batch = landing.read_batch(store, receipt)
    if receipt.dataset != CANDLES.name:
        history = _lately(store, receipt.dataset, batch)
        return gate(receipt.dataset, batch, history=history, now=now, name=receipt.path)
    history, held = CANDLES.empty(), CANDLES.empty()
    for venue, symbol, interval, first in _series(batch):
        before = read_candles(
            store,
            venue=venue,
            symbols=[symbol],
            interval=interval,
            start=first - MEMORY * interval_step(interval),
            end=first,
        )
        history = pl.concat([history, before])
        held = pl.concat([held, quarantine.held(store, venue, symbol, interval)])
    return gate(receipt.dataset, batch, history=history, held=held, now=now, name=receipt.path)


def _lately(store: Store, dataset: str, batch: pl.DataFrame) -> pl.DataFrame | None:
    """Return what is stored of the time just before a batch, of all venues and symbols.

    None where the dataset's suite does not look at neighbours.
    """
    declared, suite = dataset_named(dataset), suite_for(dataset)
    remembered = suite.remembers
    times = batch[declared.time_column].drop_nulls()
    if not remembered or times.is_empty():
        return None
    time = declared.time_column
    query = f"""
        select {", ".join(f'"{name}"' for name in remembered)} from {dataset}
        where {time} between $first - $lately and $last
        order by {time} desc limit {MOST_REMEMBERED}
    """  # noqa: S608 - names that core/datasets declares
    ends = {"first": times.min(), "last": times.max(), "lately": suite.lately}
    found = sql(query, ends, store=store).reverse()
    return found.cast({name: declared.schema[name] for name in remembered})


def _series(batch: pl.DataFrame) -> Iterator[tuple[str, str, str, datetime]]:
    """Yield the series of a batch, each with its first time.

    Names and times that the gate will quarantine have no neighbours.
    """
    sound = batch.filter(pl.col("open_time") >= FIRST_BAR)
    found = sound.group_by("venue", "symbol", "interval").agg(pl.col("open_time").min())
    for venue, symbol, interval, first in found.drop_nulls().sort(pl.all()).iter_rows():
        try:
            check_venue(venue)
            check_symbol(symbol)
            interval_step(interval)
        except InvalidInput:
            continue
        yield venue, symbol, interval, first


def settle(store: Store, receipt: Receipt, verdict: Verdict, now: datetime) -> Merge:
    """Do what the verdict says of a batch: merge it, or record that it is refused.

    What is held back is on disk before the batch counts as merged, so that a row is never in
    neither place.

    Raises:
        GateRefused: the batch failed; nothing of it is merged, and it stays in landing.
        StoreBusy: the store is held; the batch stays in landing for the next run.
    """
    if not verdict.passed:
        hot.refuse(store, receipt.path, verdict.as_row(now), now)
        verdict.require()
    quarantine.write(store, receipt.dataset, verdict.quarantined, batch=receipt.path, now=now)
    return hot.merge(
        store,
        receipt.dataset,
        verdict.accepted,
        batch=receipt.path,
        now=now,
        quarantined=verdict.quarantined_rows,
        verdict_row=verdict.as_row(now),
    )
