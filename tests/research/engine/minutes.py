"""Minutes for tests: some that look real, and some that are."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.datasets import TIME
from research.bars import Bars
from tests.research.engine.adversary import MINUTE, START

if TYPE_CHECKING:
    from pathlib import Path

MONTH = "candles/AegisFintech+AIQuant/3e61c9d8/data/raw/BTCUSDT-1m-{}.zip"
NAMES = ("open_time", "open", "high", "low", "close", "volume")


def garch(seed: int, count: int, *, gaps: bool = False) -> Bars:
    """Return minutes whose volatility clusters, with jumps, prices on a grid of cents."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal(count)
    variance = np.empty(count)
    variance[0] = 1.0
    for t in range(1, count):
        variance[t] = 0.03 + 0.92 * variance[t - 1] + 0.05 * variance[t - 1] * drawn[t - 1] ** 2
    steps = 0.0008 * np.sqrt(variance) * drawn + (rng.random(count) < 0.001) * rng.normal(
        0, 0.01, count
    )
    close = np.round(100 * np.exp(np.cumsum(steps)), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = np.abs(rng.normal(0, 0.0004, (2, count)))
    high = np.round(np.maximum(open_, close) * (1 + reach[0]), 2)
    low = np.round(np.minimum(open_, close) * (1 - reach[1]), 2)
    apart = rng.choice([1, 1, 1, 1, 2, 90], count) if gaps else np.ones(count)
    time = START + np.cumsum(apart).astype(np.int64) * MINUTE
    return Bars(time, open_, high, low, close, rng.random(count) * 10)


def recorded(folder: Path, month: str) -> pl.DataFrame:
    """Return a month of BTC-USDT minutes."""
    with zipfile.ZipFile(folder / MONTH.format(month)) as archive:
        raw = pl.read_csv(io.BytesIO(archive.read(archive.namelist()[0])), has_header=False)
    frame = raw.select(raw.columns[:6]).rename(dict(zip(raw.columns, NAMES, strict=False)))
    return frame.with_columns(pl.col("open_time").cast(TIME), symbol=pl.lit("BTC-USDT"))
