"""Rows for tests of the store: small, valid, and different where a test needs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import CANDLES, TIME, Dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 3, 31, 22, tzinfo=UTC)  # two hours before a month ends, in minutes
NOW = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def candles(
    minutes: int | Sequence[int],
    *,
    symbol: str = "BTC-USDT",
    venue: str = "binance",
    interval: str = "1m",
    start: datetime = START,
    close: float | Sequence[float] = 100.0,
    source: str = "binance:rest",
    ingested_at: datetime = NOW,
) -> pl.DataFrame:
    """Return bars at the given minutes after `start`; a number stands for that many in a row."""
    numbers = range(minutes) if isinstance(minutes, int) else minutes
    closes = [close] * len(numbers) if isinstance(close, int | float) else list(close)
    rows = [
        {
            "venue": venue,
            "symbol": symbol,
            "interval": interval,
            "open_time": start + number * MINUTE,
            "open": 100.0 + number,
            "high": 1_000.0 + number,
            "low": 1.0,
            "close": float(value),
            "volume": 5.0,
            "quote_volume": 500.0,
            "trades": number,
            "taker_buy_volume": None,
            "synthetic": False,
            "source": source,
            "ingested_at": ingested_at,
        }
        for number, value in zip(numbers, closes, strict=True)
    ]
    return pl.DataFrame(rows, schema=CANDLES.schema)


def rows_of(dataset: Dataset, count: int, *, ingested_at: datetime = NOW) -> pl.DataFrame:
    """Return rows of any dataset, with different keys, one minute apart, and some nulls."""
    return pl.DataFrame(
        {
            name: pl.Series(
                [_value(dataset, name, dtype, n, ingested_at) for n in range(count)], dtype=dtype
            )
            for name, dtype in dataset.columns.items()
        }
    )


def _value(dataset: Dataset, name: str, dtype: Any, n: int, ingested_at: datetime) -> Any:
    fixed = {"venue": "binance", "interval": "1m", "ingested_at": ingested_at}
    if name in fixed:
        return fixed[name]
    if name == "symbol":
        return f"S{n}-USDT"
    if dtype == TIME:
        return START + n * MINUTE
    needed = name in dataset.key or name == "source"
    if not needed and n % 3 == 2:
        return None
    kinds = {
        pl.String(): f"{name} {n} 'ü\"",
        pl.Float64(): n + 0.1,
        pl.Int64(): n,
        pl.Boolean(): n % 2 == 0,
        pl.List(pl.String()): [f"{n}", None] if n % 2 else [],
        pl.List(pl.Float64()): [n + 0.1, -0.5] if n % 2 else [],
    }
    return kinds[dtype]
