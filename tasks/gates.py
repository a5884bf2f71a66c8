"""Steps that judge what a stage made, and what shows a person what the gates decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from prefect import task
from prefect.artifacts import create_markdown_artifact

from core.clock import utc_now
from core.datasets import VERDICTS
from core.errors import GateRefused
from core.receipts import Receipt
from expectations.data_docs import write_data_docs
from expectations.gate import gate
from storage import hot, stages
from storage.store import default_store
from tasks.steps import ONCE, log

if TYPE_CHECKING:
    from expectations.verdict import Verdict
    from storage.store import Store


@task(task_run_name="gate {receipt.dataset}", **ONCE)
def gate_stage(receipt: Receipt, rows: int | None = None) -> Receipt:
    """Judge what a stage of the night made, and return it where it may go on.

    A venue's answer may have a bad row; what we made ourselves is all right or our stage is
    broken, so that here one quarantined row is enough.

    Raises:
        GateRefused: the stage's rows, or their number, are not what they must be.
    """
    store, now = default_store(), utc_now()
    frame = stages.read(store, receipt)
    verdict = gate(receipt.dataset, frame, now=now, name=receipt.path, expected_rows=rows)
    row = pl.DataFrame([verdict.as_row(now)], schema=VERDICTS.schema)
    hot.put(store, VERDICTS.name, row, now=now)
    show_verdict(store, verdict)
    if verdict.passed and verdict.quarantined.height:
        raise GateRefused(
            receipt.dataset,
            f"our own rows are wrong: {dict(verdict.reasons)}",
            rows=verdict.rows,
            quarantined=verdict.quarantined.height,
        )
    verdict.require()
    return receipt


def show_verdict(store: Store, verdict: Verdict) -> None:
    """Leave a verdict where people look: the run's artifacts, Data Docs, the log."""
    create_markdown_artifact(verdict.markdown(), key=f"gate-{verdict.dataset}".replace("_", "-"))
    write_data_docs([verdict], store.docs)
    if not verdict.passed:
        log.warning("the gate refused %s: %s", verdict.batch, verdict.reason)
