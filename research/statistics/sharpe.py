"""How sure a Sharpe ratio is, and how long a record must be to make it so.

Everything here is per period, never annualised: the Sharpe ratio of T returns is mean/std (ddof
1), skewness and kurtosis are of the population (normal: 0 and 3).

Sources:
    Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier,
    https://doi.org/10.21314/JOR.2012.255: `psr`, `min_track_record_length`.
    López de Prado, Lipton and Zoonekynd (2025), How to Use the Sharpe Ratio,
    https://doi.org/10.2139/ssrn.5520741: `psr_2025`, `min_track_record_length_2025`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import InvalidInput
from research.statistics.distributions import NORMAL

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Moments(NamedTuple):
    """What these statistics read of a series of returns."""

    sharpe: float
    periods: int
    skew: float = 0.0
    kurtosis: float = 3.0


def moments(returns: NDArray[np.float64]) -> Moments:
    """Return the moments of at least two returns; a series that does not vary has a Sharpe of 0."""
    if returns.size < 2:
        raise InvalidInput(f"expected at least 2 returns, was {returns.size}")
    if returns.max() == returns.min():
        return Moments(0.0, returns.size)
    centred = returns - returns.mean()
    variance = np.mean(centred**2)
    return Moments(
        sharpe=float(returns.mean() / np.std(returns, ddof=1)),
        periods=returns.size,
        skew=float(np.mean(centred**3) / variance**1.5),
        kurtosis=float(np.mean(centred**4) / variance**2),
    )


def psr(of: Moments, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above `benchmark`.

    The variant of 2012: the standard error is taken at the observed ratio, with T - 1.
    """
    error = _error(of)
    ahead = of.sharpe - benchmark
    if error == 0.0:  # two values only, so placed that the ratio carries no doubt
        return 0.5 if ahead == 0.0 else float(ahead > 0.0)
    return NORMAL.cdf(ahead * math.sqrt(of.periods - 1) / error)


def psr_2025(of: Moments, benchmark: float = 0.0, autocorrelation: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above `benchmark`, as of 2025.

    The standard error is taken at `benchmark`, the ratio of the null hypothesis, with T; returns
    may be correlated from one period to the next. The same series has another `psr`, so a figure
    has to say which of the two it is.
    """
    error = _error_2025(of, benchmark, autocorrelation)
    return NORMAL.cdf((of.sharpe - benchmark) * math.sqrt(of.periods) / error)


def min_track_record_length(of: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Return how many periods it takes until `psr` reaches `confidence`; inf where it never does.

    `of.periods` is not read.
    """
    z = _quantile(confidence)
    if of.sharpe <= benchmark:
        return math.inf
    return 1.0 + (_error(of) * z / (of.sharpe - benchmark)) ** 2


def min_track_record_length_2025(
    of: Moments, benchmark: float = 0.0, confidence: float = 0.95, autocorrelation: float = 0.0
) -> float:
    """Return how many periods it takes until `psr_2025` reaches `confidence`, else inf.

    `of.periods` is not read.
    """
    z = _quantile(confidence)
    if of.sharpe <= benchmark:
        return math.inf
    error = _error_2025(of, benchmark, autocorrelation)
    return (error * z / (of.sharpe - benchmark)) ** 2


def _quantile(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise InvalidInput(f"expected a confidence between 0 and 1, was {confidence!r}")
    return NORMAL.inv_cdf(confidence)


def _error(of: Moments) -> float:
    """Return the standard error of the Sharpe ratio, times the square root of T - 1."""
    spread = 1.0 - of.skew * of.sharpe + (of.kurtosis - 1.0) / 4.0 * of.sharpe**2
    # No series has a negative value here; figures that fit together badly, or rounding, do.
    return math.sqrt(max(spread, 0.0))


def _error_2025(of: Moments, at: float, rho: float) -> float:
    """Return the standard error where the true ratio is `at`, times the square root of T."""
    if not -1.0 < rho < 1.0:
        raise InvalidInput(f"expected an autocorrelation between -1 and 1, was {rho!r}")
    spread = (
        (1.0 + rho) / (1.0 - rho)
        - (1.0 + rho / (1.0 - rho) + rho**2 / (1.0 - rho**2)) * of.skew * at
        + (1.0 + rho**2) / (1.0 - rho**2) * (of.kurtosis - 1.0) / 4.0 * at**2
    )
    if spread <= 0.0:
        raise InvalidInput(f"expected moments that a series can have at a ratio of {at!r}")
    return math.sqrt(spread)
