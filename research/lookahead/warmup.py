"""Warm-up proven: signals do not depend on where the history starts, beyond what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from research.lookahead.finding import WARM_UP
from research.lookahead.histories import later_differs
from research.lookahead.prefix import flags_of, since
from research.signals import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.expressions import Condition
    from research.lookahead.finding import Finding
    from research.lookahead.histories import Histories
    from research.strategy import Strategy

MEMORY = 16 * 2**20  # bytes kept of numbers, and of bits, for each later start


class Warmups:
    """Rules on one market, and on the same market with its first bars left out."""

    def __init__(self, histories: Histories, starts: Sequence[int]) -> None:
        self._histories = histories
        market = histories.market
        self._later = [
            _Later(
                start,
                Workspace(since(market.bars, start), market.step, memory=MEMORY),
            )
            for start in starts
        ]
        self._frames: dict[str, Finding | None] = {}
        self._last: dict[tuple[str, Condition], list[int]] = {}

    def check(self, strategy: Strategy) -> Finding | None:
        """Say where a signal after the declared warm-up shows where the history starts."""
        timeframe = strategy.timeframe
        if (found := self._frame(timeframe)) is not None:
            return found
        for rule in strategy.rules():
            for later, last in zip(self._later, self._differences(timeframe, rule), strict=True):
                if last >= strategy.warmup:
                    return self._finding(timeframe, rule, later, strategy.warmup)
        return None

    def _frame(self, timeframe: str) -> Finding | None:
        if timeframe not in self._frames:
            found = (
                later_differs(self._histories, timeframe, start, workspace.bars(timeframe))
                for start, workspace in self._later
            )
            self._frames[timeframe] = next((each for each in found if each is not None), None)
        return self._frames[timeframe]

    def _differences(self, timeframe: str, rule: Condition) -> list[int]:
        """Return for each later start the last bar in which a rule differs, -1 for none."""
        key = (timeframe, rule)
        if key not in self._last:
            unequal = [self._unequal(timeframe, rule, later) for later in self._later]
            self._last[key] = [int(at[-1]) if at.size else -1 for at in unequal]
        return self._last[key]

    def _unequal(
        self, timeframe: str, rule: Condition, later: _Later
    ) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Return the bars, counted from the later start, in which a rule differs."""
        whole = self._histories.market.workspace.bits(timeframe, rule)
        size = self._histories.bars(timeframe).time.size
        count = later.workspace.bars(timeframe).time.size
        mine = flags_of(whole, size)[size - count :]
        its = flags_of(later.workspace.bits(timeframe, rule), count)
        return np.flatnonzero(mine != its)

    def _finding(self, timeframe: str, rule: Condition, later: _Later, warmup: int) -> Finding:
        unequal = self._unequal(timeframe, rule, later)
        first = int(unequal[unequal >= warmup][0])
        left_out = (
            self._histories.bars(timeframe).time.size - later.workspace.bars(timeframe).time.size
        )
        bits = flags_of(later.workspace.bits(timeframe, rule), first + 1)
        its = bool(bits[first])
        shown = ("true", "false") if not its else ("false", "true")
        return self._histories.finding(
            WARM_UP, later.start, timeframe, f"{rule} on {timeframe}", left_out + first, *shown
        )


class _Later(NamedTuple):
    """A history that starts later."""

    start: int
    workspace: Workspace
