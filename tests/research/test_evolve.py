"""Evolution: deterministic, resumable, without clones, and better than drawing at random."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from research.evolution.island import BROODS
from research.evolution.operators import OPERATORS
from research.evolve import Evolution, State, Trial, evolve
from research.generate import generate
from research.strategy import Strategy
from tests.research.evolution.landscape import (
    closeness,
    landscape,
    returns_of,
    scores_of,
    sharpe_of,
)

ROOT = Path(__file__).resolve().parents[2]
TWO = (("A-USDT",), ("B-USDT", "C-USDT"))


def evolved(evaluate=landscape, **changes: Any) -> Evolution:
    terms: dict[str, Any] = {
        "seed": 1,
        "population": 40,
        "generations": 5,
        "islands": TWO,
        "patience": None,
    }
    return evolve(evaluate, **(terms | changes))


def fingerprint(found: Evolution) -> tuple:
    return found.population, found.scores, found.trials, found.operators, found.generations


@pytest.fixture(scope="module")
def found() -> Evolution:
    return evolved()


def test_the_population_is_distinct_canonical_and_sorted(found: Evolution) -> None:
    assert 30 <= len(found.population) <= 40
    assert len({strategy.id for strategy in found.population}) == len(found.population)
    assert all(Strategy.parse(s.text).text == s.text for s in found.population)
    assert list(found.scores) == sorted(found.scores, reverse=True)
    assert [m.strategy_id for m in found.members] == [s.id for s in found.population]


def test_five_hundred_distinct_strategies_can_be_asked_for() -> None:
    found = evolved(population=500, generations=2)
    assert len({strategy.id for strategy in found.population}) == 500


def test_every_evaluation_is_reported_once_with_its_lineage() -> None:
    seen: list[tuple[str, str]] = []

    def counting(batches):
        seen.extend((batch.symbol, one.id) for batch in batches for one in batch.strategies)
        return landscape(batches)

    found = evolved(counting)
    reported = [(symbol, t.strategy_id) for t in found.trials for symbol in t.symbols]
    assert Counter(seen) == Counter(reported)
    assert found.charges == len(seen)
    assert found.evaluations == len(found.trials) == 40 * 6
    assert max(Counter((t.island, t.strategy_id) for t in found.trials).values()) == 1


def test_parents_were_tried_before_their_children(found: Evolution) -> None:
    known: set[str] = set()
    for trial in found.trials:
        assert set(trial.parents) <= known
        known.add(trial.strategy_id)
        kinds = {"generate": 0, "migrate": 1} | {o.name: o.parents for o in OPERATORS.values()}
        assert len(trial.parents) == kinds[trial.operator]
    assert {t.operator for t in found.trials if t.generation == 0} == {"generate"}
    assert {t.island for t in found.trials} == {"A-USDT", "B-USDT C-USDT"}


def test_trials_hold_what_the_evaluator_said(found: Evolution) -> None:
    for trial in found.trials[::7]:
        strategy = Strategy.parse(trial.text)
        expected = [returns_of(strategy, symbol).tolist() for symbol in trial.symbols]
        assert trial.daily_returns.tolist() == expected
        assert trial.trades == (100,) * len(trial.symbols)
        if len(trial.symbols) == 1:
            assert trial.sharpe == pytest.approx(sharpe_of(strategy))


def test_the_seed_decides_everything(found: Evolution) -> None:
    assert fingerprint(evolved()) == fingerprint(found)
    assert evolved(seed=2).population != found.population


def test_another_process_with_another_hash_seed_finds_the_same(found: Evolution) -> None:
    code = (
        "from tests.research.test_evolve import evolved\n"
        "print(*(s.id for s in evolved().population))"
    )
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [strategy.id for strategy in found.population]


def test_a_search_resumed_after_any_generation_ends_as_if_it_had_never_stopped(
    found: Evolution,
) -> None:
    kept: list[bytes] = []
    evolved(on_generation=lambda state: kept.append(state.to_bytes()))
    assert len(kept) == 6
    for data in kept:
        resumed = evolved(resume=State.from_bytes(data))
        assert fingerprint(resumed) == fingerprint(found)


def test_a_search_killed_within_a_generation_goes_on_from_the_last_whole_one(
    found: Evolution,
) -> None:
    kept: list[State] = []
    calls = 0

    def dying(batches):
        nonlocal calls
        calls += 1
        if calls == 2 + 2 * BROODS:
            raise KeyboardInterrupt
        return landscape(batches)

    with pytest.raises(KeyboardInterrupt):
        evolved(dying, on_generation=kept.append)
    assert kept[-1].generation == 2
    assert fingerprint(evolved(resume=kept[-1])) == fingerprint(found)


def test_a_finished_search_can_be_resumed_for_longer(found: Evolution) -> None:
    kept: list[State] = []
    evolved(generations=2, on_generation=kept.append)
    assert fingerprint(evolved(resume=kept[-1])) == fingerprint(found)


@pytest.mark.parametrize("changed", [{"seed": 2}, {"elite": 0.5}, {"population": 44}])
def test_a_search_on_other_terms_is_not_resumed(changed: dict[str, Any]) -> None:
    kept: list[State] = []
    evolved(generations=0, on_generation=kept.append)
    with pytest.raises(InvalidInput, match="expected to resume a search of"):
        evolved(resume=kept[0], **changed)


def test_a_number_of_generations_is_not_negative() -> None:
    with pytest.raises(InvalidInput, match="expected generations from 0, was -1"):
        evolved(generations=-1)


def test_an_evaluator_that_leaves_some_out_is_refused() -> None:
    def forgetful(batches):
        return [scores_of([np.zeros(60)]) for _ in batches]

    with pytest.raises(InvalidInput, match="expected 20 scores, was 1"):
        evolved(forgetful)


def by_island(found: Evolution) -> list[list[Trial]]:
    names = sorted({trial.island for trial in found.members})
    return [[m for m in found.members if m.island == name] for name in names]


def crowded(batches):
    """An evaluator with five ways to behave, and a little noise of each strategy's own."""
    kinds = np.random.default_rng(1).normal(0.001, 0.01, (5, 60))
    return [
        scores_of(
            [
                kinds[int(one.id, 16) % 5] + 0.1 * returns_of(one, batch.symbol)
                for one in batch.strategies
            ]
        )
        for batch in batches
    ]


