"""Steps of a collection of anything but candles: ask, land, judge, merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from prefect import task
from prefect.artifacts import create_markdown_artifact

from core.clock import utc_now
from core.receipts import Receipt
from storage import landing
from storage.store import default_store
from tasks.asking import Asker
from tasks.gather import Window, gather
from tasks.listings import only_changes
from tasks.posts import prepared
from tasks.questions import Question
from tasks.steps import ONCE, log

if TYPE_CHECKING:
    from tasks.tally import Summary, Tally


class Gathered(msgspec.Struct, frozen=True):
    """What came of a question: its rows in landing, what is missing, what one should know."""

    receipt: Receipt | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@task(task_run_name="ask for {question}", **ONCE)
def ask(asker: Asker, question: Question, window: Window) -> Gathered:
    """Put one question, and leave the answers in landing."""
    now = utc_now()
    found = gather(asker, question, window, now)
    for line in (*found.notes, *found.missing):
        log.info("%s", line)
    rows = prepared(question.dataset, found.rows, asker.settings.social, now)
    whole = not found.missing
    rows = only_changes(default_store(), question.dataset, rows, now, whole=whole)
    if rows.is_empty():
        return Gathered(None, found.missing, found.notes)
    log.info("%s: %s rows", question, f"{rows.height:,}")
    receipt = landing.land(default_store(), question.dataset, rows, source=question.source, now=now)
    return Gathered(receipt, found.missing, found.notes)


def take(tally: Tally, question: Question, outcome: Gathered | BaseException) -> None:
    """Merge what a question brought, and count what it did not."""
    if isinstance(outcome, BaseException):
        tally.take(question, outcome)
        return
    tally.note(*outcome.notes)
    for what in outcome.missing:
        tally.missing(what)
    if outcome.receipt is not None:
        tally.merge(outcome.receipt)


def publish(summary: Summary) -> None:
    """Leave what a collection did on the run's page."""
    by_dataset: dict[str, list[int]] = {}
    for merge in summary.merges:
        counts = by_dataset.setdefault(merge.dataset, [0, 0, 0, 0])
        for place, count in enumerate(
            (merge.inserted, merge.unchanged, merge.revised, merge.quarantined)
        ):
            counts[place] += count
    lines = [
        f"### Collected: {summary.source}",
        "",
        "| dataset | new | known | revised | quarantined |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |"
            for name, counts in sorted(by_dataset.items())
        ),
    ]
    for title, items in (
        ("Skipped", summary.notes),
        ("Refused", summary.refused),
        ("Still missing", summary.failed),
    ):
        if items:
            lines += ["", f"**{title}**", "", *(f"- {item}" for item in items)]
    create_markdown_artifact("\n".join(lines), key="collected")
