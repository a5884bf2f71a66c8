"""Rows to store, the same on every machine: prices that look like prices, minute by minute."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.datasets import CANDLES, TIME
from sources.binance_dump import ArchiveFile, period_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 20, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)
DAY = 1_440  # minutes


def symbol(number: int) -> str:
    """Return the name of the symbol with this number."""
    return f"S{number:02d}-USDT"


def candles(number: int, start: datetime, minutes: int) -> pl.DataFrame:
    """Return so many one-minute bars of one symbol, as an ingest would store them."""
    rng = np.random.default_rng([7, number, minutes])
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.0005, minutes))), 4)
    opened = np.concatenate([close[:1], close[:-1]])
    reach = np.round(np.abs(rng.normal(0, 0.0003, (2, minutes))) * close, 4)
    volume = np.round(rng.exponential(5, minutes), 3)
    first = int(start.timestamp()) * 1_000_000
    time = pl.Series(first + np.arange(minutes, dtype=np.int64) * 60_000_000).cast(TIME)
    named = {"venue": "binance", "symbol": symbol(number), "interval": "1m"}
    frame = pl.DataFrame(
        {
            "open_time": time,
            "open": opened,
            "high": np.maximum(opened, close) + reach[0],
            "low": np.minimum(opened, close) - reach[1],
            "close": close,
            "volume": volume,
            "quote_volume": np.round(volume * close, 3),
            "trades": rng.integers(1, 500, minutes),
            "taker_buy_volume": np.round(volume * rng.random(minutes), 3),
        }
    )
    return CANDLES.conform(
        frame.with_columns(
            *(pl.lit(value).alias(name) for name, value in named.items()),
            synthetic=pl.lit(value=False),
            source=pl.lit("benchmark"),
            ingested_at=pl.lit(NOW).cast(TIME),
        )
    )


def zips(folder: Path, months: int) -> list[ArchiveFile]:
    """Write monthly dumps of one symbol as the venue publishes them; return them, oldest first."""
    found = []
    end = END
    for _ in range(months):
        start = (end - timedelta(days=1)).replace(day=1)
        period = f"{start:%Y-%m}"
        begins, ends = period_of(period)
        rows = candles(0, begins, int((ends - begins).total_seconds()) // 60)
        path = folder / f"S00USDT-1m-{period}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(f"S00USDT-1m-{period}.csv", _csv(rows))
        found.append(ArchiveFile(str(path), symbol(0), "1m", period))
        end = start
    return found[::-1]


def _csv(rows: pl.DataFrame) -> str:
    """Return rows as the twelve columns of the venue."""
    opened = pl.col("open_time").dt.epoch("us")
    decimals = [
        pl.col(name).round(4).cast(pl.String) for name in ("open", "high", "low", "close", "volume")
    ]
    return rows.select(
        opened.alias("a"),
        *decimals,
        (opened + 59_999_999).alias("b"),
        pl.col("quote_volume").cast(pl.String),
        "trades",
        pl.col("taker_buy_volume").cast(pl.String),
        pl.lit("0").alias("c"),
        pl.lit("0").alias("d"),
    ).write_csv(include_header=False)