@pytest.mark.parametrize("bound", [0.5, 0.95])
def test_no_two_members_of_an_island_behave_alike(bound: float) -> None:
    found = evolved(crowded, clone_correlation=bound)
    for members in by_island(found):
        assert len(members) == 5
        returns = [member.daily_returns.mean(axis=0) for member in members]
        assert all(np.corrcoef(a, b)[0, 1] <= bound for a, b in combinations(returns, 2))


def test_the_best_score_never_falls() -> None:
    states: list[State] = []
    found = evolved(on_generation=states.append)
    best = [[island.best for island in state.islands] for state in states]
    assert best == sorted(best)
    assert best[-1] > best[0]
    assert found.scores[0] == max(t.score for t in found.trials) == max(best[-1])


def test_nothing_that_trades_too_little_beats_what_trades_enough() -> None:
    def lucky(batches):
        """Let what is on 1h have few trades and a high ratio."""
        made = []
        for batch, scores in zip(batches, landscape(batches), strict=True):
            rare = np.array([one.timeframe == "1h" for one in batch.strategies])
            scores.metrics["trades"][rare] = 2
            scores.returns[rare] += 0.003
            made.append(scores)
        return made

    timeframes = [s.timeframe for s in evolved(lucky, min_trades=40).population[:10]]
    assert "1h" not in timeframes
    assert "1h" in [s.timeframe for s in evolved(lucky, min_trades=0).population[:10]]


def test_what_is_found_on_one_island_is_tried_on_the_next() -> None:
    def one_sided(batches):
        """Let only the first island reward anything, so that the second can only be told."""
        return [
            scores
            if batch.symbol == "A-USDT"
            else scores_of([returns_of(s, batch.symbol) - 1e-4 for s in batch.strategies])
            for batch, scores in zip(batches, landscape(batches), strict=True)
        ]

    found = evolved(one_sided, migrate_every=2, generations=4, population=80)
    guests = [trial for trial in found.trials if trial.operator == "migrate"]
    assert guests
    assert {trial.generation for trial in guests} == {2, 4}
    scored = {(trial.island, trial.strategy_id) for trial in found.trials}
    for guest in guests:
        home = "A-USDT" if guest.island != "A-USDT" else "B-USDT C-USDT"
        assert guest.parents == (guest.strategy_id,)
        assert (home, guest.strategy_id) in scored


