"""How sure a Sharpe ratio is, and how high luck alone reaches.

Everything here is per period, never annualised, where the name does not say so: the Sharpe ratio
of T returns is mean/std (ddof 1), skewness and kurtosis are of the population (normal: 0 and 3).

Sources:
    Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier,
    https://doi.org/10.21314/JOR.2012.255: `psr`, `min_track_record_length`.
    Bailey and López de Prado (2014), The Deflated Sharpe Ratio,
    https://doi.org/10.3905/jpm.2014.40.5.094: `expected_max_sharpe`, `deflated_sharpe`.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

EULER = 0.5772156649015329
_NORMAL = NormalDist()


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
    return _NORMAL.cdf(ahead * math.sqrt(of.periods - 1) / error)


def min_track_record_length(of: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Return how many periods it takes until `psr` reaches `confidence`; inf where it never does.

    `of.periods` is not read.
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidInput(f"expected a confidence between 0 and 1, was {confidence!r}")
    if of.sharpe <= benchmark:
        return math.inf
    z = _NORMAL.inv_cdf(confidence)
    return 1.0 + (_error(of) * z / (of.sharpe - benchmark)) ** 2


def expected_max_sharpe(trials: int, variance: float) -> float:
    """Return the Sharpe ratio expected of the best of `trials` useless, independent strategies.

    The approximation of Bailey and López de Prado. `variance` is that of the Sharpe ratios over
    the trials; of useless strategies over T periods it is 1/T, whatever else was tried (the
    variance found over a night's trials grows with every bad strategy among them). One trial
    expects 0.
    """
    if trials < 1 or variance < 0:
        raise InvalidInput(
            f"expected at least 1 trial and no negative variance, was {trials} and {variance!r}"
        )
    if trials == 1:
        return 0.0
    first = -_NORMAL.inv_cdf(1.0 / trials)  # of 1 - 1/N, but also right where N is huge
    second = -_NORMAL.inv_cdf(1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - EULER) * first + EULER * second)


def deflated_sharpe(of: Moments, trials: int, variance: float | None = None) -> float:
    """Return the probability that the true Sharpe ratio is above what luck gives the best trial.

    `psr` of 2012 over `expected_max_sharpe` of 2014; `variance` as there, None takes 1/T.
    """
    if variance is None:
        variance = 1.0 / of.periods
    return psr(of, expected_max_sharpe(trials, variance))


def luck_hurdle(trials: int, periods: int, per_year: float = 365.0) -> float:
    """Return the annualised Sharpe ratio expected of the best of `trials` useless strategies.

    It takes the variance 1/T, T = `periods`: 500 strategies on 90 days reach 6.1.
    """
    if periods < 1:
        raise InvalidInput(f"expected at least 1 period, was {periods}")
    return expected_max_sharpe(trials, 1.0 / periods) * math.sqrt(per_year)


def _error(of: Moments) -> float:
    """Return the standard error of the Sharpe ratio, times the square root of T - 1."""
    spread = 1.0 - of.skew * of.sharpe + (of.kurtosis - 1.0) / 4.0 * of.sharpe**2
    # No series has a negative value here; figures that fit together badly, or rounding, do.
    return math.sqrt(max(spread, 0.0))
