"""The figures of docs/metrics.md from trades and daily marks, to the bit those of numpy.

research/metrics.py says what each of them is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from research.kernels import kernel

F8 = NDArray[np.float64]
Records = NDArray[np.void]

# The columns that `measure_nb` writes.
(
    SHARPE,
    SORTINO,
    PROFIT_FACTOR,
    WIN_RATE,
    EXPOSED,
    TURNOVER,
    AMBIGUOUS,
    AVG_TRADE,
) = range(8)
COLUMNS = 8

YEAR = 365.0


@kernel
def few_nb(values: F8, first: int, count: int) -> float:
    """Return the sum of at most 128 values: eight sums side by side, then the rest."""
    if count < 8:
        total = 0.0
        for i in range(first, first + count):
            total += values[i]
        return total
    a, b, c, d = values[first], values[first + 1], values[first + 2], values[first + 3]
    e, f, g, h = values[first + 4], values[first + 5], values[first + 6], values[first + 7]
    whole = count - count % 8
    for i in range(first + 8, first + whole, 8):
        a, b, c, d = a + values[i], b + values[i + 1], c + values[i + 2], d + values[i + 3]
        e, f, g, h = e + values[i + 4], f + values[i + 5], g + values[i + 6], h + values[i + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(first + whole, first + count):
        total += values[i]
    return float(total)


@kernel
def sum_nb(values: F8, first: int, count: int) -> float:
    """Return a sum in the order in which numpy adds: halves of halves down to 128 values.

    https://github.com/numpy/numpy/blob/main/numpy/_core/src/umath/loops_utils.h.src
    Each level waits with what is to its right (`rest`), then with the sum to its left.
    """
    if count <= 128:
        return few_nb(values, first, count)
    rest, left, begun = np.empty(64, np.int64), np.empty(64), np.empty(64, np.bool_)
    level = 0
    while True:
        while count > 128:
            half = count // 2 - count // 2 % 8
            rest[level], begun[level] = count - half, False
            level, count = level + 1, half
        total = few_nb(values, first, count)
        first += count
        while level > 0 and begun[level - 1]:
            level -= 1
            total = left[level] + total
        if level == 0:
            return float(total)
        left[level - 1], begun[level - 1], count = total, True, rest[level - 1]


@kernel
def daily_nb(marks: F8, returns: F8) -> None:
    """Write the change of equity on each day; a day that starts from nothing returns 0."""
    before = 1.0
    for day in range(marks.size):
        returns[day] = marks[day] / before - 1.0 if before > 0.0 else 0.0
        before = marks[day]


@kernel
def measure_days_nb(returns: F8, scratch: F8, row: F8) -> None:
    """Write what daily returns say; `scratch` holds as many values."""
    days = returns.size
    mean = sum_nb(returns, 0, days) / days
    varies = False
    for day in range(days):
        varies |= returns[day] != returns[0]
        scratch[day] = (returns[day] - mean) * (returns[day] - mean)
    deviation = math.sqrt(sum_nb(scratch, 0, days) / days)
    row[SHARPE] = mean / deviation * math.sqrt(YEAR) if varies and deviation > 0.0 else 0.0
    for day in range(days):
        scratch[day] = min(returns[day], 0.0) * min(returns[day], 0.0)
    downside = math.sqrt(sum_nb(scratch, 0, days) / days)
    row[SORTINO] = mean / downside * math.sqrt(YEAR) if downside > 0.0 else np.nan


@kernel
def measure_trades_nb(trades: Records, fee: float, scratch: F8, row: F8) -> None:
    """Write what trades say; `scratch` holds as many values."""
    count = trades.size
    exposed, ambiguous, won, lost = 0, 0, 0, 0
    for i in range(count):
        exposed += trades[i]["bars"]
        ambiguous += trades[i]["ambiguous"]
        scratch[i] = trades[i]["return"]
    row[EXPOSED], row[AMBIGUOUS] = exposed, ambiguous
    row[AVG_TRADE] = sum_nb(scratch, 0, count) / count if count else np.nan
    for i in range(count):
        if trades[i]["return"] > 0.0:
            scratch[won] = trades[i]["return"]
            won += 1
    row[WIN_RATE] = won / count if count else np.nan
    gain = sum_nb(scratch, 0, won)
    for i in range(count):
        if trades[i]["return"] < 0.0:
            scratch[lost] = trades[i]["return"]
            lost += 1
    loss = -sum_nb(scratch, 0, lost)
    row[PROFIT_FACTOR] = gain / loss if loss > 0.0 else np.nan
    for i in range(count):
        ratio = trades[i]["exit_price"] / trades[i]["entry_price"]
        scratch[i] = (1.0 + ratio) / (1.0 + fee)
    row[TURNOVER] = sum_nb(scratch, 0, count)
