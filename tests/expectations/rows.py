"""Sound rows to break: every test says only what is special about its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import (
    BACKTESTS,
    CANDIDATES,
    CANDLES,
    NIGHTS,
    PAPER,
    PROMOTIONS,
    STRATEGIES,
    TRIALS,
    Dataset,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 6, 10, tzinfo=UTC)
START = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PROVENANCE = {"source": "test", "ingested_at": NOW}


def frame(dataset: Dataset, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return a frame of the contract's types, whatever the values are."""
    return pl.DataFrame(rows, schema=dataset.schema, strict=False, orient="row")


def bar(minute: int = 0, close: float = 100.0, **changes: Any) -> dict[str, Any]:
    return {
        "venue": "binance",
        "symbol": "BTC-USDT",
        "interval": "1m",
        "open_time": START + minute * MINUTE,
        "open": close,
        "high": close,
        "low": close,
        "close": close,
        "volume": 5.0,
        "quote_volume": 500.0,
        "trades": 7,
        "taker_buy_volume": 2.0,
        "synthetic": False,
        **PROVENANCE,
        **changes,
    }


def bars(closes: Sequence[float], first: int = 0, **changes: Any) -> pl.DataFrame:
    """Return flat bars of one series, one a minute from minute `first` on."""
    rows = [bar(first + minute, close, **changes) for minute, close in enumerate(closes)]
    return frame(CANDLES, rows)


def identifier(number: int) -> str:
    return f"{number:016x}"


def strategy(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "strategy_id": identifier(number),
        "text": f"long when close > {number + 1}\nstop 2%\non 15m",
        "timeframe": "15m",
        "side": "long",
        "conditions": 1,
        "night": "2026-06-10T0300-0000",
        "created_at": NOW,
        "deleted_at": None,
        **PROVENANCE,
        **changes,
    }


def backtest(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "night": "2026-06-10T0300-0000",
        "strategy_id": identifier(number),
        "venue": "sandbox",
        "symbol": "BTC-USDT",
        "start": START,
        "end": NOW,
        "total_return": 0.1,
        "sharpe": 1.5,
        "sortino": 2.0,
        "max_drawdown": 0.2,
        "profit_factor": 1.3,
        "win_rate": 0.5,
        "trades": 10,
        "exposure": 0.4,
        "turnover": 20.0,
        "ambiguous_trades": 1,
        "avg_trade": 0.01,
        **PROVENANCE,
        **changes,
    }


# What a backtest without a trade looks like.
IDLE = {
    "total_return": 0.0,
    "sharpe": 0.0,
    "sortino": None,
    "max_drawdown": 0.0,
    "profit_factor": None,
    "win_rate": None,
    "trades": 0,
    "exposure": 0.0,
    "turnover": 0.0,
    "ambiguous_trades": 0,
    "avg_trade": None,
}


def trial(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "night": "2026-06-10T0300-0000",
        "strategy_id": identifier(number),
        "venue": "sandbox",
        "symbol": "BTC-USDT",
        "text": "long when close > 1\non 15m",
        "parents": [],
        "operator": "random",
        "generation": 0,
        "seed": 1,
        "trades": 40,
        "score": 1.1,
        "sharpe": 0.9,
        "first_day": START,
        "daily_returns": [0.0, 0.01, -0.02],
        "in_sample_sharpe": 1.0,
        "out_of_sample_sharpe": 0.5,
        "deflated_sharpe": 0.4,
        "verdict": "not_above_luck",
        "scored_at": NOW,
        **PROVENANCE,
        **changes,
    }


def candidate(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "night": "2026-06-10T0300-0000",
        "candidate_id": identifier(number),
        "venue": "sandbox",
        "symbol": "BTC-USDT",
        "kind": "rule",
        "rank": number + 1,
        "text": "long when close > 1\non 15m",
        "members": [f"{identifier(number)} BTC-USDT"],
        "trades": 40,
        "score": 3.0,
        "sharpe": 3.1,
        "total_return": 0.1,
        "max_drawdown": 0.05,
        "p_value": 0.5,
        "permutation_p": 0.5,
        "verdict": "not_above_luck",
        "opinions": "[]",
        "first_day": START,
        "daily_returns": [0.0, 0.01, -0.02],
        "scored_at": NOW,
        **PROVENANCE,
        **changes,
    }


def night(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "night": f"2026-06-10T0300-{number:04}",
        "as_of": NOW,
        "started_at": NOW,
        "finished_at": NOW + MINUTE,
        "venue": "sandbox",
        "symbols": ["BTC-USDT"],
        "days": 90,
        "seed": 1,
        "strategies": 500,
        "trials": 500,
        "distinct_trials": 400,
        "candidates": 20,
        "survivors": 3,
        "promoted": 2,
        "luck_hurdle": 6.0,
        "lookahead_refused": 0,
        "best_sharpe": 7.0,
        "best_score": 6.9,
        "alpha": 0.005,
        "p_value": 0.005,
        "permutation_p": 0.02,
        "worlds": 199,
        "permuted_worlds": 99,
        "null_scores": [5.0, 4.0],
        "permuted_scores": [4.5],
        "smallest_sharpe": 8.0,
        "effective_trials": 210.5,
        "ledger": "0" * 64,
        "manifest": "{}",
        "timings": "{}",
        "report": "reports/one.html",
        **PROVENANCE,
        **changes,
    }


def promotion(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "night": "2026-06-10T0300-0000",
        "strategy_id": identifier(number),
        "venue": "sandbox",
        "symbol": "BTC-USDT",
        "kind": "rule",
        "text": "long when close > 1\non 15m",
        "members": [f"{identifier(number)} BTC-USDT"],
        "score": 7.5,
        "sharpe": 8.0,
        "p_value": 0.005,
        "permutation_p": 0.02,
        "out_of_sample_sharpe": 3.0,
        "deflated_sharpe": 0.97,
        "luck_hurdle": 6.0,
        "rule_hash": "0" * 64,
        "plan": "{}",
        "status": "paper",
        "promoted_at": NOW,
        **PROVENANCE,
        **changes,
    }


def paper_day(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "night": "2026-05-10T0300-0000",
        "strategy_id": identifier(number),
        "venue": "sandbox",
        "symbol": "BTC-USDT",
        "cohort": "promoted",
        "day": START,
        "return": 0.01,
        "equity": 1.01,
        "bars": 1_440,
        "status": "running",
        "plan": None,
        "paper_night": "2026-06-10T0300-0000",
        **PROVENANCE,
        **changes,
    }


MADE = {
    CANDLES.name: (CANDLES, bar),
    STRATEGIES.name: (STRATEGIES, strategy),
    BACKTESTS.name: (BACKTESTS, backtest),
    TRIALS.name: (TRIALS, trial),
    CANDIDATES.name: (CANDIDATES, candidate),
    NIGHTS.name: (NIGHTS, night),
    PROMOTIONS.name: (PROMOTIONS, promotion),
    PAPER.name: (PAPER, paper_day),
}
