"""How many independent strategies a crowd of correlated ones amounts to.

No closed form is right for every structure of correlation: participation ratio and entropy see
far too few (and so forgive a search too much), the mean correlation sees far too many in
clusters. The number that counts is the one that the best of the null worlds shows
(`effective_from_null`); the others are there to be compared with it.

Sources:
    Galwey (2009), https://doi.org/10.1002/gepi.20408. Li and Ji (2005),
    https://doi.org/10.1038/sj.hdy.6800717. Nyholt (2004), https://doi.org/10.1086/383251.
    Roy and Vetterli (2007), The Effective Rank (the entropy).
    Bailey and López de Prado (2014), https://doi.org/10.3905/jpm.2014.40.5.094 (mean correlation).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.errors import InvalidInput
from research.statistics.deflated import expected_max_sharpe
from research.statistics.distributions import NORMAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F8 = NDArray[np.float64]

_MOST_TRIALS = 1e15


class EffectiveTrials(NamedTuple):
    """The same crowd counted in six ways."""

    participation: float  # (Σλ)² / Σλ²
    entropy: float  # exp of the entropy of λ / Σλ
    galwey: float  # (Σ√λ)² / Σλ
    li_ji: float  # Σ of 1 where λ >= 1, and what each λ has behind the point
    nyholt: float  # 1 + (N - 1)(1 - Var(λ) / N)
    mean_correlation: float  # r + (1 - r) N, r the mean correlation


def effective_trials(correlation: F8) -> EffectiveTrials:
    """Count the strategies of a correlation matrix."""
    if correlation.ndim != 2 or correlation.shape[0] != correlation.shape[1]:
        raise InvalidInput(f"expected a square matrix, was of shape {correlation.shape}")
    count = len(correlation)
    return _counted(np.linalg.eigvalsh(correlation), count, float(correlation.sum()))


def effective_of_returns(returns: F8) -> EffectiveTrials:
    """Count the strategies of a matrix of returns, periods by strategies.

    The eigenvalues are those of the smaller of the two products of the matrix with itself, so
    that 5,000 strategies over a year take no longer than 365. There are no more of them than
    periods, so that most counts of more strategies are too low. Strategies that never varied do
    not count.
    """
    kept = returns[:, np.ptp(returns, axis=0) > 0]
    periods, count = kept.shape
    if periods < 2 or not count:
        return EffectiveTrials(*[float(count)] * 6)
    scaled = (kept - kept.mean(axis=0)) / (kept.std(axis=0) * math.sqrt(periods))
    product = scaled @ scaled.T if count > periods else scaled.T @ scaled
    total = float((scaled.sum(axis=1) ** 2).sum())
    return _counted(np.linalg.eigvalsh(product), count, total)


def effective_from_null(best: float, level: float = 0.05) -> float:
    """Return the independent strategies whose best exceeds `best` with probability `level`.

    `best` is the (1 - level) quantile, over worlds without an edge, of the best strategy's t
    statistic (its Sharpe ratio per period times the root of the number of periods). A search whose
    luck reaches no further than that of one strategy counts as one.
    """
    if not 0.0 < level < 1.0:
        raise InvalidInput(f"expected a level between 0 and 1, was {level!r}")
    tail = NORMAL.cdf(-best)
    if tail <= 0.0:
        return math.inf
    return max(1.0, math.log1p(-level) / math.log1p(-tail))


def effective_from_mean(best: float) -> float:
    """Return the independent strategies of which `expected_max_sharpe` expects a best of `best`.

    As `effective_from_null`, from the mean over worlds in place of a quantile. The two differ
    where strategies are correlated; the quantile is what a threshold needs.
    """
    low, high = 1.0, _MOST_TRIALS
    if best <= 0.0:
        return low
    if expected_max_sharpe(high, 1.0) < best:
        return math.inf
    while high / low > 1.0 + 1e-13:
        middle = math.sqrt(low * high)
        if expected_max_sharpe(middle, 1.0) < best:
            low = middle
        else:
            high = middle
    return low


def _counted(eigenvalues: NDArray[np.floating[Any]], count: int, total: float) -> EffectiveTrials:
    """Count from the eigenvalues (missing ones are 0) and the sum of all correlations."""
    values = np.maximum(eigenvalues, 0.0)
    whole = values.sum()
    shares = values[values > 0] / whole
    near = np.rint(values)  # an eigenvalue of 1 is not to fall below by an ulp
    exact = np.where(np.abs(values - near) < 1e-9, near, values)
    rho = (total - count) / (count * (count - 1)) if count > 1 else 0.0
    squares = float((values**2).sum())
    spread = (squares - whole**2 / count) / (count - 1) if count > 1 else 0.0
    return EffectiveTrials(
        participation=float(whole**2 / squares),
        entropy=float(np.exp(-(shares * np.log(shares)).sum())),
        galwey=float(np.sqrt(values).sum() ** 2 / whole),
        li_ji=float(((exact >= 1.0) + exact % 1.0).sum()),
        nyholt=float(1.0 + (count - 1) * (1.0 - spread / count)),
        mean_correlation=float(rho + (1.0 - rho) * count),
    )
