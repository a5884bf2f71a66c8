"""The distribution of a night's Sharpe ratios, counted before anything draws it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.words import apart, decimal, plural

F8 = NDArray[np.float64]

_WIDTHS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class Bins(NamedTuple):
    """A histogram: `edges` are one more than `counts`; `below` were put into the first bar."""

    edges: F8
    counts: NDArray[np.int64]
    below: int

    @property
    def most(self) -> int:
        """The highest bar's count."""
        return int(self.counts.max())


def histogram(scores: F8, *, show: float, most: int = 56) -> Bins:
    """Count finite `scores` in at most `most` bars of a round width; `show` is always in view.

    The far left is folded into the first bar: how badly the worst trials lost is no news, and
    would flatten the side that matters.
    """
    values = scores if len(scores) else np.zeros(1)
    top = max(float(values.max()), show)
    reach = max(1.0, 1.5 * (top - float(np.median(values))))
    bottom = min(show, max(float(values.min()), float(np.median(values)) - reach))
    width = next(
        (width for width in _WIDTHS if (top - bottom) / width <= most - 2),
        (top - bottom) / (most - 2),
    )
    edges = np.arange(np.floor(bottom / width), np.floor(top / width) + 2) * width
    counts, _ = np.histogram(np.maximum(scores, edges[0]), bins=edges)
    return Bins(edges, counts.astype(np.int64), int((scores < edges[0]).sum()))


def describe(scores: F8, hurdle: float, promoted: int) -> str:
    """Say what the chart of the distribution shows, also for those who cannot see it."""
    if not len(scores):
        return "No trial traded, so there is no distribution to draw."
    best, line = apart(float(scores.max()), hurdle)
    won = f"{plural(promoted, 'trial')} {'was' if promoted == 1 else 'were'} promoted"
    if len(scores) == 1:
        return f"The one trial that traded has Sharpe {best}; the luck hurdle is {line}; {won}."
    return (
        f"The Sharpe ratios of {plural(len(scores), 'trial')} go from "
        f"{decimal(float(scores.min()), 1)} to {best}, half of them below "
        f"{decimal(float(np.median(scores)), 1)}; the luck hurdle is {line}; "
        f"{won if promoted else 'none was promoted'}."
    )
