"""Strategies put together to be run at once: those of one timeframe, as many as fit a batch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from research.engine.bits import NO_ROW, U8
from research.engine.run import Batch
from research.engine.walk import RULES
from research.reference import ABSENT, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from research.signals import Workspace
    from research.strategy import Side, Strategy

SIZE = 128  # strategies in a batch: the bits of their rules stay within a few megabytes

_MICRO = timedelta(microseconds=1)


class Work(NamedTuple):
    """A batch, and where its strategies stand among all that were given."""

    where: NDArray[np.int64]
    batch: Batch


def batches(workspace: Workspace, strategies: Iterable[Strategy]) -> Iterator[Work]:
    """Yield all strategies in batches; what they have in common is computed once.

    The strategies are read as they are needed: no more than a batch per timeframe waits.
    """
    waiting: dict[str, _Filling] = {}
    for place, strategy in enumerate(strategies):
        filling = waiting.setdefault(strategy.timeframe, _Filling())
        filling.add(place, strategy, workspace)
        if len(filling.where) == SIZE:
            yield waiting.pop(strategy.timeframe).work(workspace, strategy.timeframe)
    for timeframe, filling in waiting.items():
        yield filling.work(workspace, timeframe)


class _Filling:
    """A batch that is being put together."""

    def __init__(self) -> None:
        self.where: list[int] = []
        self._rules: list[tuple[Any, ...]] = []
        self._rows: list[U8] = []
        self._free = 0  # words that the rows take so far

    def add(self, place: int, strategy: Strategy, workspace: Workspace) -> None:
        self.where.append(place)
        timeout = strategy.timeout
        self._rules.append(
            (
                *self._side(strategy.timeframe, strategy.long, workspace),
                *self._side(strategy.timeframe, strategy.short, workspace),
                *map(_level, (strategy.stop, strategy.target, strategy.trail)),
                NEVER if timeout is None else timeout // _MICRO,
                NEVER,
            )
        )

    def work(self, workspace: Workspace, timeframe: str) -> Work:
        bank = np.concatenate([np.zeros(1, np.uint64), *self._rows])
        rules = np.array(self._rules, RULES)
        batch = Batch(bank, bank, workspace.grid(timeframe), rules)
        return Work(np.array(self.where, np.int64), batch)

    def _side(self, timeframe: str, side: Side | None, workspace: Workspace) -> tuple[int, int]:
        if side is None:
            return NO_ROW, NO_ROW
        entry = self._row(workspace.bits(timeframe, side.entry))
        if side.exit is None:
            return entry, NO_ROW
        return entry, self._row(workspace.bits(timeframe, side.exit))

    def _row(self, words: U8) -> int:
        row = self._free + 1  # the word before all rows is nobody's: a bank is never empty
        self._rows.append(words)
        self._free += words.size
        return row


def _level(share: float | None) -> float:
    return ABSENT if share is None else share
