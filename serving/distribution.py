"""The best scores of null worlds, counted before anything draws them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F8 = NDArray[np.float64]

_WIDTHS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_MOST = 70  # bars, over all that is in view


class Bins(NamedTuple):
    """Two histograms over the same `edges`, which are one more than the counts."""

    edges: F8
    counts: NDArray[np.int64]
    others: NDArray[np.int64]

    @property
    def most(self) -> int:
        """The highest bar's count."""
        return int(max(self.counts.max(), self.others.max()))


def histogram(scores: F8, others: F8, *, show: list[float]) -> Bins:
    """Count finite `scores` and `others` in bars of one round width; `show` is always in view.

    The width follows the spread of `scores`, half of what Freedman and Diaconis (1981),
    https://doi.org/10.1007/BF01025868, advise, however far away the rest of what is shown lies.
    """
    every = np.concatenate([scores, others, np.array(show, dtype=np.float64)])
    if not len(every):
        every = np.zeros(1)
    bottom, top = float(every.min()), float(every.max())
    least = max((top - bottom) / (_MOST - 2), _fitting(scores))
    width = next((width for width in _WIDTHS if width >= 0.75 * least), least)
    edges = np.arange(np.floor(bottom / width), np.floor(top / width) + 2) * width
    # Multiples of a width may fall an ulp short of what they are to hold.
    edges[0], edges[-1] = min(edges[0], bottom), max(edges[-1], np.nextafter(top, np.inf))
    counts, rest = (np.histogram(sample, bins=edges)[0] for sample in (scores, others))
    return Bins(edges, counts.astype(np.int64), rest.astype(np.int64))


def _fitting(scores: F8) -> float:
    if len(scores) < 2:
        return 0.25
    quarter, three = np.quantile(scores, [0.25, 0.75])
    return float((three - quarter) / np.cbrt(len(scores)))
