"""Nights that never were, for the tests of the pages."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from core.datasets import TIME, VERDICTS
from serving.night import BENCHMARK, CANDIDATE, ENDED, MEMBER, PROMOTION, Luck, NightReport

AS_OF = datetime(2026, 6, 1, 3, tzinfo=UTC)
TEXT = (
    "long when crosses_above(ema(12), ema(26)) and rsi(14) < 70\n"
    "exit when crosses_below(ema(12), ema(26))\n"
    "stop 2% target 5% timeout 1d\n"
    "on 15m"
)


def candidate(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return one row of candidates, as its place in the night is; luck explains it."""
    row = {
        "candidate_id": f"{number:016x}",
        "symbol": "BTC-USDT",
        "kind": "rule",
        "rank": number + 1,
        "text": TEXT,
        "members": [f"{number:016x} BTC-USDT"],
        "trades": 120,
        "score": 6.0 - 0.1 * number,
        "sharpe": 5.5 - 0.1 * number,
        "total_return": 0.12,
        "max_drawdown": 0.08,
        "p_value": 0.3,
        "permutation_p": None,
        "verdict": "not_above_luck",
        "opinions": "[]",
        "first_day": datetime(2026, 3, 3, tzinfo=UTC),
        "daily_returns": wavy(number),
        "shrunk": 0.0,
    }
    return row | changes


def won(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return one row of candidates that was promoted."""
    above = {
        "score": 12.0 - 0.1 * number,
        "p_value": 0.002,
        "permutation_p": 0.01,
        "verdict": "promoted",
        "shrunk": 8.5 - 0.1 * number,
        "opinions": json.dumps(OPINIONS),
    }
    return candidate(number, **(above | changes))


OPINIONS = [
    {
        "name": "deflated Sharpe ratio",
        "value": 0.987,
        "bar": 0.745,
        "agrees": True,
        "sentence": "The ratio is above what so many trials show by luck.",
    },
    {
        "name": "overfitting",
        "value": 0.31,
        "bar": None,
        "agrees": None,
        "sentence": "The best half of the days picked another rule in 31 % of the splits.",
    },
]
PLAN = {
    "horizon_days": 90,
    "level": 0.05,
    "kill_sigma": 2.0,
    "forecast_mean": 0.002,
    "forecast_sd": 0.01,
}
OBJECTION = {
    "name": "superior predictive ability",
    "value": 0.21,
    "bar": 0.1,
    "agrees": False,
    "sentence": "Reshuffled days do as well in 21 % of the cases.",
}


def wavy(number: int = 0, days: int = 90) -> list[float]:
    """Return the daily returns of something that rises in waves."""
    return [0.002 + 0.004 * float(np.cos(day / 3 + number)) for day in range(days)]


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of candidates as a frame."""
    return pl.DataFrame(rows, schema=CANDIDATE)


def promoted(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return the promotions that follow from rows of candidates."""
    return pl.DataFrame(
        [
            {
                "strategy_id": row["candidate_id"],
                "symbol": row["symbol"],
                "rule_hash": "ab" * 32,
                "plan": json.dumps(PLAN),
                "status": "running",
            }
            for row in rows
            if row["verdict"] == "promoted"
        ],
        schema=PROMOTION,
    )


def backtests(rows: list[dict[str, Any]], symbols: list[str]) -> pl.DataFrame:
    """Return a backtest of every rule in rows of candidates, on every symbol."""
    rules = {str(one).split()[0] for row in rows for one in row["members"]}
    metrics = {
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
    }
    return pl.DataFrame(
        [
            {"strategy_id": rule, "symbol": symbol} | metrics
            for rule in sorted(rules)
            for symbol in symbols
        ],
        schema=MEMBER,
    )


def worlds(count: int = 199, *, middle: float = 5.2, seed: int = 0) -> list[float]:
    """Return the best scores of worlds without an edge."""
    return np.random.default_rng(seed).gumbel(middle - 0.4, 0.7, count).round(9).tolist()


def luck(**changes: Any) -> Luck:
    """Return what worlds said of a night."""
    values: dict[str, Any] = {
        "mirrored": worlds(),
        "hurdle": 8.5,
        "smallest": 10.2,
        "effective": 312.0,
    }
    return Luck(**(values | changes))


def rising(symbol: str, days: int = 90) -> pl.DataFrame:
    """Return buy and hold of a symbol that rises a little."""
    start = date(2026, 3, 3)
    return pl.DataFrame(
        [(symbol, start + timedelta(n), 1 + 0.001 * n) for n in range(days)],
        schema=BENCHMARK,
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
    """Return a night with these candidates; all else follows from them."""
    rows = [candidate(n) for n in range(8)] if rows is None else rows
    named = {str(one).split()[-1] for row in rows for one in row["members"]} - {"*"}
    symbols = changes.get("symbols", sorted(named) or ["BTC-USDT"])
    ended = [(row["verdict"], 1) for row in rows] + [("discarded_by_the_search", 2_900)]
    values: dict[str, Any] = {
        "night": "2026-06-01",
        "as_of": AS_OF,
        "started_at": AS_OF,
        "finished_at": AS_OF + timedelta(seconds=95),
        "venue": "binance",
        "symbols": symbols,
        "days": 90,
        "seed": 7,
        "strategies": 500,
        "trials": 2_900 + len(rows),
        "distinct": 2_500,
        "refused": 3,
        "min_trades": 30,
        "costs": {"fee_bps": 10.0, "slippage_bps": 5.0, "funding_bps": 1.0},
        "luck": luck(),
        "candidates": frame(rows),
        "promotions": promoted(rows),
        "members": backtests(rows, symbols),
        "ended": pl.DataFrame(ended, schema=ENDED, orient="row").group_by("verdict").sum(),
        "benchmark": pl.concat(
            [pl.DataFrame(schema=BENCHMARK), *(rising(symbol) for symbol in symbols)]
        ),
        "quality": quality(symbols),
        "gates": verdicts([verdict()]),
        "ledger": "5e" * 32,
        "timings": {"refresh": 12.0, "search": 61.5, "luck": 300.25},
        "manifest": {"data": "d4f1", "code": "5336005", "settings": {"costs": {"fee_bps": 10}}},
    }
    return NightReport(**(values | changes))
