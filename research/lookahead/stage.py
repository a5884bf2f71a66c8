"""A market and what is decided on it, known less and less: the cut moves back in time.

Behind the cut there is nothing true: prices are NaN, what a block of bars may touch is
everything, and each decision is the opposite of what it was. An engine that looks there shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from research.engine.bits import NO_ROW, Grid
from research.engine.levels import CLOSE, FAR, HIGH, LOW, NEAR
from research.engine.run import Batch, Ground

if TYPE_CHECKING:
    from research.engine.bits import U8

F8 = NDArray[np.float64]

RULES = ("long_entry", "long_exit", "short_entry", "short_exit")

_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_ANYTHING = (np.inf, -np.inf, np.inf, -np.inf)  # HIGHEST, LOWEST, TOP, BOTTOM


class Prices:
    """A market before a cut."""

    def __init__(self, whole: Ground) -> None:
        self._whole = whole
        self._prices = whole.prices.copy()
        self._blocks = ((whole.near.copy(), NEAR), (whole.far.copy(), FAR))
        self._known = whole.time.size

    def reset(self) -> None:
        """Bring everything back."""
        self._prices[self._known :] = self._whole.prices[self._known :]
        for (blocks, size), whole in zip(
            self._blocks, (self._whole.near, self._whole.far), strict=True
        ):
            blocks[self._known >> size :] = whole[self._known >> size :]
        self._known = self._whole.time.size

    def before(self, cut: int, end: int) -> Ground:
        """Return the market that ends with bar `end - 1`, of which bars before `cut` are known.

        `cut` is no later than the one before. What is returned holds until the next call.
        """
        self._prices[cut : self._known] = np.nan
        near, far = (
            self._extremes(blocks, size, cut, poisoned=end > cut) for blocks, size in self._blocks
        )
        self._known = cut
        return Ground(
            self._whole.time[:end],
            self._prices[:end],
            near[: ((end - 1) >> NEAR) + 1],
            far[: ((end - 1) >> FAR) + 1],
            np.minimum(self._whole.ends, end - 1),
        )

    def _extremes(self, blocks: F8, size: int, cut: int, *, poisoned: bool) -> F8:
        """Let the blocks behind a cut be anything; the one it parts is of its known bars."""
        first = cut >> size
        blocks[first : (self._known >> size) + 1] = _ANYTHING
        known = self._prices[first << size : cut]
        if known.size and not poisoned:
            blocks[first] = (
                known[:, HIGH].max(),
                known[:, LOW].min(),
                known[:, CLOSE].max(),
                known[:, CLOSE].min(),
            )
        return blocks


class Decisions:
    """A batch before a cut."""

    def __init__(self, batch: Batch) -> None:
        self._bank = batch.entries.copy()
        self._grid = batch.grid
        self._rules = batch.rules
        self._known = batch.grid.size
        starts = np.concatenate([batch.rules[name] for name in RULES])
        self._starts = np.unique(starts[starts != NO_ROW])[:, None]

    def before(self, known: int, end: int, bars: int, row: int | None) -> Batch:
        """Return the batch on `bars` bars with `end` flags, of which the first `known` are true.

        `known` is no more than the one before. `row` is the strategy, None for all. What is
        returned holds until the next call.
        """
        if known < self._known:
            self._turn(known)
        rules = self._rules if row is None else self._rules[row : row + 1]
        grid = Grid(end, self._grid.bars[:end], self._grid.first[:bars])
        return Batch(self._bank, self._bank, grid, rules)

    def _turn(self, known: int) -> None:
        """Turn the flags from `known` on to their opposite, as those behind them were before."""
        first, last = known >> 6, (self._known - 1) >> 6
        turned: U8 = np.full(last - first + 1, _ALL)
        turned[0] &= _ALL << np.uint64(known & 63)
        if self._known & 63:
            turned[-1] &= ~(_ALL << np.uint64(self._known & 63))
        self._bank[self._starts + np.arange(first, last + 1)] ^= turned
        self._known = known
