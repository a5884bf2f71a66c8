"""One island: who lives on it, how they breed, and who of parents and children stays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from research.evolution.bandit import Arm, Outcome, choose
from research.evolution.operators import OPERATORS
from research.evolution.pareto import by_score, elite_first, preference, without_clones
from research.evolution.state import Island, Terms, Trial
from research.generate import generate
from research.luck import luck_of
from research.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from research.evolution.operators import Operator
    from research.luck import Luck

GENERATED, MIGRATED = "generate", "migrate"

BROODS = 4  # in which a generation is born: the later ones have the earlier as parents
TOURNAMENT = 5  # who is drawn, of whom the best becomes a parent
BY_SCORE = 75  # percent of tournaments that the score decides, the rest by Pareto front
MIGRANTS = 0.05  # share of an island's places that its neighbour's best are given
TRIES = 40  # draws for each child before an island goes on with fewer
BEATEN_BY = 1e-6  # points of score: less is rounding


Ranks = tuple["NDArray[np.int64]", "NDArray[np.int64]"]  # of members: by score, by preference


class Child(NamedTuple):
    """A strategy to be scored, how it was made, and the best score among its parents."""

    strategy: Strategy
    operator: str
    parents: tuple[str, ...] = ()
    to_beat: float = math.inf


class Habitat:
    """An island while the search runs; `trials` are those of the whole search, in order."""

    def __init__(self, terms: Terms, number: int, trials: list[Trial], held: Island | None) -> None:
        self.number = number
        self.symbols = terms.islands[number]
        self.name = " ".join(self.symbols)
        self._terms = terms
        self._size = terms.size(number)
        self._trials = trials
        self._island = held or Island((), -math.inf, 0)
        self._seen = {trial.strategy_id for trial in trials if trial.island == self.name}
        self._strategies: dict[int, Strategy] = {}

    @property
    def island(self) -> Island:
        """What is remembered of the island."""
        return self._island

    @property
    def is_done(self) -> bool:
        """Whether the island has waited long enough for something better."""
        return self._terms.patience is not None and self._island.idle >= self._terms.patience

    def founders(self, rng: np.random.Generator) -> list[Child]:
        """Return the first generation."""
        seed = int(rng.integers(2**62))
        drawn = generate(self._size, seed, timeframes=self._terms.timeframes)
        return [Child(strategy, GENERATED) for strategy in drawn]

    def brood_size(self, brood: int) -> int:
        """Return how many children a brood has: in all broods as many as there are places."""
        share, rest = divmod(self._size, BROODS)
        return share + (brood < rest)

    def children(
        self,
        rng: np.random.Generator,
        arms: Sequence[Arm],
        count: int,
        neighbour: Habitat | None,
    ) -> list[Child]:
        """Return so many children: guests from the neighbour first, then the island's own."""
        children = [] if neighbour is None else self._guests(neighbour)[:count]
        born = {child.strategy.id for child in children} | self._seen
        scores = np.array([self._trials[i].score for i in self._island.members])
        objectives = self._objectives(self._island.members)
        ranks = (
            np.argsort(by_score(objectives, scores)),
            np.argsort(preference(objectives, scores)),
        )
        luck = luck_of(int(rng.integers(2**53)))
        for _ in range(TRIES * count):
            if len(children) == count:
                break
            operator = OPERATORS[choose(rng, arms)]
            child = self._child(rng, luck, operator, ranks)
            if child is not None and child.strategy.id not in born:
                born.add(child.strategy.id)
                children.append(child)
        return children

    def sift(self, numbers: Sequence[int], children: Sequence[Child]) -> list[Outcome]:
        """Let the children of these trials compete for the places; return who paid.

        A child pays that is among the elite after that, or beats the best of its parents.
        """
        self._seen |= {child.strategy.id for child in children}
        members = self._fittest([*self._island.members, *numbers], self._size)
        self._island = Island(tuple(members), self._island.best, self._island.idle)
        self._strategies |= {
            number: child.strategy for number, child in zip(numbers, children, strict=True)
        }
        self._strategies = {i: self._strategies[i] for i in members if i in self._strategies}
        elite = set(members[: self._elites(self._size)])
        return [
            (
                child.operator,
                number in elite or self._trials[number].score > child.to_beat + BEATEN_BY,
            )
            for number, child in zip(numbers, children, strict=True)
        ]

    def end_generation(self) -> None:
        """Note whether the best score has risen."""
        members, before, idle = msgspec.structs.astuple(self._island)
        best = max((self._trials[i].score for i in members), default=-math.inf)
        better = best > before + BEATEN_BY
        self._island = Island(members, max(best, before), 0 if better else idle + 1)

    def best_of_all(self, taken: set[str]) -> list[Trial]:
        """Choose for all places among all that was ever scored here, but for those `taken`."""
        numbers = [
            i
            for i, trial in enumerate(self._trials)
            if trial.island == self.name and trial.strategy_id not in taken
        ]
        return [self._trials[i] for i in self._fittest(numbers, self._size)]

    def _fittest(self, numbers: Sequence[int], places: int) -> list[int]:
        if not numbers:
            return []
        trials = [self._trials[i] for i in numbers]
        score = np.array([trial.score for trial in trials])
        objectives = self._objectives(numbers)
        scored = by_score(objectives, score)
        ordered = elite_first(preference(objectives, score), scored, self._elites(places))
        returns = np.stack([trial.daily_returns.mean(axis=0) for trial in trials])
        kept = without_clones(returns, ordered, self._terms.clone_correlation, places)
        return [numbers[row] for row in kept]

    def _elites(self, places: int) -> int:
        return max(1, round(self._terms.elite * places))

    def _objectives(self, numbers: Iterable[int]) -> NDArray[np.float64]:
        return np.array([self._trials[i].objectives for i in numbers])

    def _guests(self, neighbour: Habitat) -> list[Child]:
        """Return the best of another island that were never scored on this one."""
        places = max(1, round(MIGRANTS * self._size))
        by_score = sorted(neighbour.island.members, key=lambda i: -self._trials[i].score)
        earning = [i for i in by_score if self._trials[i].score > 0]
        strangers = [i for i in earning if self._trials[i].strategy_id not in self._seen]
        return [
            Child(neighbour.strategy(i), MIGRATED, (self._trials[i].strategy_id,))
            for i in strangers[:places]
        ]

    def _child(
        self, rng: np.random.Generator, luck: Luck, operator: Operator, ranks: Ranks
    ) -> Child | None:
        chosen = [self._parent(rng, ranks) for _ in range(operator.parents)]
        if len(set(chosen)) < len(chosen):
            return None
        parents = [self.strategy(i) for i in chosen]
        made = operator.make(luck, parents, self._terms.timeframes)
        if made is None:
            return None
        return Child(
            made,
            operator.name,
            tuple(parent.id for parent in parents),
            max((self._trials[i].score for i in chosen), default=math.inf),
        )

    def _parent(self, rng: np.random.Generator, ranks: Ranks) -> int:
        """Draw some members and return the best: by score, or by Pareto front and crowding."""
        drawn = rng.integers(len(self._island.members), size=TOURNAMENT)
        rank = ranks[0] if rng.integers(100) < BY_SCORE else ranks[1]
        return self._island.members[int(drawn[int(np.argmin(rank[drawn]))])]

    def strategy(self, number: int) -> Strategy:
        """Return the strategy of a trial."""
        if number not in self._strategies:
            self._strategies[number] = Strategy.parse(self._trials[number].text)
        return self._strategies[number]
