"""The figures of the compiled engine are those of research/metrics.py, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research import metrics
from research.engine.measure import (
    AMBIGUOUS,
    AVG_TRADE,
    COLUMNS,
    EXPOSED,
    PROFIT_FACTOR,
    SHARPE,
    SORTINO,
    TURNOVER,
    WIN_RATE,
    daily_nb,
    few_nb,
    measure_days_nb,
    measure_trades_nb,
    sum_nb,
)
from research.reference import TRADE

seeds = st.integers(0, 10_000)


@given(seed=seeds, count=st.sampled_from([0, 1, 7, 8, 9, 127, 128, 129, 130, 1_000, 20_011]))
def test_sums_are_added_in_the_order_of_numpy(seed: int, count: int) -> None:
    values = np.random.default_rng(seed).normal(0, 1, count + 3) * 10.0 ** (seed % 9)
    expected = float(np.sum(values[2 : 2 + count]))
    assert sum_nb(values, 2, count) == sum_nb.py_func(values, 2, count) == expected
    if count <= 128:
        assert few_nb(values, 2, count) == few_nb.py_func(values, 2, count) == expected


def daily(kernel: Any, marks: np.ndarray) -> np.ndarray:
    returns = np.full(marks.size, 9.0)
    kernel(marks, returns)
    return returns


@given(seed=seeds, days=st.integers(1, 200))
def test_daily_returns_start_from_one_and_end_with_nothing(seed: int, days: int) -> None:
    marks = np.exp(np.random.default_rng(seed).normal(0, 0.1, days))
    marks[days - days // 3 :] = 0.0
    expected = metrics.daily_returns(marks).tolist()
    assert daily(daily_nb, marks).tolist() == daily(daily_nb.py_func, marks).tolist() == expected


RETURNS = [
    np.zeros(5),
    np.full(7, 0.1),
    np.full(1, 0.3),
    np.array([0.1, 0.2, 0.3]),
    np.array([-0.1, -0.1]),
    np.array([1e-17, 0.0]),
    *(np.random.default_rng(seed).normal(0, 0.02, 20 + 7 * seed) for seed in range(40)),
]


@pytest.mark.parametrize("kernel", [measure_days_nb, measure_days_nb.py_func])
@pytest.mark.parametrize("returns", RETURNS, ids=range(len(RETURNS)))
def test_ratios_of_days_are_those_of_numpy(kernel: Any, returns: np.ndarray) -> None:
    row = np.full(COLUMNS, 9.0)
    kernel(returns, np.empty(returns.size), row)
    assert row[SHARPE] == metrics.sharpe(returns)
    expected = metrics.sortino(returns)
    assert np.isnan(row[SORTINO]) if expected is None else row[SORTINO] == expected


@pytest.mark.parametrize("kernel", [measure_trades_nb, measure_trades_nb.py_func])
@pytest.mark.parametrize("count", [0, 1, 3, 200, 1_111])
@pytest.mark.parametrize("shift", [-1.0, 0.0, 1.0])
def test_figures_of_trades_are_those_of_numpy(kernel: Any, count: int, shift: float) -> None:
    rng = np.random.default_rng([count, 5])
    trades = np.zeros(count, TRADE)
    trades["return"] = rng.normal(shift, 0.3, count)
    trades["return"][::7] = 0.0
    trades["bars"] = rng.integers(0, 90, count)
    trades["ambiguous"] = rng.random(count) < 0.3
    trades["entry_price"], trades["exit_price"] = rng.random((2, count)) + 0.5
    row = np.full(COLUMNS, 9.0)
    kernel(trades, 0.001, np.empty(count + 1), row)
    equity = np.ones(1_000)
    expected = metrics.measure(trades, equity, np.zeros(3), 0.001)
    for column, name in (
        (PROFIT_FACTOR, "profit_factor"),
        (WIN_RATE, "win_rate"),
        (TURNOVER, "turnover"),
        (AMBIGUOUS, "ambiguous_trades"),
        (AVG_TRADE, "avg_trade"),
    ):
        wanted = expected[name]
        assert np.isnan(row[column]) if wanted is None else row[column] == wanted, name
    assert row[EXPOSED] / equity.size == expected["exposure"]
