"""The probability of backtest overfitting, by combinatorially symmetric cross-validation.

Cut the days into S blocks, choose the best strategy on every half of them, and see where it stands
among all on the other half. It says how a search behaves, not whether its winner is real: of noise
beside a crowd of losers it reports no overfitting at all. Never a gate.

Source:
    Bailey, Borwein, López de Prado and Zhu (2017), The Probability of Backtest Overfitting,
    https://doi.org/10.21314/JCF.2016.322.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F8 = NDArray[np.float64]

_CELLS = 2_000_000  # ratios that are held at once
_FLAT = 1e-14  # share of the mean square below which a variance is rounding


class Overfitting(NamedTuple):
    """What became of the best of each half on the other half.

    Attributes:
        pbo: The share of halves whose best fell to the lower half of the others.
        logits: One per half: ln(w / (1 - w)), w the winner's rank over N + 1.
        slope: Of the winners' ratios on the other half over those on the own half.
        intercept: Of the same line.
        r_squared: Of the same line.
        loss: The share of halves whose best had a ratio below 0 on the other half.
    """

    pbo: float
    logits: F8
    slope: float
    intercept: float
    r_squared: float
    loss: float


def overfitting(returns: F8, blocks: int = 16, ddof: int = 1, minus: float = 0.0) -> Overfitting:
    """Cross-validate a matrix of returns, periods by strategies, by their Sharpe ratios.

    The ratios of a half come from the sums of its blocks, so that no half is ever put together.
    Blocks are of one length: the first periods are left out where they do not divide.

    Args:
        returns: At least two strategies.
        blocks: S, even; there are C(S, S/2) halves, 12,870 of 16.
        ddof: Of the deviation in the ratio; the ranks do not depend on it.
        minus: What to subtract from every return, such as a risk-free rate.

    Raises:
        InvalidInput: There are too few periods or strategies, or `blocks` is odd.
    """
    periods, count = returns.shape if returns.ndim == 2 else (0, 0)
    if blocks < 2 or blocks % 2:
        raise InvalidInput(f"expected an even number of blocks, was {blocks}")
    length = periods // blocks
    half = length * (blocks // 2)
    if count < 2 or length < 1 or half <= ddof:
        raise InvalidInput(f"expected 2 strategies over {blocks} blocks, was {returns.shape}")
    kept = (returns[periods - length * blocks :] - minus).reshape(blocks, length, count)
    sums, squares = kept.sum(axis=1), (kept**2).sum(axis=1)
    chosen, logits = [], []
    for some in _halves(blocks, max(1, _CELLS // count)):
        inside = _ratios(some @ sums, some @ squares, half, ddof)
        outside = _ratios((1.0 - some) @ sums, (1.0 - some) @ squares, half, ddof)
        rows, best = np.arange(len(some)), inside.argmax(axis=1)
        own, other = inside[rows, best], outside[rows, best]
        below = (outside < other[:, None]).sum(axis=1)
        level = (outside == other[:, None]).sum(axis=1)  # itself among them
        rank = (below + (level + 1) / 2) / (count + 1)
        logits.append(np.log(rank / (1.0 - rank)))
        chosen.append(np.column_stack((own, other)))
    return _summary(np.concatenate(logits), np.concatenate(chosen))


def _halves(blocks: int, most: int) -> list[F8]:
    """Return which blocks are in which half, a few halves at a time."""
    picks = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(picks), blocks))
    halves[np.arange(len(picks))[:, None], picks] = 1.0
    return [halves[first : first + most] for first in range(0, len(halves), most)]


def _ratios(sums: F8, squares: F8, periods: int, ddof: int) -> F8:
    """Return Sharpe ratios from sums over periods; 0 where the returns do not vary."""
    mean = sums / periods
    squares /= periods
    variance = squares - mean**2
    varies = variance > _FLAT * squares
    variance *= periods / (periods - ddof)
    np.sqrt(variance, out=variance, where=varies)
    return np.divide(mean, variance, out=np.zeros_like(mean), where=varies)


def _summary(logits: F8, chosen: F8) -> Overfitting:
    own, other = chosen.T
    dx, dy = own - own.mean(), other - other.mean()
    xx, xy, yy = float(dx @ dx), float(dx @ dy), float(dy @ dy)
    slope = xy / xx if xx else 0.0
    return Overfitting(
        pbo=float(np.mean(logits <= 0)),
        logits=logits,
        slope=slope,
        intercept=float(other.mean() - slope * own.mean()),
        r_squared=slope * xy / yy if yy else 0.0,
        loss=float(np.mean(other < 0)),
    )
