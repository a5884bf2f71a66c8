"""The few statistics that the page needs: an interval for a share, a test for uniform p-values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Share(NamedTuple):
    """How many of how many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 of none."""
        return self.hits / self.of if self.of else 0.0

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the exact interval of Clopper and Pearson for the true share.

        Clopper, Pearson (1934), The Use of Confidence or Fiducial Limits Illustrated in the Case
        of the Binomial, https://doi.org/10.1093/biomet/26.4.404. Under its lower end so many hits
        or more, over its upper end so many or fewer, have less than half the rest of probability.
        """
        tail = (1.0 - confidence) / 2.0
        low = _solved(lambda p: at_least(self.hits, self.of, p), tail) if self.hits else 0.0
        rest = self.of - self.hits
        high = 1.0 - _solved(lambda p: at_least(rest, self.of, p), tail) if rest else 1.0
        return low, high


def share(happened: Sequence[bool]) -> Share:
    """Count what happened."""
    return Share(sum(happened), len(happened))


def at_least(hits: int, of: int, p: float) -> float:
    """Return the probability of so many hits or more, each of probability `p`."""
    if p <= 0.0 or p >= 1.0:
        return float(p >= 1.0 or not hits)
    yes, no, every = math.log(p), math.log1p(-p), math.lgamma(of + 1)
    chances = (
        math.exp(every - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * yes + (of - k) * no)
        for k in range(hits, of + 1)
    )
    return min(1.0, math.fsum(chances))


def _solved(rising: Callable[[float], float], value: float) -> float:
    """Return where a function that rises from 0 to 1 on [0, 1] takes a value."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2.0


def uniformity(values: Sequence[float]) -> tuple[float, float]:
    """Return the largest distance D of the values' distribution from the uniform one, and its p.

    The test of Kolmogorov and Smirnov. The p is that of the limit, at (sqrt(n) + 0.12 +
    0.11/sqrt(n)) D: Stephens (1970), https://doi.org/10.1111/j.2517-6161.1970.tb00821.x.
    """
    ordered = np.sort(np.asarray(values))
    size = ordered.size
    steps = np.arange(size + 1) / size
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    scaled = (math.sqrt(size) + 0.12 + 0.11 / math.sqrt(size)) * distance
    terms = ((-1) ** (j - 1) * math.exp(-2.0 * (j * scaled) ** 2) for j in range(1, 101))
    return distance, min(1.0, max(0.0, 2.0 * math.fsum(terms))) if scaled > 0.2 else 1.0
