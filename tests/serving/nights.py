"""Nights that never were, for the tests of the pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from core.datasets import TIME, VERDICTS
from serving.night import BENCHMARK, EQUITY, RESULTS, NightReport

AS_OF = datetime(2026, 6, 1, 3, tzinfo=UTC)
TEXT = (
    "long when crosses_above(ema(12), ema(26)) and rsi(14) < 70\n"
    "exit when crosses_below(ema(12), ema(26))\n"
    "stop 2% target 5% timeout 1d\n"
    "on 15m"
)
VERDICT_NAMES = ("too_few_trades", "fails_in_sample", "not_above_luck", "fails_out_of_sample")


def result(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return one row of results."""
    row = {
        "strategy_id": f"{number:016x}",
        "symbol": "BTC-USDT",
        "text": TEXT,
        "total_return": 0.12,
        "sharpe": 1.5,
        "sortino": 2.1,
        "max_drawdown": 0.08,
        "profit_factor": 1.4,
        "win_rate": 0.55,
        "trades": 120,
        "exposure": 0.3,
        "turnover": 240.0,
        "ambiguous_trades": 2,
        "avg_trade": 0.001,
        "in_sample_sharpe": 1.8,
        "out_of_sample_sharpe": 0.9,
        "deflated_sharpe": 0.4,
        "verdict": "not_above_luck",
    }
    return row | changes


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of results as a frame."""
    return pl.DataFrame(rows, schema=RESULTS)


def curves(pairs: list[tuple[str, str]], days: int = 90) -> pl.DataFrame:
    """Return a wavy equity curve for each strategy and symbol."""
    start = date(2026, 3, 3)
    return pl.DataFrame(
        [
            (strategy, symbol, start + timedelta(n), 1 + 0.002 * n + 0.01 * np.sin(n / 3 + i))
            for i, (strategy, symbol) in enumerate(pairs)
            for n in range(days)
        ],
        schema=EQUITY,
        orient="row",
    )


def verdict(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return one row of the verdicts dataset."""
    row = {
        "verdict_id": f"v{number}",
        "dataset": "candles",
        "batch": f"landing/candles/batch-{number}.parquet",
        "rows": 1_000,
        "accepted": 1_000,
        "quarantined": 0,
        "passed": True,
        "reason": None,
        "reasons": "{}",
        "judged_at": AS_OF,
        "source": "nightjar",
        "ingested_at": AS_OF,
    }
    return row | changes


def verdicts(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of verdicts as a frame of that dataset."""
    return pl.DataFrame(rows, schema=VERDICTS.schema)


def quality(symbols: list[str]) -> pl.DataFrame:
    """Return what is stored of each symbol."""
    first, last = AS_OF - timedelta(days=90), AS_OF - timedelta(minutes=1)
    return pl.DataFrame(
        [(symbol, 129_590, 129_600, 10, 4, first, last) for symbol in symbols],
        schema={
            "symbol": pl.String,
            "bars": pl.Int64,
            "expected": pl.Int64,
            "missing": pl.Int64,
            "quarantined": pl.Int64,
            "first": TIME,
            "last": TIME,
        },
        orient="row",
    )


def night(rows: list[dict[str, Any]] | None = None, **changes: Any) -> NightReport:
    """Return a night of these results; what is promoted follows from their verdicts."""
    results = frame([result(n, sharpe=0.1 * n) for n in range(20)] if rows is None else rows)
    promoted = results.filter(pl.col("verdict") == "promoted")
    pairs = list(results.select("strategy_id", "symbol").head(60).iter_rows())
    symbols = sorted(results["symbol"].unique().to_list())
    benchmark = pl.concat(
        [pl.DataFrame(schema=BENCHMARK)]
        + [curves([("hold", symbol)]).drop("strategy_id") for symbol in symbols]
    )
    values: dict[str, Any] = {
        "night": "2026-06-01",
        "as_of": AS_OF,
        "started_at": AS_OF,
        "finished_at": AS_OF + timedelta(seconds=95),
        "venue": "binance",
        "symbols": symbols,
        "days": 90,
        "seed": 7,
        "strategies": results["strategy_id"].n_unique(),
        "trials": results.height,
        "luck_hurdle": 6.2,
        "costs": {"fee_bps": 10.0, "slippage_bps": 5.0, "funding_bps": 1.0},
        "results": results,
        "promoted": promoted,
        "equity": curves(pairs),
        "benchmark": benchmark,
        "quality": quality(symbols),
        "gates": verdicts([verdict()]),
        "timings": {"refresh": 12.0, "backtest": 61.5, "vet": 3.25},
        "manifest": {"data": "d4f1", "code": "5336005", "settings": {"costs": {"fee_bps": 10}}},
    }
    return NightReport(**(values | changes))
