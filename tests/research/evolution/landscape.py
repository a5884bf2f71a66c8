"""A market that is a formula of a strategy's text: how near it is to one hidden rule."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np

from research.evaluate import Scores
from research.expressions import Cross, Reading, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.evolution.scores import Batch
    from research.strategy import Strategy

DAYS = 60
FAST, SLOW, STOP, TIMEFRAME = 21, 55, 0.02, "30m"
PERFECT = 7.2


def closeness(strategy: Strategy) -> float:
    """Return 0 for what never buys, up to 4.1 for `crosses_above(ema(21), ema(55))` and so on."""
    if strategy.long is None:
        return 0.0
    points = 0.5 * (strategy.timeframe == TIMEFRAME)
    points += max((_crossing(part) for part in walk(strategy.long.entry)), default=0.0)
    return points + (_near(strategy.stop, STOP) if strategy.stop else 0.0)


def sharpe_of(strategy: Strategy) -> float:
    return 2.5 * closeness(strategy) - 3.0


def returns_of(strategy: Strategy, symbol: str) -> np.ndarray:
    """Return daily returns of exactly that Sharpe ratio, unlike those of any other strategy."""
    name = hashlib.sha256(f"{symbol} {strategy.text}".encode()).digest()
    drawn = np.random.default_rng(list(name)).standard_normal(DAYS)
    even = (drawn - drawn.mean()) / drawn.std()
    return 0.01 * (even + sharpe_of(strategy) / math.sqrt(365))


def scores_of(returns: Sequence[np.ndarray], trades: int = 100) -> Scores:
    count = len(returns)
    metrics = {
        "max_drawdown": np.full(count, 0.1),
        "turnover": np.full(count, 50.0),
        "trades": np.full(count, trades),
    }
    return Scores(metrics, np.reshape(returns, (count, DAYS)))


def landscape(batches: Sequence[Batch]) -> list[Scores]:
    """An evaluator."""
    return [
        scores_of([returns_of(strategy, batch.symbol) for strategy in batch.strategies])
        for batch in batches
    ]


def _crossing(part) -> float:
    if not isinstance(part, Cross) or part.name != "crosses_above":
        return 0.0
    return _average(part.left, FAST) + _average(part.right, SLOW)


def _average(part, period: int) -> float:
    if not isinstance(part, Reading) or not part.params:
        return 0.0
    return 0.3 * (part.name == "ema") + _near(part.params[0], period)


def _near(value: float, wanted: float) -> float:
    return math.exp(-2 * abs(math.log(value / wanted)))
