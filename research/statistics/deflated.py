"""How high luck alone reaches: the best Sharpe ratio of many strategies without an edge.

Everything here is per period, never annualised, where the name does not say so.

Sources:
    Bailey and López de Prado (2014), The Deflated Sharpe Ratio,
    https://doi.org/10.3905/jpm.2014.40.5.094: `expected_max_sharpe`, `deflated_sharpe`.
    Bailey, Borwein, López de Prado and Zhu (2014), Pseudo-Mathematics and Financial Charlatanism,
    https://doi.org/10.1090/noti1105: `min_backtest_length` and its bound.
"""

from __future__ import annotations

import math

import numpy as np

from core.errors import InvalidInput
from research.statistics.distributions import NORMAL, normal_tail
from research.statistics.sharpe import Moments, psr

EULER = 0.5772156649015329


def expected_max_sharpe(trials: float, variance: float) -> float:
    """Return the Sharpe ratio expected of the best of `trials` useless, independent strategies.

    The approximation of Bailey and López de Prado. `variance` is that of the Sharpe ratios over
    the trials; of useless strategies over T periods it is 1/T, whatever else was tried (the
    variance found over a night's trials grows with every bad strategy among them). One trial
    expects 0. An effective number of trials need not be whole.
    """
    if trials < 1 or variance < 0:
        raise InvalidInput(
            f"expected at least 1 trial and no negative variance, was {trials} and {variance!r}"
        )
    if trials == 1:
        return 0.0
    first = -NORMAL.inv_cdf(1.0 / trials)  # of 1 - 1/N, but also right where N is huge
    second = -NORMAL.inv_cdf(1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - EULER) * first + EULER * second)


def max_of_normals(trials: int) -> tuple[float, float]:
    """Return the exact mean and standard deviation of the largest of `trials` standard normals.

    By the trapezoid rule on the density of the maximum, which is smooth and gone at both ends, so
    that the rule is exact to rounding.
    """
    _check_trials(trials)
    x = np.arange(-12.0, 14.0, 1.0 / 64.0)
    below = np.log1p(-np.minimum(normal_tail(x), 1.0 - 1e-16))
    density = trials * np.exp((trials - 1) * below - 0.5 * x**2)
    density /= density.sum()
    mean = float((x * density).sum())
    return mean, math.sqrt(float(((x - mean) ** 2 * density).sum()))


def max_quantile(trials: float, level: float = 0.05) -> float:
    """Return what the largest of `trials` standard normals exceeds with probability `level`."""
    _check_trials(trials)
    _check_level(level)
    return -NORMAL.inv_cdf(-math.expm1(math.log1p(-level) / trials))


def deflated_sharpe(of: Moments, trials: float, variance: float | None = None) -> float:
    """Return the probability that the true Sharpe ratio is above what luck gives the best trial.

    `psr` of 2012 over `expected_max_sharpe` of 2014; `variance` as there, None takes 1/T.
    """
    if variance is None:
        variance = 1.0 / of.periods
    return psr(of, expected_max_sharpe(trials, variance))


def deflated_sharpe_point(trials: float, level: float = 0.05) -> float:
    """Return the deflated ratio that the best of `trials` useless strategies passes at `level`.

    The exact point of independent strategies with V = 1/T: 0.745 of 500 at 5 %, where a gate at
    0.95 would let luck through on 0.07 % of nights only.
    """
    return NORMAL.cdf(max_quantile(trials, level) - expected_max_sharpe(trials, 1.0))


def deflated_sharpe_false_rate(trials: float, bar: float) -> float:
    """Return how often the best of `trials` useless strategies has a deflated ratio over `bar`."""
    _check_level(bar)
    tail = NORMAL.cdf(-(expected_max_sharpe(trials, 1.0) + NORMAL.inv_cdf(bar)))
    return -math.expm1(trials * math.log1p(-tail))


def min_backtest_length(trials: float, sharpe: float = 1.0) -> float:
    """Return the years until the best of `trials` useless strategies no longer shows `sharpe`.

    `sharpe` is annual. On less history luck alone is expected to reach it.
    """
    _check_positive(sharpe)
    return (expected_max_sharpe(trials, 1.0) / sharpe) ** 2


def min_backtest_length_bound(trials: float, sharpe: float = 1.0) -> float:
    """Return the simple upper bound of `min_backtest_length`, 2 ln N / sharpe², in years."""
    _check_trials(trials)
    _check_positive(sharpe)
    return 2.0 * math.log(trials) / sharpe**2


def luck_hurdle(trials: float, periods: int, per_year: float = 365.0) -> float:
    """Return the annualised Sharpe ratio expected of the best of `trials` useless strategies.

    It takes the variance 1/T, T = `periods`: 500 strategies on 90 days reach 6.1.
    """
    if periods < 1:
        raise InvalidInput(f"expected at least 1 period, was {periods}")
    return expected_max_sharpe(trials, 1.0 / periods) * math.sqrt(per_year)


def _check_trials(trials: float) -> None:
    if trials < 1:
        raise InvalidInput(f"expected at least 1 trial, was {trials}")


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise InvalidInput(f"expected a probability between 0 and 1, was {level!r}")


def _check_positive(sharpe: float) -> None:
    if sharpe <= 0:
        raise InvalidInput(f"expected a Sharpe ratio over 0, was {sharpe!r}")
