"""Small markets for tests: bars written by hand, and random ones from a seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.datasets import TIME
from research.bars import Bars
from research.costs import Costs

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FREE = Costs(fee_bps=0, slippage_bps=0)

Row = tuple[float, float, float, float]  # open, high, low, close


def candles_of(
    rows: Sequence[Row], minutes: Sequence[int] | None = None, **labels: str
) -> pl.DataFrame:
    """Return candles that open at `minutes` after START; by default one a minute."""
    at = range(len(rows)) if minutes is None else minutes
    return pl.DataFrame(
        {
            "open_time": pl.Series([START + minute * MINUTE for minute in at], dtype=TIME),
            **{
                name: pl.Series([float(row[i]) for row in rows], dtype=pl.Float64)
                for i, name in enumerate(("open", "high", "low", "close"))
            },
            "volume": pl.Series([1.0] * len(rows), dtype=pl.Float64),
            **{name: pl.Series([value] * len(rows)) for name, value in labels.items()},
        }
    )


def marks(bars: int, *at: int) -> np.ndarray:
    """Return booleans that are true at the bars `at`."""
    flags = np.zeros(bars, np.bool_)
    flags[list(at)] = True
    return flags


def random_bars(
    seed: int, count: int, *, wild: float = 0.01, gaps: bool = False, first: int = 0
) -> Bars:
    """Return valid minute bars of a random walk; `wild` is the standard deviation of a step."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, wild, count)))
    open_ = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0, wild / 2, count))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, wild / 2, count)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, wild / 2, count)))
    steps = rng.choice([1, 1, 1, 2, 30], count) if gaps else np.ones(count, np.int64)
    time = (first + np.cumsum(steps) - steps[:1].sum()) * 60_000_000
    start = int(START.timestamp()) * 1_000_000
    return Bars(start + time.astype(np.int64), open_, high, low, close, rng.random(count))


def frame_of(bars: Bars, **labels: str) -> pl.DataFrame:
    """Return bars as candles."""
    return pl.DataFrame(
        {
            "open_time": pl.Series(bars.time).cast(TIME),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
        }
    ).with_columns(pl.lit(value).alias(name) for name, value in labels.items())
