"""What the gates decided, counted for a page; reads rows of the `verdicts` dataset."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from serving.words import count

Row = dict[str, Any]


def by_dataset(verdicts: pl.DataFrame) -> list[Row]:
    """Count batches and rows of each dataset."""
    return (
        verdicts.group_by("dataset")
        .agg(
            pl.len().alias("batches"),
            pl.col("rows", "accepted", "quarantined").sum(),
            refused=(~pl.col("passed")).sum(),
        )
        .sort("dataset")
        .to_dicts()
    )


def notable(verdicts: pl.DataFrame) -> list[Row]:
    """Return the batches that were refused or lost rows, the refused first."""
    rows = verdicts.filter(~pl.col("passed") | (pl.col("quarantined") > 0)).sort(
        "passed", "quarantined", "batch", descending=[False, True, False]
    )
    return [row | {"reasons": _reasons(row["reasons"])} for row in rows.to_dicts()]


def refused(verdicts: pl.DataFrame) -> int:
    """Count the batches that were refused."""
    return int((~verdicts["passed"]).sum())


def _reasons(text: str | None) -> str:
    """Write the JSON object of counts by reason as `price_jump 12, duplicate 3`."""
    try:
        counts = msgspec.json.decode(text or "{}", type=dict[str, int])
    except msgspec.DecodeError:
        return text or ""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count(rows)}" for reason, rows in ranked)
