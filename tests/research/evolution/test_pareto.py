"""Fronts, crowding and clones, held against their plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from research.evolution.pareto import (
    by_score,
    crowding,
    directions,
    elite_first,
    fronts,
    preference,
    without_clones,
)

# Few different values, so that ties are common.
tables = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 24), st.integers(1, 4)),
    elements=st.integers(0, 5).map(float),
)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one <= other).all() and (one < other).any())


@given(tables)
def test_fronts_are_peeled_one_after_the_other(objectives: np.ndarray) -> None:
    front = fronts(objectives)
    rest = set(range(len(objectives)))
    level = 0
    while rest:
        free = {i for i in rest if not any(dominates(objectives[j], objectives[i]) for j in rest)}
        assert {i for i in rest if front[i] == level} == free
        rest -= free
        level += 1


def test_the_ends_of_a_front_are_infinitely_lonely_and_crowds_are_not() -> None:
    line = np.array([[0.0, 10.0], [1.0, 9.0], [1.2, 8.8], [5.0, 5.0], [10.0, 0.0]])
    distance = crowding(line, np.zeros(5, np.int64))
    assert np.isinf(distance[[0, 4]]).all()
    assert distance[3] > distance[2] > 0
    assert distance[1] == pytest.approx(0.12 + 0.12)


def test_crowding_counts_neighbours_of_the_same_front_only() -> None:
    line = np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 0.0]])
    twice = np.vstack([line, line + 0.5])
    front = fronts(twice)
    assert front.tolist() == [0, 0, 0, 1, 1, 1]
    alone = crowding(line, front[:3])
    assert crowding(twice, front).tolist() == [*alone, *alone]


def test_nothing_has_no_order() -> None:
    assert preference(np.empty((0, 4)), np.empty(0)).size == 0


def test_what_does_not_earn_stands_behind_by_score_alone() -> None:
    score = np.array([-3.0, 5.0, -1.0, 2.0, 0.0])
    drawdown = np.array([0.0, 0.4, 0.0, 0.1, 0.0])
    order = preference(np.column_stack([-score, drawdown]), score)
    assert set(order[:2]) == {1, 3}
    assert order[2:].tolist() == [4, 2, 0]


@given(tables, st.integers(0, 2**32))
def test_preference_names_every_row_once_better_fronts_first(
    objectives: np.ndarray, seed: int
) -> None:
    score = np.random.default_rng(seed).normal(size=len(objectives))
    order = preference(objectives, score)
    assert sorted(order) == list(range(len(objectives)))
    earning = order[: int((score > 0).sum())]
    assert (score[earning] > 0).all()
    front = fronts(objectives[earning])
    assert front.tolist() == sorted(front)


def test_the_elite_comes_first_and_nobody_twice() -> None:
    score = np.array([1.0, 9.0, 3.0, 9.0])
    complexity = np.array([[1.0], [3.0], [1.0], [2.0]])
    scored = by_score(complexity, score)
    assert scored.tolist() == [3, 1, 2, 0]
    assert elite_first(np.array([0, 2, 3, 1]), scored, 2).tolist() == [3, 1, 0, 2]


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


@given(st.integers(0, 2**32), st.floats(0.1, 0.99), st.integers(1, 30))
def test_no_two_that_are_taken_are_clones_and_whoever_is_not_has_one(
    seed: int, bound: float, most: int
) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(6, 40))
    returns = kinds[rng.integers(6, size=30)] + rng.uniform(0, 1) * rng.normal(size=(30, 40))
    order = rng.permutation(30)
    taken = without_clones(directions(returns), order, bound, most).tolist()
    assert len(taken) <= most
    for at, row in enumerate(taken):
        assert all(correlation(returns[row], returns[one]) <= bound + 1e-9 for one in taken[:at])
    looked_at = list(order) if len(taken) < most else list(order[: list(order).index(taken[-1])])
    for row in set(looked_at) - set(taken):
        assert any(correlation(returns[row], returns[one]) > bound - 1e-9 for one in taken)


def test_of_those_that_never_trade_one_is_enough() -> None:
    returns = np.zeros((5, 10))
    returns[2] = np.linspace(-1, 1, 10)
    assert without_clones(directions(returns), np.arange(5), 0.95, 5).tolist() == [0, 2]


def test_opposites_are_no_clones() -> None:
    line = np.linspace(-1, 1, 10)
    returns = np.stack([line, -line, 2 * line + 1])
    assert without_clones(directions(returns), np.arange(3), 0.95, 3).tolist() == [0, 1]
