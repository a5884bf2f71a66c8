"""What became of the batches of a collection: merged, refused, or still missing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from prefect import task

from core.clock import format_utc, utc_now
from core.datasets import CANDLES
from core.errors import (
    CollectionIncomplete,
    GateRefused,
    NightjarError,
    StoreBusy,
)
from core.receipts import Merge, Receipt
from storage import asked
from storage.asked import Ask, ask_of, closed_at
from storage.store import default_store
from tasks.gates import show_verdict
from tasks.settle import MOST_ROWS, settle_together
from tasks.steps import PATIENT, log

if TYPE_CHECKING:
    from core.market import Span

# Batches wait for each other until there are `MOST_ROWS`, or the first of them has waited for so
# many seconds: they are on disk, but nobody can read them yet.
LONGEST_WAIT = 10.0


class Summary(msgspec.Struct, frozen=True):
    """What a collection did; `failed` and `refused` say what is still missing, and why."""

    source: str
    merges: tuple[Merge, ...] = ()
    refused: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    coverage: tuple[dict[str, Any], ...] = ()  # of the series asked for, after it

    def total(self, what: str) -> int:
        """Add up one count of `Merge` over all batches."""
        return sum(getattr(merge, what) for merge in self.merges)

    def require(self) -> Summary:
        """Return the summary, or raise what kept the collection from being complete."""
        if self.failed:
            raise CollectionIncomplete(self.source, list(self.failed))
        if self.refused:
            raise GateRefused(_dataset_of(self.refused[0]), "; ".join(self.refused))
        return self


def _dataset_of(refused: str) -> str:
    """Return the dataset of a batch that was refused, which its path names."""
    parts = refused.split("/")
    return parts[1] if parts[0] == "landing" and len(parts) > 2 else CANDLES.name


class Fetched(msgspec.Struct, frozen=True):
    """What came of a span: its bars in landing, None where there are none; and what is missing."""

    receipt: Receipt | None
    missing: tuple[str, ...] = ()


class _Waiting(NamedTuple):
    """A batch that is to be merged, and what was asked for to get it, where that is known."""

    receipt: Receipt
    asked: Span | None


class Tally:
    """Merges the batches of a collection while it goes on, and counts what becomes of each.

    A batch that it took may wait for others, until `settle` or `summary` at the latest.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._merges: list[Merge] = []
        self._refused: list[str] = []
        self._failed: list[str] = []
        self._notes: list[str] = []
        self._asks: list[Ask] = []
        self._began = utc_now()
        self._waiting: list[_Waiting] = []
        self._due = 0.0

    def note(self, *notes: str) -> None:
        """Keep what a person should read at the end."""
        self._notes += notes

    def missing(self, what: object, why: BaseException | None = None) -> None:
        """Count something that could not be had."""
        self._failed.append(f"{what} ({why})" if why else str(what))

    def take(
        self,
        what: object,
        outcome: Receipt | BaseException | None,
        span: Span | None = None,
    ) -> None:
        """Go on with what a step left: merge a receipt, count an error of ours, raise any other.

        Args:
            what: what was asked for, in words.
            outcome: what the step returned or raised.
            span: the bars that were asked for, where that is known: later it says why one is
                missing.
        """
        if isinstance(outcome, Receipt):
            self.merge(outcome, span)
            return
        if isinstance(outcome, NightjarError):
            self.missing(what, outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        self._ask(span, None, outcome)

    def take_span(self, span: Span, outcome: Fetched | BaseException) -> None:
        """Go on with what came of asking for a span; what it is short of is missing."""
        if isinstance(outcome, BaseException):
            self.take(span, outcome, span)
            return
        for what in outcome.missing:
            self.missing(what)
        if outcome.missing and outcome.receipt is None:
            short = CollectionIncomplete(self._source, list(outcome.missing))
            self._asks.append(ask_of(span, self._source, None, short, asked_at=utc_now()))
            return
        self.take(span, outcome.receipt, span)

    def merge(self, receipt: Receipt, span: Span | None = None) -> None:
        """Judge and merge a batch, now or soon, together with others."""
        if not self._waiting:
            self._due = time.monotonic() + LONGEST_WAIT
        self._waiting.append(_Waiting(receipt, span))
        rows = sum(batch.receipt.rows for batch in self._waiting)
        if rows >= MOST_ROWS or time.monotonic() >= self._due:
            self.settle()

    def settle(self) -> None:
        """Judge and merge all batches that wait, and count what became of each."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        receipts = list(dict.fromkeys(batch.receipt for batch in waiting))
        merge = merge_batches.with_options(task_run_name=f"merge {_named(receipts)}")
        found = merge(receipts, return_state=True).result(raise_on_failure=False)
        became: list[Merge | NightjarError]
        if isinstance(found, NightjarError):
            became = [found] * len(receipts)
        elif isinstance(found, BaseException):
            raise found
        else:
            became = found
        outcomes = dict(zip(receipts, became, strict=True))
        for receipt, outcome in outcomes.items():
            self._count(receipt, outcome)
        for batch in waiting:
            outcome = outcomes[batch.receipt]
            wrong = None if isinstance(outcome, Merge) else outcome
            self._ask(batch.asked, batch.receipt, wrong)

    def _count(self, receipt: Receipt, outcome: Merge | NightjarError) -> None:
        if isinstance(outcome, Merge):
            self._merges.append(outcome)
        elif isinstance(outcome, GateRefused):
            self._refused.append(f"{receipt.path}: {outcome.reason}")
        else:
            self.missing(receipt.path, outcome)

    def _ask(self, span: Span | None, receipt: Receipt | None, wrong: NightjarError | None) -> None:
        """Remember what was asked, and what came of it."""
        if span is not None and (closed := closed_at(span, self._began)):
            self._asks.append(ask_of(closed, self._source, receipt, wrong, asked_at=utc_now()))

    def keep_asks(self) -> None:
        """Write down what was asked; a store that is held must not fail what was collected."""
        self.settle()
        asks, self._asks = self._asks, []
        try:
            asked.note(default_store(), asks, now=utc_now())
        except StoreBusy as busy:
            log.warning("what was asked could not be noted: %s", busy)

    def summary(self) -> Summary:
        """Merge what waits, and return what was counted."""
        self.settle()
        return Summary(
            self._source,
            tuple(self._merges),
            tuple(self._refused),
            tuple(self._failed),
            tuple(self._notes),
        )


@task(**PATIENT)
def merge_batches(receipts: list[Receipt]) -> list[Merge | NightjarError]:
    """Judge landed batches, older ones first, and merge what passed; return what became of each.

    Raises:
        StoreBusy: the store is held; the batches stay in landing for the next run.
    """
    store = default_store()
    became = settle_together(
        store, receipts, utc_now(), show=lambda verdict: show_verdict(store, verdict)
    )
    for receipt, outcome in zip(receipts, became, strict=True):
        if isinstance(outcome, Merge):
            log.info("merged %s: %s", _span(receipt), _counts(outcome))
    return became


def _counts(merge: Merge) -> str:
    counts = ("inserted", "unchanged", "revised", "quarantined", "released")
    found = [f"{getattr(merge, what):,} {what}" for what in counts if getattr(merge, what)]
    return ", ".join(found) or "no rows"


def _named(receipts: list[Receipt]) -> str:
    others = len(receipts) - 1
    return _span(receipts[0]) + (f" and {others} more" if others else "")


def _span(receipt: Receipt) -> str:
    """Name a batch for a person: which series and when, without the hashes."""
    series = " ".join(Path(receipt.path).stem.split("_")[:3])
    if receipt.start is None or receipt.end is None:
        return series
    return f"{series} {format_utc(receipt.start)} to {format_utc(receipt.end)}"
