"""Bars from a source, on their way to the columns of `CANDLES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import CANDLES, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

PROVENANCE = ("source", "ingested_at")
# What a venue's `parse` returns: all but where from and when, which the loop knows.
BARS: dict[str, pl.DataType] = {
    name: kind for name, kind in CANDLES.schema.items() if name not in PROVENANCE
}
PRICES = ("open", "high", "low", "close")


def bars(
    columns: Mapping[str, pl.Series], *, venue: str, symbol: str, interval: str
) -> pl.DataFrame:
    """Return a frame of `BARS`; what `columns` lacks is null, and nothing is synthetic.

    `open_time` may be a Datetime in UTC, or Int64 microseconds since the epoch.
    """
    missing = [pl.lit(None, BARS[name]).alias(name) for name in BARS if name not in columns]
    return (
        pl.DataFrame(list(columns.values()), schema=list(columns))
        .with_columns(missing)
        .with_columns(
            pl.col("open_time").cast(TIME),
            pl.lit(venue).alias("venue"),
            pl.lit(symbol).alias("symbol"),
            pl.lit(interval).alias("interval"),
            pl.col("synthetic").fill_null(value=False),
        )
        .select(*BARS)
    )


def stamp(frame: pl.DataFrame, *, source: str, now: datetime) -> pl.DataFrame:
    """Return rows of `CANDLES`: `frame` with its source and the time we got it."""
    return CANDLES.conform(
        frame.with_columns(
            pl.lit(source).alias("source"), pl.lit(now).cast(TIME).alias("ingested_at")
        )
    )
