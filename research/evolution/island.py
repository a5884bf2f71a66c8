"""One island: who lives on it, how they breed, and who of parents and children stays."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from research.draws import luck_of
from research.evolution.bandit import Arm, Outcome, choose
from research.evolution.operators import OPERATORS
from research.evolution.pareto import by_score, elite_first, preference, without_clones
from research.evolution.record import F8, I8, Record
from research.evolution.state import Island, Terms, Trial
from research.generate import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from research.draws import Luck
    from research.evolution.operators import Operator
    from research.strategy import Strategy

GENERATED, MIGRATED = "generate", "migrate"

BROODS = 4  # in which a generation is born: the later ones have the earlier as parents
TOURNAMENT = 5  # who is drawn, of whom the best becomes a parent
BY_SCORE = 75  # percent of tournaments that the score decides, the rest by Pareto front
MIGRANTS = 0.05  # share of an island's places that its neighbour's best are given
TRIES = 40  # draws for each child before an island goes on with fewer
BEATEN_BY = 1e-6  # points of score: less is rounding


class Child(NamedTuple):
    """A strategy to be scored, how it was made, and the best score among its parents."""

    strategy: Strategy
    operator: str
    parents: tuple[str, ...] = ()
    to_beat: float = math.inf


class Habitat:
    """An island while the search runs; `trials` are those of the whole search so far."""

    def __init__(
        self, terms: Terms, number: int, trials: Sequence[Trial], held: Island | None
    ) -> None:
        self.number = number
        self.symbols = terms.islands[number]
        self.name = terms.name(number)
        self._terms = terms
        self._size = terms.size(number)
        self._record = Record()
        mine = [i for i, trial in enumerate(trials) if trial.island == self.name]
        self._record.add(mine, [trials[i] for i in mine])
        held = held or Island((), -math.inf, 0)
        self._members = self._record.rows(held.members)  # the best first
        self._best, self._idle = held.best, held.idle

    @property
    def island(self) -> Island:
        """What is remembered of the island."""
        return Island(self._record.numbers(self._members), self._best, self._idle)

    @property
    def is_done(self) -> bool:
        """Whether the island has waited long enough for something better."""
        return self._terms.patience is not None and self._idle >= self._terms.patience

    def founders(self, key: Sequence[int]) -> list[Child]:
        """Return the first generation; all that is random comes from the key."""
        seed = luck_of(*key).below(2**53)
        drawn = generate(self._size, seed, timeframes=self._terms.timeframes)
        return [Child(strategy, GENERATED) for strategy in drawn]

    def brood_size(self, brood: int) -> int:
        """Return how many children a brood has: in all broods as many as there are places."""
        share, rest = divmod(self._size, BROODS)
        return share + (brood < rest)

    def children(
        self, key: Sequence[int], arms: Sequence[Arm], count: int, neighbour: Habitat | None
    ) -> list[Child]:
        """Return so many children: guests from the neighbour first, then the island's own."""
        children = [] if neighbour is None else self._guests(neighbour)[:count]
        born = {child.strategy.id for child in children}
        known, luck = self._record.ids, luck_of(*key)
        for operator, chosen in self._matches(np.random.default_rng(key), arms, count):
            if len(children) == count:
                break
            child = self._child(luck, operator, chosen)
            if child is None or child.strategy.id in born or child.strategy.id in known:
                continue
            born.add(child.strategy.id)
            children.append(child)
        return children

    def sift(
        self, numbers: Sequence[int], trials: Sequence[Trial], children: Sequence[Child]
    ) -> list[Outcome]:
        """Let the children, whose trials these are, compete for the places; return who paid.

        A child pays that is among the elite after that, or beats the best of its parents.
        """
        new = self._record.add(numbers, trials, [child.strategy for child in children])
        self._members = self._fittest(np.concatenate([self._members, new]))
        elite = set(self._members[: self._elites].tolist())
        return [
            (child.operator, row in elite or trial.score > child.to_beat + BEATEN_BY)
            for row, trial, child in zip(new.tolist(), trials, children, strict=True)
        ]

    def end_generation(self) -> None:
        """Note whether the best score has risen."""
        best = float(self._record.score[self._members].max(initial=-math.inf))
        self._idle = 0 if best > self._best + BEATEN_BY else self._idle + 1
        self._best = max(self._best, best)

    def best_of_all(self, taken: set[str]) -> list[tuple[Trial, Strategy]]:
        """Choose for all places among all that was ever scored here, but for those `taken`."""
        record = self._record
        free = [i for i, trial in enumerate(record.trials) if trial.strategy_id not in taken]
        chosen = self._fittest(np.array(free, dtype=np.int64)).tolist()
        return [(record.trials[row], record.strategy(row)) for row in chosen]

    def leaders(self) -> Iterator[tuple[Trial, Strategy]]:
        """Yield the members that earn, the highest score first."""
        record = self._record
        for row in self._ordered(by_score).tolist():
            if record.score[row] <= 0:
                break
            yield record.trials[row], record.strategy(row)

    @property
    def _elites(self) -> int:
        return max(1, round(self._terms.elite * self._size))

    def _ordered(self, order: Callable[[F8, F8], I8]) -> I8:
        """Return the members in an order that objectives and scores decide."""
        record, members = self._record, self._members
        return members[order(record.objectives[members], record.score[members])]

    def _fittest(self, rows: I8) -> I8:
        """Give the places to some of these rows; return them, the best first."""
        score, objectives = self._record.score[rows], self._record.objectives[rows]
        order = elite_first(
            preference(objectives, score), by_score(objectives, score), self._elites
        )
        ways, bound = self._record.ways[rows], self._terms.clone_correlation
        return rows[without_clones(ways, order, bound, self._size)]

    def _guests(self, neighbour: Habitat) -> list[Child]:
        """Return the best of another island that were never scored on this one."""
        strangers = (
            Child(strategy, MIGRATED, (trial.strategy_id,))
            for trial, strategy in neighbour.leaders()
            if trial.strategy_id not in self._record.ids
        )
        return list(islice(strangers, max(1, round(MIGRANTS * self._size))))

    def _matches(
        self, rng: np.random.Generator, arms: Sequence[Arm], count: int
    ) -> Iterator[tuple[Operator, list[int]]]:
        """Yield operators and, for each, two members that may become parents; at last no more.

        A parent is the best of some drawn members: by score, or by Pareto front and crowding.
        """
        scored, preferred = self._ordered(by_score), self._ordered(preference)
        size = count + count // 4 + 1  # some bring nothing
        for _ in range(TRIES):
            drawn = rng.integers(scored.size, size=(size, 2, TOURNAMENT)).min(axis=2)
            by_front = rng.integers(100, size=drawn.shape) >= BY_SCORE
            chosen = np.where(by_front, preferred[drawn], scored[drawn]).tolist()
            for name, parents in zip(choose(rng, arms, size), chosen, strict=True):
                yield OPERATORS[name], parents

    def _child(self, luck: Luck, operator: Operator, chosen: Sequence[int]) -> Child | None:
        rows = chosen[: operator.parents]
        if len(set(rows)) < len(rows):
            return None
        parents = [self._record.strategy(row) for row in rows]
        made = operator.make(luck, parents, self._terms.timeframes)
        if made is None:
            return None
        to_beat = max((self._record.trials[row].score for row in rows), default=math.inf)
        return Child(made, operator.name, tuple([parent.id for parent in parents]), to_beat)
