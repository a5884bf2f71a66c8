"""`python -m benchmarks.agree`: the compiled engine against the reference, strategy by strategy.

On real minutes generated strategies run over whole series; on adversarial bars (gaps in price and
time, flat bars, ties between levels, prices over 12 orders of magnitude, one bar and two) random
flags run with random levels, sides, costs and bounds. Trades and equity at each day's end are
compared bit by bit, figures to 1e-9.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from core.datasets import TIME
from research.backtest import backtest
from research.costs import Costs
from research.generate import generate
from tests.research.engine.adversary import differences, drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "candles"
MONTHS = "AegisFintech+AIQuant/3e61c9d8/data/raw/BTCUSDT-1m-2026-{:02}.zip"
MINUTES = "Benicio1007+Bot_trading/b06f30a4/data/dataset/2025/{}USDT_1m.csv"
FIVES = "Benicio1007+Bot_trading/cb055307/data/{}USDT_5m.csv"
NAMES = ("open_time", "open", "high", "low", "close", "volume")
COSTS = (
    Costs(),
    Costs(fee_bps=0, slippage_bps=0),
    Costs(fee_bps=10, slippage_bps=5, funding_bps=1),
    Costs(fee_bps=2, slippage_bps=1, funding_bps=30, perpetual=True),
)


def main() -> None:
    """Compare, print counts and mismatches; exit 1 where there is one."""
    options = _options()
    found = Counter[str]()
    for name, candles, share in _real(options.data):
        _compare_real(name, candles, int(options.strategies * share), found)
    for seed in range(options.adversarial):
        for difference in differences(drawn(seed)):
            print(f"adversarial {seed}: {difference}")
            found["mismatches"] += 1
        found["adversarial strategies"] += 1
    for name, count in sorted(found.items()):
        print(f"{count:>12,} {name}")
    sys.exit(found["mismatches"] > 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agree", description=__doc__)
    parser.add_argument("--strategies", type=int, default=10_000, help="on real minutes")
    parser.add_argument("--adversarial", type=int, default=2_000, help="on bars made to deceive")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded candles")
    return parser.parse_args()


def _real(folder: Path) -> Iterator[tuple[str, pl.DataFrame, float]]:
    """Yield recorded series, and the share of the strategies that run on each."""
    months = [folder / MONTHS.format(month) for month in (3, 4, 5)]
    if not all(path.exists() for path in months):
        print(f"no recordings in {folder}: adversarial bars alone")
        return
    yield "BTC 1m, 92 days", pl.concat([_month(path) for path in months]), 0.3
    for base in ("ETH", "SOL"):
        yield f"{base} 1m, 35 days", _csv(folder / MINUTES.format(base)), 0.2
    for base in ("BTC", "ETH", "SOL"):
        yield f"{base} 5m, 104 days", _csv(folder / FIVES.format(base)), 0.1


def _month(path: Path) -> pl.DataFrame:
    with zipfile.ZipFile(path) as archive:
        raw = pl.read_csv(io.BytesIO(archive.read(archive.namelist()[0])), has_header=False)
    frame = raw.select(raw.columns[:6]).rename(dict(zip(raw.columns, NAMES, strict=False)))
    return frame.with_columns(pl.col("open_time").cast(TIME), symbol=pl.lit("X-Y"))


def _csv(path: Path) -> pl.DataFrame:
    raw = pl.read_csv(path, try_parse_dates=True)
    frame = raw.select(raw.columns[:6]).rename(dict(zip(raw.columns, NAMES, strict=False)))
    time = pl.col("open_time").dt.replace_time_zone("UTC").cast(TIME)
    return frame.with_columns(time, symbol=pl.lit("X-Y")).unique("open_time").sort("open_time")


def _compare_real(name: str, candles: pl.DataFrame, count: int, found: Counter[str]) -> None:
    """Run generated strategies by both engines, each part with other costs and another bound."""
    fine = candles["open_time"].diff().min()
    frames = None if fine is None or fine.total_seconds() == 60 else ("5m", "15m", "1h", "4h")
    strategies = generate(count, seed=len(name) + count, timeframes=frames)
    size = 100
    for part, first in enumerate(range(0, count, size)):
        costs = COSTS[part % len(COSTS)]
        bound: Any = "best" if part % 3 == 2 else "worst"
        chosen = strategies[first : first + size]
        fast, slow = (
            backtest(candles, chosen, costs, engine=engine, ambiguous=bound)
            for engine in ("fast", "reference")
        )
        same = fast.trades.equals(slow.trades) and fast.equity.equals(slow.equity)
        found["mismatches"] += not same
        if not same:
            print(f"{name}: trades or equity of strategies {first} to {first + size} differ")
        apart = _apart(fast.metrics, slow.metrics)
        if apart > 1e-9:
            print(f"{name}: metrics of strategies {first} to {first + size} differ by {apart:g}")
            found["mismatches"] += 1
        found["strategies on real bars"] += len(chosen)
        found["strategies whose metrics are equal to the bit"] += _equal(fast.metrics, slow.metrics)
        found["trades on real bars"] += fast.trades.height
    print(f"{name}: {count:,} strategies", flush=True)


def _equal(one: pl.DataFrame, other: pl.DataFrame) -> int:
    rows = zip(one.iter_rows(), other.iter_rows(), strict=True)
    return sum(a == b for a, b in rows)


def _apart(one: pl.DataFrame, other: pl.DataFrame) -> float:
    """Return the largest relative difference; infinite where only one has a value."""
    worst = 0.0
    for name in one.columns[2:]:
        a, b = (frame[name].cast(pl.Float64) for frame in (one, other))
        if (a.is_null() != b.is_null()).any():
            return float("inf")
        x, y = a.drop_nulls().to_numpy(), b.drop_nulls().to_numpy()
        worst = max(worst, float(np.max(np.abs(x - y) / np.maximum(np.abs(y), 1e-3), initial=0.0)))
    return worst


if __name__ == "__main__":
    main()
