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
        "old_ingested_at": TIME,
        # True: the new value took the old one's place then; False: the old one came too late.
        "replaced": pl.Boolean(),
        "stored_at": TIME,  # when the store changed
        "revised_at": TIME,  # the same, or just after the key's last revision where that is later
        **PROVENANCE,  # of the new value
    },
    key=("dataset", "key", "revised_at"),
    time_column="revised_at",
    since=dict.fromkeys(("old_ingested_at", "replaced", "stored_at"), 4),
)

ASKED = Dataset(
    name="asked",
    description="What was asked of which source, when, and what came of it.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "interval": pl.String(),
        "start": TIME,  # bars that open in [start, end)
        "end": TIME,
        "outcome": pl.String(),  # answered, refused (by the gate) or failed (no answer)
        "rows": pl.Int64(),  # bars in the answer; null where there was none
        "landed": pl.String(),  # the landing file of the answer; null where it had no bar
        "reason": pl.String(),  # why it was refused or failed; null where it was answered
        "asked_at": TIME,
        **PROVENANCE,
    },
    key=("venue", "symbol", "interval", "start", "end", "source", "asked_at"),
    time_column="asked_at",
    hot_days=90,
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
        "warnings": pl.String(),  # JSON object: rows that went on, by what is odd about them
        "judged_at": TIME,
        **PROVENANCE,
    },
    key=("verdict_id",),
    time_column="judged_at",
    since={"warnings": 6},
)

SOURCE_HEALTH = Dataset(
    name="source_health",
    description="How a source did since it was last noted: asked, answered, refused, how quickly.",
    columns={
        "provider": pl.String(),
        "time": TIME,
        "state": pl.String(),  # up, failing, set_aside, resting or no_key
        "requests": pl.Int64(),
        "failures": pl.Int64(),
        "limited": pl.Int64(),  # times that it asked us to wait
        "latency_ms": pl.Float64(),  # median of the answers; null where there was none
        "limit_left": pl.Float64(),  # share of its budget that was left, as it announces
        "message": pl.String(),  # the last failure
        **PROVENANCE,
    },
    key=("provider", "time"),
    time_column="time",
    hot_days=90,
    keep_days=365,
)
