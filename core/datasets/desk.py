"""What the desk notes about its own work."""

from __future__ import annotations

import polars as pl

from core.datasets.dataset import PROVENANCE, TIME, Dataset

REVISIONS = Dataset(
    name="revisions",
    description="History that a source changed: the key, the old and the new values as JSON.",
    columns={
        "dataset": pl.String(),
        "key": pl.String(),  # JSON object of the key columns
        "old": pl.String(),  # JSON object of the columns that differ
        "new": pl.String(),
        "old_source": pl.String(),
        "revised_at": TIME,
        **PROVENANCE,
    },
    key=("dataset", "key", "revised_at"),
    time_column="revised_at",
)

VERDICTS = Dataset(
    name="verdicts",
    description="What each gate decided about each batch.",
    columns={
        "verdict_id": pl.String(),
        "dataset": pl.String(),
        "batch": pl.String(),  # the landing file, or the stage that asked
        "rows": pl.Int64(),
        "accepted": pl.Int64(),
        "quarantined": pl.Int64(),
        "passed": pl.Boolean(),
        "reason": pl.String(),  # why the batch was refused; null where it passed
        "reasons": pl.String(),  # JSON object: rows quarantined by reason
        "judged_at": TIME,
        **PROVENANCE,
    },
    key=("verdict_id",),
    time_column="judged_at",
)
