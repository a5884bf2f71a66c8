"""What a search is told of its strategies, and the numbers it judges them by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from research.evaluate import Scores
from research.metrics import YEAR

if TYPE_CHECKING:
    from research.strategy import Strategy

F8 = NDArray[np.float64]

# Points of annualised Sharpe ratio that a strategy without any trade lies below its own; one
# that makes a part of the trades asked for loses its part of them.
NO_TRADES = 20.0

__all__ = ["Batch", "Evaluator", "Pooled", "Scores", "pooled"]


class Batch(NamedTuple):
    """Strategies to be scored on one symbol."""

    symbol: str
    strategies: Sequence[Strategy]


# Scores of each batch, in order: row i of `returns` and of the metrics `max_drawdown`, `turnover`
# and `trades` belongs to its i-th strategy. The same batch always has the same scores, whatever
# stands beside it.
Evaluator = Callable[[Sequence[Batch]], Sequence[Scores]]


class Pooled(NamedTuple):
    """What strategies did on all symbols of an island; row i belongs to the i-th strategy.

    `returns` are those of an equal stake in every symbol beyond the market's drift, strategies by
    days; `sharpe` is theirs, annualised. Drawdown and turnover are means over the symbols,
    `trades` is by symbol.
    """

    by_symbol: F8  # net daily returns: strategies, symbols, days
    returns: F8
    sharpe: F8
    score: F8
    max_drawdown: F8
    turnover: F8
    trades: NDArray[np.int64]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what each strategy did as fields of a `Trial`."""
        for score, sharpe, drawdown, turnover, trades, by_symbol, returns in zip(
            *(self.score.tolist(), self.sharpe.tolist(), self.max_drawdown.tolist()),
            *(self.turnover.tolist(), self.trades.tolist(), self.by_symbol, self.returns),
            strict=True,
        ):
            yield {
                "score": score,
                "sharpe": sharpe,
                "max_drawdown": drawdown,
                "turnover": turnover,
                "trades": tuple(trades),
                "returns": by_symbol.tobytes(),
                "detrended": returns.tobytes(),
            }


def pooled(scores: Sequence[Scores], min_trades: int) -> Pooled:
    """Pool the scores of the same strategies on several symbols.

    Symbols end on the same day; one that was listed later earned nothing before. Where an
    evaluator gives no detrended returns, the net ones are judged.
    `score` is the Sharpe ratio less a part of `NO_TRADES` for each trade that is missing from
    `min_trades` a symbol: a ratio of a few lucky trades says nothing.

    Raises:
        InvalidInput: The scores are not finite, or not of the same strategies.
    """
    if len({len(one) for one in scores}) != 1:
        raise InvalidInput(f"expected as many scores of each symbol, was {list(map(len, scores))}")
    days = max(one.returns.shape[1] for one in scores)
    by_symbol = _stacked(days, [one.returns for one in scores])
    judged = [one.returns if one.detrended is None else one.detrended for one in scores]
    returns = _stacked(days, judged).mean(axis=1)
    trades = np.stack([one.metrics["trades"] for one in scores], axis=1)
    # Rounded, so that what behaves alike scores alike, however the sums were ordered.
    sharpe = np.round(sharpes(returns), 9)
    missing = np.clip(1.0 - trades.mean(axis=1) / max(min_trades, 1), 0.0, None)
    return Pooled(
        by_symbol=by_symbol,
        returns=returns,
        sharpe=sharpe,
        score=sharpe - NO_TRADES * missing if min_trades else sharpe,
        max_drawdown=_mean(scores, "max_drawdown"),
        turnover=_mean(scores, "turnover"),
        trades=trades.astype(np.int64),
    )


def _stacked(days: int, by_symbol: Sequence[F8]) -> F8:
    """Put the daily returns of symbols side by side; those before a listing are 0."""
    stacked = np.zeros((len(by_symbol[0]), len(by_symbol), days))
    for at, returns in enumerate(by_symbol):
        stacked[:, at, days - returns.shape[1] :] = returns
    if not np.isfinite(stacked).all():
        raise InvalidInput("expected finite daily returns, was not")
    return stacked


def sharpes(returns: F8) -> F8:
    """Return `research.metrics.sharpe` of every row."""
    varies = returns.max(axis=1) > returns.min(axis=1)
    ratio = np.zeros(len(returns))
    mean, spread = returns.mean(axis=1), returns.std(axis=1)
    np.divide(mean, spread, out=ratio, where=varies)
    return ratio * math.sqrt(YEAR)


def _mean(scores: Sequence[Scores], name: str) -> F8:
    values: F8 = np.mean([one.metrics[name] for one in scores], axis=0, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InvalidInput(f"expected a finite {name}, was not")
    return values
