"""What becomes of landed batches: judged, held back, merged. Prefect is not needed here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import CANDLES, dataset_named
from core.errors import InvalidInput, NightjarError, RetryableError
from core.market import check_symbol, check_venue, interval_step
from expectations.gate import gate
from expectations.suites import suite_for
from storage import hot, landing, quarantine
from storage.lake import read_candles, sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from core.receipts import Merge, Receipt
    from expectations.verdict import Verdict
    from storage.store import Store

MOST_ROWS = 250_000  # of all batches that are settled together: they are held in memory
# How many bars before a batch the gate looks at: more than its slowest fact needs.
MEMORY = 500
MOMENT = timedelta(microseconds=1)
FIRST_BAR = datetime(2009, 1, 1, tzinfo=UTC)  # no market of ours is older
# Of every other dataset its suite says how long before; so many rows at most.
MOST_REMEMBERED = 100_000


def judge(
    store: Store, receipt: Receipt, now: datetime, *, unmerged: Sequence[pl.DataFrame] = ()
) -> Verdict:
    """Run the gate on a landed batch, with the neighbours that its facts need.

    Args:
        store: where the batch and its neighbours are.
        receipt: the batch's.
        now: decides which bars have closed.
        unmerged: accepted candles that are not stored yet and count as if they were.
    """
    batch = landing.read_batch(store, receipt)
    if receipt.dataset != CANDLES.name:
        history = _lately(store, receipt.dataset, batch)
        return gate(receipt.dataset, batch, history=history, now=now, name=receipt.path)
    before: list[pl.DataFrame] = [CANDLES.empty()]
    held: list[pl.DataFrame] = [CANDLES.empty()]
    for venue, symbol, interval, first in _series(batch):
        waiting = quarantine.held(store, venue, symbol, interval)
        if not waiting.is_empty():
            since, until = waiting["open_time"][0], waiting["open_time"][-1] + MOMENT
            fresh = _of_series(unmerged, venue, symbol, interval, since, until)
            waiting = _without(waiting, fresh)
        held.append(waiting)
        before.append(_before(store, venue, symbol, interval, first, unmerged))
    return gate(
        receipt.dataset,
        batch,
        history=pl.concat(before),
        held=pl.concat(held),
        now=now,
        name=receipt.path,
    )


def _before(
    store: Store,
    venue: str,
    symbol: str,
    interval: str,
    first: datetime,
    unmerged: Sequence[pl.DataFrame],
) -> pl.DataFrame:
    """Return a series' last bars before `first`; where a bar comes twice, the unmerged is last."""
    start = first - MEMORY * interval_step(interval)
    fresh = _of_series(unmerged, venue, symbol, interval, start, first)
    if fresh.height >= MEMORY and fresh["open_time"].n_unique() == MEMORY:
        return fresh  # no bar is left for the store to add
    stored = read_candles(
        store, venue=venue, symbols=[symbol], interval=interval, start=start, end=first
    )
    return pl.concat([stored, fresh])


def _of_series(
    unmerged: Sequence[pl.DataFrame],
    venue: str,
    symbol: str,
    interval: str,
    start: datetime,
    end: datetime,
) -> pl.DataFrame:
    """Return a series' unmerged bars of [start, end)."""
    within = pl.col("open_time").is_between(start, end, closed="left")
    few = pl.concat([CANDLES.empty(), *(bars.filter(within) for bars in unmerged)])
    return few.filter(venue=venue, symbol=symbol, interval=interval)


def _without(waiting: pl.DataFrame, unmerged: pl.DataFrame) -> pl.DataFrame:
    """Drop the bars that wait no more, since one as new or newer is about to be stored."""
    fresh = unmerged.select("open_time", "ingested_at")
    released = waiting.join(fresh, on="open_time", suffix="_fresh").filter(
        pl.col("ingested_at_fresh") >= pl.col("ingested_at")
    )
    return waiting.join(released, on="open_time", how="anti", maintain_order="left")


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
    named = batch.select("venue", "symbol", "interval", "open_time")
    sound = named.filter(pl.col("open_time") >= FIRST_BAR)
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
    passed = _hold_back(store, receipt, verdict, now)
    [merged] = hot.merge_all(store, receipt.dataset, [passed], now=now)
    return merged


def settle_together(
    store: Store,
    receipts: Sequence[Receipt],
    now: datetime,
    *,
    show: Callable[[Verdict], None] = lambda _: None,
) -> list[Merge | NightjarError]:
    """Settle batches as if one after the other; return what became of each, in their order.

    Batches of one dataset are merged in one transaction, which is faster by far. One that is
    refused, or damaged, does not keep the others.

    Args:
        store: where the batches are, and where they go.
        receipts: the batches, older ones first.
        now: when this happens.
        show: what to do with each verdict.

    Raises:
        RetryableError: the store is held, or its disk refuses; what is not merged stays in
            landing for the next run.
    """
    became: dict[str, Merge | NightjarError] = {}
    passed: dict[str, list[hot.Batch]] = {}
    for receipt in dict.fromkeys(receipts):
        waiting = passed.setdefault(receipt.dataset, [])
        try:
            verdict = judge(store, receipt, now, unmerged=[batch.accepted for batch in waiting])
            show(verdict)
            waiting.append(_hold_back(store, receipt, verdict, now))
        except RetryableError:
            raise
        except NightjarError as error:
            became[receipt.path] = error
        if not _may_wait(receipt.dataset):
            became |= _merged(store, receipt.dataset, waiting, now)
            waiting.clear()
    for dataset, batches in passed.items():
        became |= _merged(store, dataset, batches, now)
    return [became[receipt.path] for receipt in receipts]


def _may_wait(dataset: str) -> bool:
    """Whether the next batch can be judged before this one is stored."""
    return dataset == CANDLES.name or not suite_for(dataset).remembers


def _merged(
    store: Store, dataset: str, batches: Sequence[hot.Batch], now: datetime
) -> dict[str, Merge | NightjarError]:
    merges = hot.merge_all(store, dataset, batches, now=now) if batches else []
    return {merge.batch: merge for merge in merges}


def _hold_back(store: Store, receipt: Receipt, verdict: Verdict, now: datetime) -> hot.Batch:
    """Write what the gate held back to quarantine; return what it let through.

    Raises:
        GateRefused: it let nothing through, which is recorded.
    """
    row = verdict.as_row(now)
    if not verdict.passed:
        hot.refuse(store, receipt.path, row, now)
        verdict.require()
    quarantine.write(store, receipt.dataset, verdict.quarantined, batch=receipt.path, now=now)
    return hot.Batch(receipt.path, verdict.accepted, verdict.quarantined_rows, row)
