"""The night's search: a population of strategies that breeds, on islands of symbols.

Every island holds a part of the population and judges it on its own symbols. Each generation,
operators that a bandit chooses make as many children as there are places; parents and children
compete by Pareto fronts of score, drawdown, turnover and complexity, the best scores always stay,
and nobody stays who behaves like somebody better. docs/evolution.md tells it at length.

Every random number comes from (seed, generation, island), so a search has no other state than
what `State` holds: it goes on from any generation as if it had never stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput
from research.evolution import island
from research.evolution.anatomy import complexity
from research.evolution.bandit import Arm, Outcome, learned
from research.evolution.island import Child, Habitat
from research.evolution.operators import OPERATORS, TIMEFRAMES
from research.evolution.scores import Batch, Evaluator, Scores, pooled
from research.evolution.state import Evolution, State, Terms, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from research.strategy import Strategy

__all__ = ["Batch", "Evaluator", "Evolution", "Scores", "State", "Trial", "evolve"]


def evolve(
    evaluate: Evaluator,
    *,
    seed: int,
    population: int,
    generations: int,
    islands: Sequence[Sequence[str]],
    elite: float = 0.3,
    clone_correlation: float = 0.95,
    min_trades: int = 20,
    patience: int | None = 5,
    migrate_every: int = 3,
    timeframes: Sequence[str] = TIMEFRAMES,
    resume: State | None = None,
    on_generation: Callable[[State], None] | None = None,
) -> Evolution:
    """Breed strategies; the same arguments always give the same ones.

    Every generation, the first included, scores `population` strategies that were not scored on
    their island before: `population * (1 + generations)` in all, less where islands stop early.

    Args:
        evaluate: Scores strategies on symbols; the only thing that knows the market.
        seed: Decides everything random.
        population: Strategies in all, divided among the islands; at least 4 on each.
        generations: How often to breed after the first generation, which is drawn at random.
        islands: The symbols of each island.
        elite: Share of the places that go to the best scores, whatever their other objectives.
        clone_correlation: Of two strategies on an island whose daily returns correlate by more
            than this, only the better stays.
        min_trades: Trades a symbol below which a score is lowered.
        patience: Generations without a better best score after which an island breeds no more;
            None: never.
        migrate_every: Generations after which the best of each island are tried on the next.
        timeframes: Lengths of bars that strategies may look at, ascending.
        resume: A state of a search on the same terms; it goes on from there.
        on_generation: Called with the state after every generation.

    Raises:
        InvalidInput: An argument is out of range, or `resume` is of a search on other terms.
    """
    if generations < 0:
        raise InvalidInput(f"expected generations from 0, was {generations}")
    terms = Terms(
        seed=seed,
        population=population,
        islands=tuple(tuple(symbols) for symbols in islands),
        elite=elite,
        clone_correlation=clone_correlation,
        min_trades=min_trades,
        patience=patience,
        migrate_every=migrate_every,
        timeframes=tuple(timeframes),
    )
    if resume is not None and resume.terms != terms:
        raise InvalidInput(f"expected to resume a search of {terms}, was one of {resume.terms}")
    search = _Search(evaluate, terms, resume)
    while not search.is_over(generations):
        search.breed()
        if on_generation is not None:
            on_generation(search.state())
    return search.result()


class _Search:
    """A search under way."""

    def __init__(self, evaluate: Evaluator, terms: Terms, state: State | None) -> None:
        self._evaluate = evaluate
        self._terms = terms
        self._generation = -1 if state is None else state.generation
        self._trials: list[Trial] = [] if state is None else list(state.trials)
        self._arms = tuple(Arm(name) for name in OPERATORS) if state is None else state.arms
        held = (None,) * len(terms.islands) if state is None else state.islands
        self._habitats = [
            Habitat(terms, number, self._trials, one) for number, one in enumerate(held)
        ]

    def is_over(self, generations: int) -> bool:
        return self._generation >= generations or all(one.is_done for one in self._habitats)

    def breed(self) -> None:
        """Make, score and sift one generation, brood after brood."""
        self._generation += 1
        breeding = [one for one in self._habitats if not one.is_done]
        for brood in range(island.BROODS if self._generation else 1):
            self._brood([(one, self._children(one, brood)) for one in breeding])
        for habitat in breeding:
            habitat.end_generation()

    def _brood(self, families: Sequence[tuple[Habitat, list[Child]]]) -> None:
        batches = [
            Batch(symbol, [child.strategy for child in children])
            for habitat, children in families
            for symbol in habitat.symbols
        ]
        scores = iter(self._evaluate(batches))
        outcomes: list[Outcome] = []
        for habitat, children in families:
            mine = [next(scores) for _ in habitat.symbols]
            first, trials = len(self._trials), self._scored(habitat, children, mine)
            self._trials += trials
            outcomes += habitat.sift(range(first, len(self._trials)), trials, children)
        self._arms = learned(self._arms, outcomes)

    def state(self) -> State:
        return State(
            terms=self._terms,
            generation=self._generation,
            islands=tuple(one.island for one in self._habitats),
            arms=self._arms,
            trials=tuple(self._trials),
        )

    def result(self) -> Evolution:
        """Choose once more among all that were ever scored, each strategy once."""
        taken: set[str] = set()
        members: list[tuple[Trial, Strategy]] = []
        for habitat in self._habitats:
            chosen = habitat.best_of_all(taken)
            taken |= {trial.strategy_id for trial, _ in chosen}
            members += chosen
        members.sort(key=lambda member: (-member[0].score, member[0].strategy_id))
        return Evolution(
            population=tuple(strategy for _, strategy in members),
            scores=tuple(trial.score for trial, _ in members),
            members=tuple(trial for trial, _ in members),
            generations=self._generation,
            operators=self._arms,
            trials=tuple(self._trials),
        )

    def _children(self, habitat: Habitat, brood: int) -> list[Child]:
        key = [self._terms.seed, self._generation, brood, habitat.number]
        if self._generation == 0:
            return habitat.founders(key)
        several, turn = len(self._habitats) > 1, self._generation % self._terms.migrate_every
        guests = several and turn == 0 and brood == 0
        neighbour = self._habitats[habitat.number - 1] if guests else None
        return habitat.children(key, self._arms, habitat.brood_size(brood), neighbour)

    def _scored(
        self, habitat: Habitat, children: Sequence[Child], scores: Sequence[Scores]
    ) -> list[Trial]:
        judged = pooled(scores, self._terms.min_trades)
        if len(judged.score) != len(children):
            raise InvalidInput(f"expected {len(children)} scores, was {len(judged.score)}")
        return [
            Trial(
                strategy_id=child.strategy.id,
                text=child.strategy.text,
                parents=child.parents,
                operator=child.operator,
                generation=self._generation,
                island=habitat.name,
                symbols=habitat.symbols,
                complexity=complexity(child.strategy),
                **figures,
            )
            for child, figures in zip(children, judged.rows(), strict=True)
        ]
