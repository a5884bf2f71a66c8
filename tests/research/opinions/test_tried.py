"""A winner beside all that was tried, and the length of its record."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.opinions import Ledger, Leg, Winner
from research.opinions.tried import (
    LONG_ENOUGH,
    bootstrapped,
    counted,
    deflated,
    effective,
    overfitted,
    shortened,
    track_record,
)
from research.statistics.bootstrap import optimal_block_length, stationary_indices
from research.statistics.deflated import deflated_sharpe, deflated_sharpe_point
from research.statistics.reality import resampled, step_down
from research.statistics.sharpe import moments
from tests.research.opinions.scenes import TREND


def night(seed: int, days: int, tried: int = 300, edge: float = 0.0) -> tuple[Winner, Ledger]:
    """Return a ledger of noise, and its best as the winner, with an edge in deviations a day."""
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (days, tried))
    best = int((returns.mean(axis=0) / returns.std(axis=0)).argmax())
    returns[:, best] += edge * 0.01
    return winner(returns[:, best].copy()), Ledger(returns, 2 * tried)


def winner(returns: np.ndarray, rules: int = 1) -> Winner:
    return Winner((Leg(TREND, "A-USDT", 1.0),), returns, returns, rules)


def test_the_deflated_ratio_is_that_of_the_ledger() -> None:
    best, ledger = night(1, 90)
    opinion = deflated(best, ledger)
    assert opinion.name == "deflated_sharpe_2014"
    assert opinion.value == deflated_sharpe(moments(best.detrended), 300)
    assert opinion.bar == deflated_sharpe_point(300)
    assert "V = 1/T" in opinion.sentence


def test_luck_is_held_back_and_an_edge_is_not() -> None:
    lucky = [deflated(*night(seed, 90)).agrees for seed in range(100)]
    assert sum(bool(agrees) for agrees in lucky) <= 11  # 5 expected, 2.2 the deviation
    assert deflated(*night(1, 90, edge=0.4)).agrees is True


def test_a_mix_of_rules_counts_as_one_of_them() -> None:
    returns = np.random.default_rng(2).normal(0.002, 0.01, 120)
    alone, mixed = counted(winner(returns)), counted(winner(returns, rules=4))
    assert mixed.sharpe == pytest.approx(alone.sharpe / 2)
    _, ledger = night(3, 120)
    assert deflated(winner(returns, 4), ledger).value < deflated(winner(returns), ledger).value  # type: ignore[operator] # numbers
    t = [bootstrapped(winner(returns, k), ledger, 1).stepped.value for k in (1, 4)]
    assert t[1] == pytest.approx(t[0] / 2)  # type: ignore[operator] # a number


def test_bootstrap_tests_bind_only_on_a_year() -> None:
    short = bootstrapped(*night(1, LONG_ENOUGH - 1), 1)
    assert (short.superior.agrees, short.stepped.agrees) == (None, None)
    assert "Reported only" in short.superior.sentence
    long = bootstrapped(*night(1, LONG_ENOUGH), 1)
    assert (long.superior.agrees, long.stepped.agrees) == (False, False)
    edge = bootstrapped(*night(1, LONG_ENOUGH, edge=0.2), 1)
    assert (edge.superior.agrees, edge.stepped.agrees) == (True, True)


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), edge=st.floats(0.0, 0.2))
def test_the_step_down_names_the_winner_as_it_would_its_column(seed: int, edge: float) -> None:
    best, ledger = night(seed, 370, tried=20, edge=edge)
    opinion = bootstrapped(best, ledger, seed).stepped
    block = max(2.0, optimal_block_length(best.detrended).stationary)
    named = step_down(resampled(ledger.returns, stationary_indices(370, block, 1000, seed), block))
    column = int((ledger.returns == best.detrended[:, None]).all(axis=0).argmax())
    assert opinion.agrees is (column in named.superior)


def test_the_same_seed_says_the_same() -> None:
    assert bootstrapped(*night(4, 100), 7) == bootstrapped(*night(4, 100), 7)


def test_overfitting_only_reports() -> None:
    opinion = overfitted(night(5, 90)[1])
    assert opinion.value is not None
    assert 0.2 < opinion.value < 0.8
    assert (opinion.bar, opinion.agrees) == (None, None)
    crowd = Ledger(np.hstack((night(5, 90)[1].returns, np.full((90, 1), -0.01))), 500)
    assert overfitted(crowd).agrees is None


@pytest.mark.parametrize("shape", [(90, 1), (7, 5)])
def test_too_little_to_cross_validate_is_said(shape: tuple[int, int]) -> None:
    assert overfitted(Ledger(np.ones(shape), 10)).value is None


def test_a_record_is_compared_with_what_is_needed() -> None:
    opinion = track_record(night(6, 90, edge=0.1)[0])
    assert opinion.bar == 90.0
    assert opinion.value is not None
    assert 1 < opinion.value < 90
    assert opinion.agrees is None


def test_losers_have_nothing_to_cut_and_no_record() -> None:
    loser = winner(np.random.default_rng(0).normal(-0.01, 0.01, 90))
    assert track_record(loser).value is None
    assert shortened(loser, night(1, 90)[1], 1).value is None


def test_a_haircut_leaves_less_than_there_was() -> None:
    best, ledger = night(7, 365, edge=0.1)
    opinion = shortened(best, ledger, 1)
    assert opinion.value is not None
    assert 0 < opinion.value < counted(best).sharpe * math.sqrt(365)
    assert opinion.agrees is None


def test_days_that_run_on_are_cut_more() -> None:
    rng = np.random.default_rng(8)
    days = rng.normal(0.0, 0.01, 365)
    waves = days + 0.6 * np.concatenate(([0.0], days[:-1]))
    waves = (waves - waves.mean()) / waves.std() * 0.01 + 0.002
    plain = (days - days.mean()) / days.std() * 0.01 + 0.002
    _, ledger = night(9, 365)
    cut = [shortened(winner(one), ledger, 1).value for one in (plain, waves)]
    assert cut[1] < cut[0]  # type: ignore[operator] # numbers


def test_effective_trials_are_those_of_the_worlds_where_they_are_known() -> None:
    _, ledger = night(1, 90)
    told = effective(Ledger(ledger.returns, 600, effective=61.5))
    assert told.value == 61.5
    assert "600 tries of 300 different strategies" in told.sentence
    assert "worlds without an edge" in told.sentence
    own = effective(ledger)
    assert own.value is not None
    assert own.value < 90  # no more than days
    assert "by their correlations" in own.sentence