def test_islands_may_share_symbols() -> None:
    islands = [["A-USDT"], ["B-USDT"], ["A-USDT", "B-USDT"]]
    found = evolved(islands=islands, population=45)
    assert {trial.island for trial in found.trials} == {"A-USDT", "B-USDT", "A-USDT B-USDT"}
    pooled = [trial for trial in found.trials if trial.island == "A-USDT B-USDT"]
    for trial in pooled:
        beyond = np.frombuffer(trial.detrended)
        assert beyond.tolist() == trial.daily_returns.mean(axis=0).tolist()
    assert any(trial.operator == "migrate" for trial in pooled)


def test_a_single_island_has_no_guests() -> None:
    found = evolved(islands=[["A-USDT"]], migrate_every=1)
    assert "migrate" not in {trial.operator for trial in found.trials}


def test_islands_that_find_nothing_better_stop_early() -> None:
    def flat(batches):
        """Give every strategy the same ratio."""
        made = []
        for batch in batches:
            returns = [returns_of(one, batch.symbol) for one in batch.strategies]
            made.append(scores_of([r - r.mean() + 0.001 for r in returns]))
        return made

    patient = evolved(flat, islands=[["A-USDT"]], generations=9)
    hasty = evolved(flat, islands=[["A-USDT"]], generations=9, patience=2)
    assert (patient.generations, hasty.generations) == (9, 2)
    assert hasty.evaluations == 3 * 40
    assert len(hasty.population) == 40


def test_an_island_that_still_improves_goes_on_without_the_others() -> None:
    def uneven(batches):
        made = landscape(batches)
        for batch, scores in zip(batches, made, strict=True):
            if batch.symbol != "A-USDT":
                scores.returns[:] = scores.returns - scores.returns.mean(axis=1)[:, None]
        return made

    found = evolved(uneven, seed=2, patience=2, generations=8)
    last = {
        name: max(t.generation for t in found.trials if t.island == name)
        for name in ("A-USDT", "B-USDT C-USDT")
    }
    assert last["A-USDT"] > last["B-USDT C-USDT"]


def test_operators_that_pay_here_are_tried_more() -> None:
    def levels_only(batches):
        """Reward nothing but how near stop, target and trail are to 4.3, 11 and 2.7 %."""
        return [
            scores_of(
                [moved(returns_of(s, b.symbol), near(s) - sharpe_of(s)) for s in b.strategies]
            )
            for b in batches
        ]

    def near(strategy: Strategy) -> float:
        wanted = {"stop": 0.043, "target": 0.11, "trail": 0.027}
        levels = {name: getattr(strategy, name) for name in wanted}
        return sum(2 / (1 + abs(np.log(levels[n] / wanted[n]))) for n in wanted if levels[n])

    tried: Counter = Counter()
    paid: Counter = Counter()
    for seed in range(4):
        found = evolved(levels_only, seed=seed, islands=[["A-USDT"]], generations=12)
        counts = {arm.name: arm.tried for arm in found.operators}
        assert sum(counts.values()) == sum(t.operator in OPERATORS for t in found.trials)
        tried.update(counts)
        paid.update({arm.name: arm.paid for arm in found.operators})
    rates = {name: paid[name] / tried[name] for name in tried}
    assert rates["step_level"] > 0.2 > 4 * rates["fresh"]
    assert tried["step_level"] > 1.5 * tried["fresh"] > 0


def moved(returns: np.ndarray, sharpe: float) -> np.ndarray:
    """Return the returns with that much more of a Sharpe ratio."""
    return returns + 0.01 * sharpe / 365**0.5


def test_evolution_beats_drawing_at_random_at_equal_evaluations() -> None:
    gains = []
    for seed in range(20):
        found = evolved(seed=seed, islands=[["A-USDT"]], generations=9)
        bred = max(closeness(strategy) for strategy in found.population)
        drawn = max(closeness(s) for s in generate(found.evaluations, 1_000 + seed))
        gains.append(bred - drawn)
    assert sum(gain > 0 for gain in gains) >= 16
    assert np.mean(gains) > 0.4
