"""The odds against luck: by hand where they can be counted, and uniform where there is no edge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.factory import ALARM, Found, Job, leaks, odds, power_of, seed_of, shrunk, until_clear
from research.hunt import RULE, Candidate
from research.statistics import luck_hurdle
from research.worlds import MIRRORED, PERMUTED


def candidate(name: str, score: float) -> Candidate:
    return Candidate(name, RULE, "A-B", (), 50, score, b"")


def worlds(*best: float, names: str = "x") -> list[Found]:
    return [
        Found(Job(MIRRORED, at), ((names, "A-B", score), ("rest", "A-B", score - 1.0)), 100)
        for at, score in enumerate(best, start=1)
    ]


def test_p_counts_the_real_world_as_one_of_the_worlds() -> None:
    some = worlds(*range(19))
    assert odds([candidate("a", 18.5)], some, 0.01) == [1 / 20]
    assert odds([candidate("a", 18.0)], some, 0.01) == [2 / 20], "as good is not better"
    assert odds([candidate("a", -5.0)], some, 0.01) == [1.0]
    assert odds([], some, 0.01) == []
    with pytest.raises(InvalidInput, match="at least 1 world"):
        odds([], [], 0.01)


def test_what_has_won_no_longer_stands_against_the_next() -> None:
    some = worlds(*[5.0] * 19, names="a") + worlds(*[1.0], names="b")
    ranked = [candidate("a", 6.0), candidate("c", 4.5)]
    assert odds(ranked, some, 0.05) == [1 / 21, 1 / 21], "its like in the worlds is passed over"
    assert odds(ranked, some, 0.01) == [1 / 21, 20 / 21], "it has not won"


@given(st.lists(st.floats(-5, 10), min_size=1, max_size=30), st.lists(st.floats(-5, 10)))
def test_a_worse_score_never_has_a_better_p(nulls: list[float], scores: list[float]) -> None:
    ranked = [candidate(str(i), s) for i, s in enumerate(sorted(scores, reverse=True))]
    found = odds(ranked, worlds(*nulls), 0.05)
    assert found == sorted(found)
    assert all(1 / (1 + len(nulls)) <= p <= 1 for p in found)


def test_worlds_are_taken_in_order_until_enough_were_better() -> None:
    asked: list[int] = []

    def one_by_one() -> object:
        for found in worlds(*[1, 9, 1, 9, 9, 1, 9, 9]):
            asked.append(found.job.world)
            yield found

    taken = until_clear(5.0, one_by_one(), stop_after=3)  # type: ignore[arg-type]
    assert [found.job.world for found in taken] == asked == [1, 2, 3, 4, 5]
    assert len(until_clear(50.0, worlds(*range(8)), stop_after=3)) == 8


def test_p_of_luck_is_uniform_also_where_worlds_stop_early() -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(4_000):
        best, *nulls = rng.gumbel(size=100)
        some = until_clear(best, worlds(*nulls), stop_after=10)
        found += odds([candidate("a", best)], some, 0.05)
    for level in (0.01, 0.05, 0.1, 0.3, 0.5):
        share = float(np.mean(np.array(found) <= level + 1e-12))
        assert share < level + 3 * math.sqrt(level / 4_000), level
        assert share > level * 0.8


def test_nothing_traded_is_the_worst_score_there_is() -> None:
    silent = [Found(Job(MIRRORED, 1), (), 10)]
    assert silent[0].score == -math.inf
    assert odds([candidate("a", -3.0)], silent, 0.05) == [1 / 2]
    assert power_of([-math.inf], 90, 0.05).hurdle == math.inf


def test_power_is_what_the_hurdle_and_the_noise_of_a_sharpe_ratio_say() -> None:
    rng = np.random.default_rng(1)
    scores = rng.gumbel(5.0, 0.5, 20_000).tolist()
    found = power_of(scores, 90, 0.05)
    assert found.hurdle == pytest.approx(np.quantile(scores, 0.95), abs=0.05)
    assert power_of(scores, 90, 0.005).hurdle == pytest.approx(np.quantile(scores, 0.995), abs=0.15)
    true = rng.normal(found.smallest, math.sqrt(365 / 90), 20_000)
    assert float(np.mean(true > found.hurdle)) == pytest.approx(0.8, abs=0.01)
    assert power_of(scores, 360, 0.05).smallest < found.smallest


@pytest.mark.parametrize("true", [4.0, 8.0, 12.0])
def test_shrinking_undoes_what_the_choice_added(true: float) -> None:
    seen = np.random.default_rng(2).normal(true, math.sqrt(365 / 90), 200_000)
    passed = seen[seen > 7.0]
    assert shrunk(float(passed.mean()), 7.0, 90) == pytest.approx(true, abs=0.3)


def test_shrinking_never_adds_and_never_goes_below_nothing() -> None:
    for score in (7.01, 7.5, 9.0, 12.0, 30.0):
        assert 0.0 <= shrunk(score, 7.0, 90) <= score
    assert shrunk(6.0, 7.0, 90) == 0.0
    assert shrunk(30.0, 7.0, 90) == pytest.approx(30.0)


def test_worlds_that_are_too_good_to_be_true_raise_the_alarm() -> None:
    expected = luck_hurdle(100, 90)
    honest, leaking = worlds(*[expected] * 9), worlds(*[expected * 4] * 9)
    assert leaks(honest, 90) is None
    ratio = leaks(leaking, 90)
    assert ratio is not None
    assert ratio > ALARM
    assert leaks([], 90) is None


def test_every_world_has_a_seed_of_its_own() -> None:
    seeds = {
        seed_of(seed, Job(kind, world))
        for seed in (1, 2)
        for kind in (MIRRORED, PERMUTED)
        for world in (1, 2, 3)
    }
    assert len(seeds) == 12
    assert all(0 <= seed < 2**63 for seed in seeds)
