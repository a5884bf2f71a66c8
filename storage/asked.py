"""What was asked of whom, when, and what came of it: why a bar is missing follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from core.clock import floor_to
from core.datasets import ASKED
from core.errors import GateRefused
from core.market import Span
from storage import hot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.errors import NightjarError
    from core.receipts import Receipt
    from storage.store import Store

# The source understood, and gave what it had: bars it did not give, it has not.
ANSWERED = "answered"
# It gave an answer, and the gate refused all of it.
REFUSED = "refused"
# It gave none, or what it gave could not be stored yet.
FAILED = "failed"


class Ask(msgspec.Struct, frozen=True):
    """A span that a source was asked for, and what came of it."""

    span: Span
    source: str
    outcome: str
    asked_at: datetime
    rows: int | None = None
    landed: str | None = None
    reason: str | None = None


def ask_of(
    span: Span,
    source: str,
    receipt: Receipt | None,
    wrong: NightjarError | None,
    *,
    asked_at: datetime,
) -> Ask:
    """Return what to keep of a question.

    Args:
        span: what was asked for.
        source: who was asked.
        receipt: the landed answer; None where it had no bar, or there was none.
        wrong: what went wrong while asking, judging or merging; None where nothing did.
        asked_at: when.
    """
    outcome = ANSWERED
    if wrong is not None:
        outcome = REFUSED if isinstance(wrong, GateRefused) else FAILED
    there = None if receipt is None else receipt.rows
    return Ask(
        span=span,
        source=source,
        outcome=outcome,
        asked_at=asked_at,
        rows=0 if outcome == ANSWERED and there is None else there,
        landed=None if receipt is None else receipt.path,
        reason=None if wrong is None else str(wrong),
    )


def closed_at(span: Span, now: datetime) -> Span | None:
    """Return the part of a span whose bars have closed by `now`; None where there is none."""
    end = min(span.end, floor_to(now, span.step))
    if end <= span.start:
        return None
    return Span(span.venue, span.symbol, span.interval, span.start, end)


def note(store: Store, asks: Sequence[Ask], *, now: datetime) -> None:
    """Write down what was asked; nothing is written where nothing was.

    Raises:
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
    """
    if not asks:
        return
    rows = [
        {
            **{name: getattr(ask.span, name) for name in ("venue", "symbol", "interval")},
            "start": ask.span.start,
            "end": ask.span.end,
            "outcome": ask.outcome,
            "rows": ask.rows,
            "landed": ask.landed,
            "reason": ask.reason,
            "asked_at": ask.asked_at,
            "source": ask.source,
            "ingested_at": now,
        }
        for ask in asks
    ]
    hot.put(store, ASKED.name, pl.DataFrame(rows, schema=ASKED.schema), now=now)
