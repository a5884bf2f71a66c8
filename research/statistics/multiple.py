"""p-values of many tests at once: what each is worth after counting the others.

Every function takes p-values in any order and returns the adjusted ones in the same order: a test
is rejected at a level where its adjusted value is at most that level.

Sources:
    Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure,
    https://www.jstor.org/stable/4615733.
    Benjamini and Hochberg (1995), Controlling the False Discovery Rate,
    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x.
    Benjamini and Yekutieli (2001), The Control of the False Discovery Rate in Multiple Testing
    under Dependency, https://doi.org/10.1214/aos/1013699998.
    Storey (2002), A Direct Approach to False Discovery Rates,
    https://doi.org/10.1111/1467-9868.00346, with the + 1 of Storey, Taylor and Siegmund (2004),
    https://doi.org/10.1111/j.1467-9868.2004.00439.x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F8 = NDArray[np.float64]


def bonferroni(p: ArrayLike) -> F8:
    """Return p-values that hold for all tests together (familywise), the plainest way."""
    given = _checked(p)
    return np.minimum(given * given.size, 1.0)


def holm(p: ArrayLike) -> F8:
    """Return familywise p-values that are never larger than those of `bonferroni`."""
    given = _checked(p)
    order = np.argsort(given, kind="stable")
    left = given.size - np.arange(given.size)  # tests that are still to be rejected
    return _put(np.minimum(np.maximum.accumulate(given[order] * left), 1.0), order)


def benjamini_hochberg(p: ArrayLike) -> F8:
    """Return the false discovery rate at which each test is rejected.

    It holds for independent tests, and for those that depend on each other positively.
    """
    given = _checked(p)
    order = np.argsort(given, kind="stable")
    rates = given[order] * given.size / np.arange(1, given.size + 1)
    return _put(np.minimum(np.minimum.accumulate(rates[::-1])[::-1], 1.0), order)


def benjamini_yekutieli(p: ArrayLike) -> F8:
    """Return the false discovery rate at which each test is rejected, under any dependence."""
    given = _checked(p)
    penalty = (1.0 / np.arange(1, given.size + 1)).sum()
    order = np.argsort(given, kind="stable")
    rates = given[order] * given.size * penalty / np.arange(1, given.size + 1)
    return _put(np.minimum(np.minimum.accumulate(rates[::-1])[::-1], 1.0), order)


def null_share(p: ArrayLike, cut: float = 0.5) -> float:
    """Return Storey's estimate of the share of tests in which there is nothing to find."""
    given = _checked(p)
    if not 0.0 < cut < 1.0:
        raise InvalidInput(f"expected a cut between 0 and 1, was {cut!r}")
    return min(1.0, (1.0 + float((given > cut).sum())) / (given.size * (1.0 - cut)))


def storey(p: ArrayLike, cut: float = 0.5) -> F8:
    """Return q-values: the rates of `benjamini_hochberg` times `null_share`."""
    return null_share(p, cut) * benjamini_hochberg(p)


def _put(adjusted: F8, order: NDArray[np.intp]) -> F8:
    back = np.empty_like(adjusted)
    back[order] = adjusted
    return back


def _checked(p: ArrayLike) -> F8:
    given = np.asarray(p, np.float64)
    if given.ndim != 1 or not given.size or not ((given >= 0) & (given <= 1)).all():
        raise InvalidInput("expected a list of p-values from 0 to 1, was something else")
    return given
