"""Every metric by hand, and all of them again from trades and candles in plain Python."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest

from core.datasets import METRICS
from research.metrics import (
    daily_returns,
    day_ends,
    max_drawdown,
    measure,
    profit_factor,
    sharpe,
    sortino,
    turnover,
)
from research.reference import TRADE

DAY = 86_400_000_000
HOUR = DAY // 24
YEAR_ROOT = math.sqrt(365)


def test_day_ends_are_the_last_bars_of_utc_days() -> None:
    time = np.array([0, HOUR, 23 * HOUR, DAY, DAY + HOUR, 2 * DAY + HOUR])
    first, ends = day_ends(10 * DAY + time)
    assert first == 10
    assert ends.tolist() == [2, 4, 5]


def test_a_day_without_bars_ends_where_the_day_before_did() -> None:
    first, ends = day_ends(np.array([HOUR, 3 * DAY, 3 * DAY + HOUR]))
    assert first == 0
    assert ends.tolist() == [0, 0, 0, 2]


def test_daily_returns_start_from_one_and_are_nothing_after_ruin() -> None:
    returns = daily_returns(np.array([1.1, 1.1, 0.55, 0.0, 0.0]))
    assert returns == pytest.approx([0.1, 0, -0.5, -1, 0])


def test_sharpe_is_of_the_population_and_annualised() -> None:
    # Mean 0.01; deviations ±0.02, so the population's standard deviation is 0.02.
    assert sharpe(np.array([0.03, -0.01, 0.03, -0.01])) == pytest.approx(0.5 * YEAR_ROOT)


@pytest.mark.parametrize("returns", [[], [0.02], [0.0] * 5, [0.1] * 7])
def test_sharpe_is_nothing_where_returns_do_not_vary(returns: list[float]) -> None:
    assert sharpe(np.array(returns)) == 0.0


def test_sortino_counts_every_day_but_only_losses_as_risk() -> None:
    # Mean 0.005; downside √((0.02² + 0)/4) = 0.01.
    assert sortino(np.array([0.03, -0.02, 0.01, 0.0])) == pytest.approx(0.5 * YEAR_ROOT)


def test_sortino_is_unknown_where_no_day_lost() -> None:
    assert sortino(np.array([0.01, 0.0])) is None
    assert sortino(np.array([])) is None


def test_max_drawdown_is_a_positive_share_of_the_peak() -> None:
    assert max_drawdown(np.array([1.2, 0.9, 1.5, 1.2])) == pytest.approx(0.25)


def test_profit_factor_is_unknown_where_no_trade_lost() -> None:
    assert profit_factor(np.array([0.03, -0.01, 0.01, -0.01])) == pytest.approx(2)
    assert profit_factor(np.array([-0.01])) == 0
    assert profit_factor(np.array([0.03, 0.0])) is None
    assert profit_factor(np.array([])) is None


def test_turnover_counts_both_sides_over_the_equity_at_the_entry() -> None:
    trades = _trades([(100, 110, 0.1, 2), (200, 100, -0.5, 1)])
    assert turnover(trades, fee=0.25) == pytest.approx((1 + 1.1 + 1 + 0.5) / 1.25)


def test_a_backtest_is_measured_in_the_contracts_columns_and_order() -> None:
    trades = _trades([(100, 110, 0.1, 2), (110, 99, -0.1, 1), (99, 108.9, 0.1, 1)])
    trades["ambiguous"][1] = True
    equity = np.array([1.0, 1.05, 1.1, 0.99, 1.089])
    measured = measure(trades, equity, np.array([0.1, -0.01]), fee=0.0)
    assert list(measured) == list(METRICS)
    assert measured == pytest.approx(
        {
            "total_return": 0.089,
            "sharpe": 0.045 / 0.055 * YEAR_ROOT,
            "sortino": 0.045 / math.sqrt(0.00005) * YEAR_ROOT,
            "max_drawdown": 0.1,
            "profit_factor": 2,
            "win_rate": 2 / 3,
            "trades": 3,
            "exposure": 0.8,
            "turnover": 2.1 + 1.9 + 2.1,
            "ambiguous_trades": 1,
            "avg_trade": 0.1 / 3,
        }
    )


def test_no_trades_have_no_win_rate_no_average_and_no_risk() -> None:
    measured = measure(_trades([]), np.ones(3), np.zeros(1), fee=0.001)
    unknown = {name for name, value in measured.items() if value is None}
    assert unknown == {"sortino", "profit_factor", "win_rate", "avg_trade"}
    assert all(measured[name] == 0 for name in measured.keys() - unknown)


def test_sharpe_agrees_with_the_standard_library() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.02, 90).tolist()
    expected = statistics.fmean(returns) / statistics.pstdev(returns) * YEAR_ROOT
    assert sharpe(np.array(returns)) == pytest.approx(expected, rel=1e-12)


def _trades(rows: list[tuple[float, float, float, int]]) -> Any:
    """Return records with entry price, exit price, return and bars."""
    trades = np.zeros(len(rows), TRADE)
    for i, row in enumerate(rows):
        for name, value in zip(("entry_price", "exit_price", "return", "bars"), row, strict=True):
            trades[name][i] = value
    return trades
