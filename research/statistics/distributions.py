"""The normal and Student's t distribution: what the other files of this package need of them.

The standard library has the normal distribution for single numbers (`NORMAL`). Student's t comes
from the regularised incomplete beta function, as a continued fraction: NIST Digital Library of
Mathematical Functions, https://dlmf.nist.gov/8.17#v.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F8 = NDArray[np.float64]

NORMAL = NormalDist()

_TINY = 1e-300  # stands where a divisor would be 0
_ENOUGH = 1e-16


def normal_tail(z: F8) -> F8:
    """Return P(Z > z) of every value, exact also far out."""
    tails = map(math.erfc, (np.ravel(z) / math.sqrt(2.0)).tolist())
    return 0.5 * np.fromiter(tails, np.float64, np.size(z)).reshape(np.shape(z))


def student_two_sided(t: float, freedom: float) -> float:
    """Return P(|T| > |t|) of Student's t with `freedom` degrees of freedom."""
    if freedom <= 0:
        raise InvalidInput(f"expected more than 0 degrees of freedom, was {freedom!r}")
    whole = freedom + t * t
    return _incomplete_beta(freedom / whole, t * t / whole, freedom / 2.0, 0.5)


def student_quantile(p: float, freedom: float) -> float:
    """Return the t >= 0 whose `student_two_sided` is `p`."""
    if not 0.0 < p <= 1.0:
        raise InvalidInput(f"expected a p-value over 0 and up to 1, was {p!r}")
    low, high = 0.0, 1.0
    while student_two_sided(high, freedom) > p:
        low, high = high, 2.0 * high
    while high - low > 1e-14 * high:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if student_two_sided(middle, freedom) > p:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised I_x(a, b), by the fraction on the side where it converges fast.

    `rest` is 1 - x, given because it may be too small for that difference.
    """
    if x <= 0.0 or rest <= 0.0:
        return float(rest <= 0.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(rest, x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    log_front += a * math.log(x) + b * math.log(rest)
    return math.exp(log_front) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of DLMF 8.17.22, from the front (Lentz's method)."""
    value = upper = 1.0
    lower = 0.0
    for m in range(1, 10_000):
        k, odd = divmod(m, 2)
        if odd:
            term = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
        else:
            term = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
        upper = 1.0 + term / upper or _TINY
        lower = 1.0 / (1.0 + term * lower or _TINY)
        step = upper * lower
        value *= step
        if abs(step - 1.0) < _ENOUGH:
            break
    return value
