"""Which closes jump away from their level, and which jumps later closes confirm.

The level of a close is the mean of the five closes accepted before it (fewer near the start).
A close over 20 % away from its level is held back. It starts a run; each close after it that is
away from the level too, and within 20 % of the run's mean, lengthens the run; any other ends it.
A run that five later closes have lengthened is confirmed: all of it is accepted, and its last
five closes become the level.

The first close of a series has no level and is accepted. Until five are accepted the level is
unproven: a run confirmed against it shows that the few closes before were the outliers, and
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
        self.run_total = 0.0
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
        level = _mean(self.last) if self.last else None
        self.level[here] = np.nan if level is None else level
        if self._continues_level(here, close, level):
            self._end_run()
            self._accept(here, close)
            return
        if not (self.run and abs(close - self._run_mean()) <= JUMP * self._run_mean()):
            self._end_run()
        self.run.append(here)
        self.run_total += close
        if self.fixed[here]:
            self._accept(here, close)
        else:
            self.held[here] = True
            self.streak = 0
        if len(self.run) > CONFIRMATIONS:
            self._release()

    def _continues_level(self, here: int, close: float, level: float | None) -> bool:
        if level is not None:
            return abs(close - level) <= JUMP * level
        # Nothing is accepted yet: only closes that wait already can be before this one.
        joins = bool(self.run) and abs(close - self._run_mean()) <= JUMP * self._run_mean()
        return not (self.waiting[here] or joins)

    def _run_mean(self) -> float:
        return self.run_total / len(self.run)

    def _end_run(self) -> None:
        self.run = []
        self.run_total = 0.0

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
        self.held[self.run] = False
        if self.unproven:
            self.held[self.unproven] = True
        self.unproven = None
        self.last = self.closes[self.run[-MEMORY:]].tolist()
        self.streak = MEMORY
        self._end_run()
