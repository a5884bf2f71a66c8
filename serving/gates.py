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


# The warning that a person should hear of: others are part of any market's life.
ALARMING = "venue_distance"


def notable(verdicts: pl.DataFrame) -> list[Row]:
    """Return the batches that were refused, lost rows or are far from other venues, in order."""
    alarming = pl.col("warnings").str.contains(f'"{ALARMING}"', literal=True).fill_null(value=False)
    rows = verdicts.filter(~pl.col("passed") | (pl.col("quarantined") > 0) | alarming).sort(
        "passed", "quarantined", "batch", descending=[False, True, False]
    )
    return [row | {"reasons": _why(row)} for row in rows.to_dicts()]


def _why(row: Row) -> str:
    """Name the reasons of the rows that are held back, then what is alarming of the others."""
    far = _counts(row["warnings"]).get(ALARMING)
    flagged = [f"flagged: {ALARMING} {count(far)}"] if far else []
    return "; ".join([part for part in [_reasons(row["reasons"])] if part] + flagged)


def refused(verdicts: pl.DataFrame) -> int:
    """Count the batches that were refused."""
    return int((~verdicts["passed"]).sum())


def _reasons(text: str | None) -> str:
    """Write the JSON object of counts by reason as `price_jump 12, duplicate 3`."""
    counts = _counts(text)
    if text and not counts and text != "{}":
        return text
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count(rows)}" for reason, rows in ranked)


def _counts(text: str | None) -> dict[str, int]:
    """Read a JSON object of counts; what is none has none."""
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, int])
    except msgspec.DecodeError:
        return {}
