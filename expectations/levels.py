"""Which closes jump away from their level, and which jumps later closes confirm.

The level of a close is the mean of the five closes accepted before it (fewer near the start).
A close over 20 % away from its level is held back, and starts a run. Each close after it that is
within 20 % of the run's closes lengthens the run, any other ends it. A run that five later closes
have lengthened is confirmed, and what was held back in it is accepted. A close near its level is
accepted whether or not it lengthens a run.

The first close of a series has no level and is accepted. Until five are accepted the level is
unproven: a run confirmed far from it shows that the few closes before were the outliers, and
they are held back in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MEMORY = 5  # accepted closes whose mean is the level
CONFIRMATIONS = 5  # later closes that confirm a run
JUMP = 0.2 + 1e-12  # a move of exactly 20 % is no jump, however it was rounded


class Levels(NamedTuple):
    """What each close was compared with (NaN where there was nothing), and who waits."""

    level: NDArray[np.float64]
    held: NDArray[np.bool_]


def judge_levels(
    closes: NDArray[np.float64], fixed: NDArray[np.bool_], waiting: NDArray[np.bool_]
) -> Levels:
    """Judge one series of finite positive closes in time order.

    `fixed` closes were accepted earlier and stay so, wherever they lie; `waiting` ones were held
    back earlier, and are never taken for the first level of a series.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        level = _assumed_levels(closes)
        suspects = np.flatnonzero(~_near(closes, level))
    walk = _Walk(closes, fixed, waiting, level)
    here = 0
    while here < closes.size:
        if walk.in_step:
            ahead = int(np.searchsorted(suspects, here))
            if ahead == suspects.size:
                break
            here = int(suspects[ahead])
            walk.resume(here)
        walk.step(here)
        here += 1
    return Levels(walk.level, walk.held)


def _near(close: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(close - level) <= JUMP * level


def _assumed_levels(closes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each close's level if all closes before it are accepted; NaN for the first five."""
    level = np.full(closes.size, np.nan)
    rest = closes.size - MEMORY
    if rest > 0:
        total = np.zeros(rest)
        for offset in range(MEMORY):  # in the order in which `_mean` adds: the same rounding
            total += closes[offset : offset + rest]
        level[MEMORY:] = total / MEMORY
    return level


def _mean(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


class _Walk:
    """One close after another: only needed where a series is not smooth."""

    def __init__(
        self,
        closes: NDArray[np.float64],
        fixed: NDArray[np.bool_],
        waiting: NDArray[np.bool_],
        level: NDArray[np.float64],
    ) -> None:
        self.closes, self.fixed, self.waiting, self.level = closes, fixed, waiting, level
        self.held = np.zeros(closes.size, dtype=np.bool_)
        self.last: list[float] = []  # closes of the level, the oldest first
        self.run: list[int] = []
        self.away: list[float] = []  # closes of the run that are away from their level
        self.unproven: list[int] | None = []  # accepted so far; None once the level is proven
        self.streak = 0  # closes accepted up to here without a break

    @property
    def in_step(self) -> bool:
        """Whether the level is that of the five closes just before, and no run is open."""
        return self.streak >= MEMORY and not self.run

    def resume(self, here: int) -> None:
        """Go on at `here`, all closes since the last step being accepted."""
        self.last = self.closes[here - MEMORY : here].tolist()
        self.unproven = None

    def step(self, here: int) -> None:
        close = float(self.closes[here])
        stays = self._stays(here, close)
        if self._confirms(close):
            self.run.append(here)
        else:
            self.run, self.away = ([], []) if stays else ([here], [])
        if not stays:
            self.away.append(close)
        if stays or self.fixed[here]:
            self._accept(here, close)
        else:
            self.held[here] = True
            self.streak = 0
        if len(self.run) > CONFIRMATIONS:
            self._release()

    def _stays(self, here: int, close: float) -> bool:
        """Whether a close is near its level; one that waits already is no level by itself."""
        if not self.last:
            return not self.waiting[here]
        level = self.level[here] = _mean(self.last)
        return abs(close - level) <= JUMP * level

    def _confirms(self, close: float) -> bool:
        """Whether a close belongs to the open run.

        The smaller of the two prices is the measure, so that a close at the old level is never
        near a run that jumped away from it.
        """
        if not self.run:
            return False
        mean = _mean(self.away)
        return abs(close - mean) <= JUMP * min(close, mean)

    def _accept(self, here: int, close: float) -> None:
        self.last = [*self.last[1 - MEMORY :], close]
        self.streak += 1
        if self.fixed[here]:
            self.unproven = None
        elif self.unproven is not None:
            self.unproven.append(here)
            if len(self.unproven) == MEMORY:
                self.unproven = None

    def _release(self) -> None:
        """Accept the whole run; an unproven level that all of it is away from gives way."""
        if self.unproven and len(self.away) == len(self.run):
            self.held[self.unproven] = True
        self.held[self.run] = False
        self.unproven = None
        self.last = self.closes[self.run[-MEMORY:]].tolist()
        self.streak = MEMORY
        self.run, self.away = [], []
