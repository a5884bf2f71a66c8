"""What becomes of landed batches: judged, held back, merged. Prefect is not needed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.datasets import CANDLES
from core.errors import NightjarError, RetryableError
from expectations.gate import gate
from expectations.suites import suite_for
from storage import hot, landing, quarantine
from tasks.neighbours import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import polars as pl

    from core.receipts import Merge, Receipt
    from expectations.verdict import Verdict
    from storage.store import Store

MOST_ROWS = 500_000  # of all batches that are settled together: they are held in memory


def settle_together(
    store: Store,
    receipts: Sequence[Receipt],
    now: datetime,
    *,
    show: Callable[[Verdict], None] = lambda _: None,
) -> list[Merge | NightjarError]:
    """Settle batches as if one after the other; return what became of each, in their order.

    Batches of one dataset are merged in one transaction, which is faster by far. One that is
    refused, or damaged, does not keep the others: nothing of it is merged, it stays in landing, and
    its error stands in its place. What is held back is on disk before its batch counts as merged,
    so that a row is never in neither place.

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
    surroundings = Surroundings(store, receipts, now)
    for receipt in dict.fromkeys(receipts):
        waiting = passed.setdefault(receipt.dataset, [])
        try:
            unmerged = [batch.accepted for batch in waiting]
            verdict = _judged(store, receipt, now, surroundings, unmerged)
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


def _judged(
    store: Store,
    receipt: Receipt,
    now: datetime,
    surroundings: Surroundings,
    unmerged: Sequence[pl.DataFrame],
) -> Verdict:
    batch = landing.read_batch(store, receipt)
    history, held = surroundings.of(receipt.dataset, batch, unmerged)
    return gate(receipt.dataset, batch, history=history, held=held, now=now, name=receipt.path)


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
