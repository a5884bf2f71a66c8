"""Warm-up proven: signals do not depend on where the history starts, beyond what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from research.expressions import Comparison, Cross, warmup
from research.lookahead.conditions import parts
from research.lookahead.finding import WARM_UP
from research.lookahead.histories import later_differs
from research.lookahead.prefix import flags_of, since
from research.signals import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.expressions import Condition, Numeric
    from research.lookahead.finding import Finding
    from research.lookahead.histories import Histories
    from research.strategy import Strategy

At = NDArray[np.intp]

MEMORY = 4 * 2**20  # bytes kept of numbers, and of bits, for each later start

# Two numbers that are alike to so much of their usual size are the same number: a moving sum, to
# which the new bar is added and from which the old one is taken, is off in its last digits by
# where it began. Where prices have few digits, such sums meet them exactly, and often.
SAME = 1e-9


class Warmups:
    """Rules on one market, and on the same market with its first bars left out."""

    def __init__(self, histories: Histories, starts: Sequence[int]) -> None:
        self._histories = histories
        market = histories.market
        self._later = [
            _Later(start, Workspace(since(market.bars, start), market.step, memory=MEMORY))
            for start in starts
        ]
        self._frames: dict[str, Finding | None] = {}
        self._unequal: dict[tuple[str, Condition], list[At]] = {}

    def check(self, strategy: Strategy) -> Finding | None:
        """Say where a signal after the declared warm-up shows where the history starts."""
        timeframe = strategy.timeframe
        if (found := self._frame(timeframe)) is not None:
            return found
        for rule in strategy.rules():
            for later, unequal in zip(self._later, self._differences(timeframe, rule), strict=True):
                late = unequal[unequal >= strategy.warmup]
                if late.size:
                    return self._finding(timeframe, rule, later, int(late[0]))
        return None

    def _frame(self, timeframe: str) -> Finding | None:
        if timeframe not in self._frames:
            found = (
                later_differs(self._histories, timeframe, start, workspace.bars(timeframe))
                for start, workspace in self._later
            )
            self._frames[timeframe] = next((each for each in found if each is not None), None)
        return self._frames[timeframe]

    def _differences(self, timeframe: str, rule: Condition) -> list[At]:
        """Return for each later start the bars, counted from there, in which a rule differs."""
        key = (timeframe, rule)
        if key not in self._unequal:
            self._unequal[key] = [self._differing(timeframe, rule, each) for each in self._later]
        return self._unequal[key]

    def _differing(self, timeframe: str, rule: Condition, later: _Later) -> At:
        """Return the bars after a rule's own warm-up in which it differs, and not for rounding."""
        unequal = self._flips(timeframe, rule, later)
        unequal = unequal[unequal >= warmup(rule)]
        moved = np.zeros(unequal.size, np.bool_)
        for leaf in parts(rule):
            if unequal.size and isinstance(leaf, Comparison | Cross):
                flipped = np.isin(unequal, self._flips(timeframe, leaf, later))
                moved |= flipped & self._moved(timeframe, leaf, later, unequal)
        return unequal[moved]

    def _flips(self, timeframe: str, rule: Condition, later: _Later) -> At:
        count = later.workspace.bars(timeframe).time.size
        left_out = self._left_out(timeframe, later)
        whole = self._histories.market.workspace.bits(timeframe, rule)
        mine = flags_of(whole, left_out + count)[left_out:]
        its = flags_of(later.workspace.bits(timeframe, rule), count)
        return np.flatnonzero(mine != its)

    def _moved(
        self, timeframe: str, leaf: Comparison | Cross, later: _Later, at: At
    ) -> NDArray[np.bool_]:
        """Say in which bars what a leaf compares differs by more than rounding."""
        moved = np.zeros(at.size, np.bool_)
        for numeric in (leaf.left, leaf.right):
            moved |= self._differs(timeframe, numeric, later, at)
            if isinstance(leaf, Cross):  # the bar before decides as well
                moved |= self._differs(timeframe, numeric, later, at - 1)
        return moved

    def _differs(
        self, timeframe: str, numeric: Numeric, later: _Later, at: At
    ) -> NDArray[np.bool_]:
        left_out = self._left_out(timeframe, later)
        whole = self._histories.market.workspace.values(timeframe, numeric)[left_out:]
        other = later.workspace.values(timeframe, numeric)
        usual = float(np.mean(np.abs(whole[np.isfinite(whole)])))
        return ~(np.abs(whole[at] - other[at]) <= SAME * usual)

    def _left_out(self, timeframe: str, later: _Later) -> int:
        bars = self._histories.bars(timeframe).time.size
        return bars - later.workspace.bars(timeframe).time.size

    def _finding(self, timeframe: str, rule: Condition, later: _Later, first: int) -> Finding:
        its = flags_of(later.workspace.bits(timeframe, rule), first + 1)[first]
        shown = ("false", "true") if its else ("true", "false")
        at = self._left_out(timeframe, later) + first
        what = f"{rule} on {timeframe}"
        return self._histories.finding(WARM_UP, later.start, timeframe, what, at, *shown)


class _Later(NamedTuple):
    """A history that starts later."""

    start: int
    workspace: Workspace
