"""What a backtest is judged by, made in this one place from its trades and its equity.

docs/metrics.md gives every formula with its source.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from research.reference import max_drawdown_nb

if TYPE_CHECKING:
    from research.reference import Records

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

DAY = 86_400_000_000  # µs
YEAR = 365  # days: crypto markets do not close


def day_ends(time: I8) -> tuple[int, I8]:
    """Return the first bar's UTC day (days since the epoch) and each day's last bar so far.

    `time` holds open times in µs. There is one entry per calendar day up to that of the last
    bar; a day without bars has the index of the day before.
    """
    days = time // DAY
    every = np.arange(days[0], days[-1] + 1)
    return int(days[0]), np.searchsorted(days, every, side="right") - 1


def daily_returns(marks: F8) -> F8:
    """Return the change of equity on each day from its value at the end of each day.

    The first day starts from 1. A day that starts from nothing returns 0.
    """
    before = np.concatenate(([1.0], marks[:-1]))
    returns = np.zeros(marks.size)
    np.divide(marks, before, out=returns, where=before > 0)
    returns[before > 0] -= 1.0
    return returns


def bars_held(trades: Records, ends: I8) -> F8:
    """Return on how many bars of each day a position was open: longs less shorts.

    `ends` is each day's last bar, as of `day_ends`.
    """
    net = np.zeros(int(ends[-1]) + 2)
    for trade in trades:
        net[trade["entry_bar"]] += trade["side"]
        net[trade["entry_bar"] + trade["bars"]] -= trade["side"]
    return np.diff(np.cumsum(np.cumsum(net))[ends], prepend=0.0)


def sharpe(returns: F8) -> float:
    """Return mean over standard deviation (population) of daily returns, annualised.

    0 where the returns do not vary, also where there are none.
    """
    if not _varies(returns):
        return 0.0
    return float(np.mean(returns) / np.std(returns) * math.sqrt(YEAR))


def sortino(returns: F8) -> float | None:
    """Return mean over downside deviation from 0 of daily returns, annualised.

    None where no day lost.
    """
    downside = math.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)) if returns.size else 0.0
    if downside == 0.0:
        return None
    return float(np.mean(returns) / downside * math.sqrt(YEAR))


def max_drawdown(equity: F8) -> float:
    """Return the deepest fall from a peak as a positive share of it; equity starts at 1."""
    return float(max_drawdown_nb(equity))


def profit_factor(returns: F8) -> float | None:
    """Return the sum of winning trade returns over that of losing ones; None without a loss."""
    lost = -float(returns[returns < 0].sum())
    return float(returns[returns > 0].sum()) / lost if lost > 0 else None


def turnover(trades: Records, fee: float) -> float:
    """Return the traded notional of entries and exits, over the equity at each entry.

    `fee` is a share: the notional of an entry is equity/(1+fee), that of its exit is the same
    times exit price over entry price.
    """
    ratio = trades["exit_price"] / trades["entry_price"]
    return float(((1.0 + ratio) / (1.0 + fee)).sum())


def measure(trades: Records, equity: F8, returns: F8, fee: float) -> dict[str, Any]:
    """Return the columns of `core.datasets.METRICS`, in order.

    Args:
        trades: Records of `research.reference.TRADE`.
        equity: At every bar's close; at least one bar.
        returns: Of every UTC day, from `daily_returns`.
        fee: Share of the notional, per side.
    """
    per_trade = trades["return"]
    traded = per_trade.size > 0
    return {
        "total_return": float(equity[-1]) - 1.0,
        "sharpe": sharpe(returns),
        "sortino": sortino(returns),
        "max_drawdown": max_drawdown(equity),
        "profit_factor": profit_factor(per_trade),
        "win_rate": float(np.mean(per_trade > 0)) if traded else None,
        "trades": int(per_trade.size),
        "exposure": float(trades["bars"].sum()) / equity.size,
        "turnover": turnover(trades, fee),
        "ambiguous_trades": int(trades["ambiguous"].sum()),
        "avg_trade": float(np.mean(per_trade)) if traded else None,
    }


def _varies(values: F8) -> bool:
    # Equal floats can have a standard deviation of a few ulp, never exactly 0.
    return bool(values.size and values.max() > values.min())
