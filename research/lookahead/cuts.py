"""Where histories are cut, and where later ones start: drawn from a seed, spread over all bars."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.market import INTERVALS

if TYPE_CHECKING:
    from research.bars import I8

# Timeframes at whose boundaries histories are cut: what closes a bar of 4 hours closes all others.
_BOUNDARIES = ("5m", "15m", "1h", "4h")

# Shares of the history that later starts leave out.
_STARTS = ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5))


def draw_cuts(time: I8, count: int, rng: np.random.Generator) -> list[int]:
    """Return up to `count` bars, ascending: a history that is cut there ends before the bar.

    One of each equal stretch. Of four, one is left where it was drawn; one moves to the first bar
    of a coarser one, so that the bar before it has just closed, one to the bar before that, one to
    the bar behind.
    """
    edges = np.linspace(1, time.size, count + 1)
    steps = [INTERVALS[name].total_seconds() * 1e6 for name in _BOUNDARIES]
    found = set()
    for place, (low, high) in enumerate(pairwise(edges)):
        cut = int(rng.integers(int(low), max(int(high), int(low) + 1)))
        step = int(steps[int(rng.integers(len(steps)))])
        if place % 4:
            boundary = -(-int(time[min(cut, time.size - 1)]) // step) * step
            cut = int(np.searchsorted(time, boundary)) + (0, 0, -1, 1)[place % 4]
        if 0 < cut < time.size:
            found.add(cut)
    return sorted(found)


def draw_starts(bars: int, rng: np.random.Generator) -> list[int]:
    """Return how many bars later histories leave out at the start, ascending."""
    drawn = (int(bars * rng.uniform(low, high)) for low, high in _STARTS)
    return sorted({start for start in drawn if 0 < start < bars})
