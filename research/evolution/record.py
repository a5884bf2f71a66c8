"""What an island remembers of its trials, in rows that are ready to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from research.evolution.pareto import directions
from research.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.evolution.state import Trial

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


class Record:
    """The trials of one island, in the order in which they were made.

    `score`, `objectives` and `ways` have a row for each; `ids` are those of all strategies tried.
    """

    def __init__(self) -> None:
        self.trials: list[Trial] = []
        self.ids: set[str] = set()
        self.score: F8 = np.empty(0)
        self.objectives: F8 = np.empty((0, 4))
        self.ways: F8 = np.empty((0, 0))
        self._numbers: list[int] = []
        self._rows: dict[int, int] = {}
        self._strategies: dict[int, Strategy] = {}

    def add(
        self, numbers: Sequence[int], trials: Sequence[Trial], strategies: Sequence[Strategy] = ()
    ) -> I8:
        """Write down trials by their numbers among all of the search; return their rows.

        Strategies that are not given are read from their texts when they are asked for.
        """
        rows = np.arange(len(self.trials), len(self.trials) + len(trials))
        if not trials:
            return rows
        self.ids.update(trial.strategy_id for trial in trials)
        self._rows.update(zip(numbers, rows.tolist(), strict=True))
        self._numbers += numbers
        self.trials += trials
        self._strategies.update(zip(rows.tolist(), strategies, strict=False))
        returns = np.frombuffer(b"".join([trial.detrended for trial in trials]))
        self.score = _grown(self.score, np.array([trial.score for trial in trials]))
        self.objectives = _grown(self.objectives, np.array([t.objectives for t in trials]))
        self.ways = _grown(self.ways, directions(returns.reshape(len(trials), -1)))
        return rows

    def strategy(self, row: int) -> Strategy:
        """Return the strategy of a row."""
        if row not in self._strategies:
            self._strategies[row] = Strategy.parse(self.trials[row].text)
        return self._strategies[row]

    def numbers(self, rows: I8) -> tuple[int, ...]:
        """Return the numbers of some rows among all trials of the search."""
        return tuple(self._numbers[row] for row in rows.tolist())

    def rows(self, numbers: Sequence[int]) -> I8:
        """Return the rows of trials by their numbers."""
        return np.array([self._rows[number] for number in numbers], dtype=np.int64)


def _grown(rows: F8, more: F8) -> F8:
    return np.concatenate([rows, more]) if len(rows) else more
