"""Real minutes of BTC-USDT, traded by us and, once, by backtesting.py 0.6.6.

Its figures are written down here: how many trades ended by stop or target, and the sums of their
entry bars, exit bars and returns. Entries are drawn from a seed, there are no costs, levels lie
around the price of the fill, and the position left at the end does not count.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from core.datasets import TIME
from research.backtest import backtest
from research.simulate import simulate
from research.strategy import Strategy
from tests.research.markets import FREE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

ARCHIVE = "candles/AegisFintech+AIQuant/3e61c9d8/data/raw/BTCUSDT-1m-2026-03.zip"


@pytest.fixture(scope="module")
def march(real_data: Path) -> pl.DataFrame:
    with zipfile.ZipFile(real_data / ARCHIVE) as archive:
        raw = pl.read_csv(io.BytesIO(archive.read(archive.namelist()[0])), has_header=False)
    names = ("open_time", "open", "high", "low", "close", "volume")
    frame = raw.select(raw.columns[:6]).rename(dict(zip(raw.columns, names, strict=False)))
    return frame.with_columns(pl.col("open_time").cast(TIME), symbol=pl.lit("BTC-USDT"))


@pytest.mark.parametrize(
    ("side", "stop", "target", "often", "seed", "figures"),
    [
        ("long", 0.002, 0.004, 0.01, 1, (351, 7751161, 7761866, -0.024)),
        ("long", 0.01, 0.02, 0.003, 2, (56, 1071123, 1099484, -0.14)),
        ("long", 0.0005, 0.0005, 0.02, 3, (928, 20632347, 20633528, 0.007)),
        ("long", 0.01, 0.0003, 0.05, 6, (1334, 27876906, 27893318, -0.1457)),
        ("short", 0.002, 0.004, 0.01, 1, (342, 7573337, 7583903, 0.108)),
        ("short", 0.0005, 0.0005, 0.02, 3, (928, 20632347, 20633528, -0.054)),
        ("short", 0.0002, 0.01, 0.05, 5, (1418, 30424726, 30441527, 0.3182)),
        ("short", 0.01, 0.0003, 0.05, 6, (1386, 29735933, 29752023, -0.099191178)),
    ],
)
def test_stops_and_targets_are_those_of_another_backtester(  # noqa: PLR0917 - a table's columns
    march: pl.DataFrame,
    side: Any,
    stop: float,
    target: float,
    often: float,
    seed: int,
    figures: tuple[float, ...],
) -> None:
    entries = np.random.default_rng(seed).random(march.height) < often
    found = simulate(march, entries, None, side, stop=stop, target=target, costs=FREE)
    found = found.filter(pl.col("reason") != "end")
    start = march["open_time"][0]
    bars = [(found[name] - start).dt.total_minutes().sum() for name in ("entry_time", "exit_time")]
    assert (found.height, *bars, found["return"].sum()) == pytest.approx(figures, rel=0, abs=1e-9)


def test_a_month_of_real_minutes_goes_through_the_whole_engine(march: pl.DataFrame) -> None:
    strategy = Strategy.parse("long when rsi(14) < 30\nexit when rsi(14) > 60\nstop 1%\non 15m")
    result = backtest(march, [strategy])
    assert result.equity.height == 31
    assert result.metrics["trades"][0] == result.trades.height > 10
    assert result.trades["entry_time"].dt.minute().is_in([0, 15, 30, 45]).all()
