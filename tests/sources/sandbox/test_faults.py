"""Faults: refused where they cannot be, drawn in sequence, for a while or for ever."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from sources.sandbox.faults import (
    ANSWER_FAULTS,
    BAR_FAULTS,
    NO_FAULTS,
    FaultPlan,
    Faults,
    Incident,
    chance,
)

RATES = st.floats(0, 1)


def kinds(plan: FaultPlan, count: int) -> list[str | None]:
    incidents = [plan.next_answer()[1] for _ in range(count)]
    return [one and one.kind for one in incidents]


@pytest.mark.parametrize("name", [*ANSWER_FAULTS, *BAR_FAULTS, "bad_row_share"])
@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_share_is_refused(name: str, rate: float) -> None:
    with pytest.raises(InvalidInput, match=name):
        Faults(**{name: rate})


@pytest.mark.parametrize("name", ["retry_after", "timeout_seconds", "requests", "seed"])
def test_a_negative_number_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        Faults(**{name: -1})


def test_unknown_keys_and_wrong_types_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="bad_luck"):
        Faults.of({"bad_luck": 0.5})
    with pytest.raises(InvalidInput, match="gaps"):
        Faults.of({"gaps": "often"})
    with pytest.raises(InvalidInput, match="an object"):
        Faults.of([1])


@given(gaps=RATES, timeouts=RATES, requests=st.none() | st.integers(0, 9), seed=st.integers(0, 99))
def test_json_and_back_is_the_same(
    gaps: float, timeouts: float, requests: int | None, seed: int
) -> None:
    faults = Faults(gaps=gaps, timeouts=timeouts, requests=requests, seed=seed)
    assert Faults.of(msgspec.json.decode(faults.as_json())) == faults


def test_no_fault_happens_unless_it_was_asked_for() -> None:
    plan = FaultPlan(NO_FAULTS)
    assert kinds(plan, 100) == [None] * 100
    assert not any(plan.drops_socket() for _ in range(100))
    assert plan.stats()["requests"] == 100


def test_each_kind_comes_about_as_often_as_asked() -> None:
    plan = FaultPlan(Faults(**dict.fromkeys(ANSWER_FAULTS, 0.05)))
    seen = kinds(plan, 4_000)
    for kind in ANSWER_FAULTS:  # the first of several wins, so later kinds come a little less
        assert 0.025 < seen.count(kind) / 4_000 < 0.065
        assert plan.injected[kind] == seen.count(kind)


@given(seed=st.integers(0, 2**40))
def test_the_same_seed_repeats_the_same_sequence(seed: int) -> None:
    faults = Faults(server_errors=0.3, cut_bodies=0.3, seed=seed)
    plan = FaultPlan(faults)
    first = [plan.next_answer() for _ in range(20)]
    plan.set(faults)
    assert [plan.next_answer() for _ in range(20)] == first


def test_faults_of_so_many_requests_heal_by_themselves() -> None:
    plan = FaultPlan(Faults(server_errors=1.0, gaps=0.5, requests=2))
    assert plan.as_dict()["requests"] == 2
    assert kinds(plan, 4) == ["server_errors", "server_errors", None, None]
    assert plan.faults.gaps == 0
    assert plan.next_answer()[0].gaps == 0


def test_faults_of_bars_hold_for_the_last_of_so_many_requests() -> None:
    plan = FaultPlan(Faults(gaps=0.5, requests=1))
    assert plan.next_answer()[0].gaps == 0.5
    assert plan.next_answer()[0].gaps == 0


def test_other_faults_do_not_move_the_draws_of_one() -> None:
    alone, beside = FaultPlan(Faults(cut_bodies=0.3)), FaultPlan(Faults(cut_bodies=0.3, gaps=0.9))
    assert kinds(alone, 50) == kinds(beside, 50)


def test_the_first_of_several_faults_happens() -> None:
    faults = Faults(**dict.fromkeys(ANSWER_FAULTS, 1.0))
    assert kinds(FaultPlan(faults), 1) == [ANSWER_FAULTS[0]]


def test_details_of_an_incident_are_drawn_between_0_and_1() -> None:
    plan = FaultPlan(Faults(cut_bodies=1.0))
    found = [plan.next_answer()[1] for _ in range(200)]
    details = np.array([(one.which, one.where) for one in found if isinstance(one, Incident)])
    assert ((details >= 0) & (details < 1)).all()
    assert np.abs(details.mean(axis=0) - 0.5).max() < 0.1


@given(seed=st.integers(0, 2**60), start=st.integers(0, 2**40))
def test_chances_are_uniform_and_repeatable(seed: int, start: int) -> None:
    index = np.arange(start, start + 4_000, dtype=np.int64)
    draws = chance(seed, "gaps", "NOISE1", index)
    np.testing.assert_array_equal(draws[7:9], chance(seed, "gaps", "NOISE1", index[7:9]))
    assert ((draws >= 0) & (draws < 1)).all()
    assert abs(draws.mean() - 0.5) < 0.03
    assert np.abs(np.histogram(draws, 10, (0, 1))[0] - 400).max() < 120


def test_chances_of_other_kinds_and_symbols_are_others() -> None:
    index = np.arange(1_000, dtype=np.int64)
    base = chance(1, "gaps", "NOISE1", index)
    for other in (chance(1, "outliers", "NOISE1", index), chance(1, "gaps", "NOISE2", index)):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.15
