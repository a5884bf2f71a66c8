"""How high luck reaches: published examples, exact maxima, and what any search must obey."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.deflated import (
    deflated_sharpe,
    deflated_sharpe_false_rate,
    deflated_sharpe_point,
    expected_max_sharpe,
    luck_hurdle,
    max_of_normals,
    max_quantile,
    min_backtest_length,
    min_backtest_length_bound,
)
from research.statistics.distributions import NORMAL
from research.statistics.sharpe import Moments, moments, psr

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles

finite = st.floats(-0.2, 0.2).map(lambda x: round(x, 4))


@pytest.mark.parametrize(
    ("trials", "skew", "kurtosis", "hurdle", "expected"),
    [
        (100, -3.0, 10.0, 0.11317200186513214, 0.9003968344493903),
        (46, -3.0, 10.0, 0.10036237061765357, 0.9505017068755787),
        (88, -3.0, 10.0, 0.11114576178358426, 0.910153014744707),
        (88, 0.0, 3.0, 0.11114576178358426, 0.9504908166760139),
        (100, 0.0, 3.0, 0.11317200186513214, 0.9427705859565298),
    ],
)
def test_deflated_sharpe_reproduces_the_example_of_2014(
    trials: int, skew: float, kurtosis: float, hurdle: float, expected: float
) -> None:
    of = Moments(2.5 / math.sqrt(250), 1250, skew, kurtosis)
    assert expected_max_sharpe(trials, 0.5 / 250) == pytest.approx(hurdle, abs=1e-12)
    assert deflated_sharpe(of, trials, 0.5 / 250) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "approximate", "exact"),
    [
        (10, 1.57459830134575, 1.5387527308351732),
        (100, 2.5306028932016846, 2.507593636441687),
        (500, 3.0525275745280807, 3.0366993459289295),
        (1000, 3.255121513652723, 3.241435769133424),
        (10_000, 3.86066485551044, 3.8516158170666834),
        (100_000, 4.390828742376489, 4.384319403107389),
    ],
)
def test_the_expected_maximum_is_the_published_approximation_and_near_the_truth(
    trials: int, approximate: float, exact: float
) -> None:
    # Written as 1 - 1/N, the usual form loses 1.3e-12 to rounding at 100,000 trials.
    assert expected_max_sharpe(trials, 1.0) == pytest.approx(approximate, abs=2e-12)
    assert expected_max_sharpe(trials, 1.0) == pytest.approx(exact, rel=0.025)


def test_five_years_are_too_short_for_forty_five_trials() -> None:
    # The best of 45 useless strategies shows an annual Sharpe ratio of 1 over 4.998 years.
    assert expected_max_sharpe(45, 1.0) == pytest.approx(2.2356401777664052, abs=1e-12)
    assert min_backtest_length(45) == pytest.approx(4.998087004443404, abs=1e-12)
    assert min_backtest_length(45, 2.0) == pytest.approx(4.998087004443404 / 4, abs=1e-12)
    assert min_backtest_length_bound(45) == pytest.approx(7.613324979540639, abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "mean", "deviation", "exceeded", "point", "passed"),
    [
        (10, 1.5387527308351732, 0.5868081656390696, 2.5678753685925684, 0.83971252, 0.4479111373),
        (500, 3.0366993459289295, 0.3704073336674294, 3.712573252387846, 0.74538774, 0.4331322705),
        (10000, 3.8516158170666834, 0.3041562118249452, 4.411648990444918, 0.70917772, 0.431873156),
    ],
)
def test_the_best_of_many_normal_numbers_is_known_exactly(  # noqa: PLR0917 - columns of a table
    trials: int, mean: float, deviation: float, exceeded: float, point: float, passed: float
) -> None:
    assert max_of_normals(trials) == pytest.approx((mean, deviation), abs=1e-12)
    assert max_quantile(trials) == pytest.approx(exceeded, abs=5e-12)
    assert deflated_sharpe_point(trials) == pytest.approx(point, abs=1e-8)
    assert deflated_sharpe_false_rate(trials, 0.5) == pytest.approx(passed, abs=1e-9)


def test_the_best_of_two_normal_numbers_by_hand() -> None:
    # E max = 1/sqrt(pi), Var max = 1 - 1/pi.
    expected = (1 / math.sqrt(math.pi), math.sqrt(1 - 1 / math.pi))
    assert max_of_normals(2) == pytest.approx(expected, abs=1e-13)
    assert max_of_normals(1) == pytest.approx((0.0, 1.0), abs=1e-13)


@given(trials=st.integers(1, 10**9), level=st.floats(0.001, 0.5))
def test_luck_passes_its_own_point_as_often_as_it_says(trials: int, level: float) -> None:
    point = deflated_sharpe_point(trials, level)
    assert deflated_sharpe_false_rate(trials, point) == pytest.approx(level, rel=1e-5)


def test_every_deflated_ratio_on_file_is_reproduced(oracles: Oracles) -> None:
    for case in oracles.values("psr_dsr_mintrl.json")["dsr_paper2014"].values():
        given_ = case["inputs"]
        of = Moments(given_["sr"], given_["T"], given_["skew"], given_["kurt"])
        hurdle = expected_max_sharpe(given_["N"], given_["var_trials"])
        assert hurdle == pytest.approx(case["sr0"], abs=1e-12)
        assert hurdle == pytest.approx(case["sr0_mp"], abs=1e-12)
        found = deflated_sharpe(of, given_["N"], given_["var_trials"])
        assert found == pytest.approx(case["dsr"], abs=1e-12)
        assert found == pytest.approx(case["dsr_mp"], abs=1e-12)
    others = oracles.values("library_cross_checks.json")
    of = Moments(2.5 / math.sqrt(250), 1250, -3.0, 10.0)
    assert deflated_sharpe(of, 100, 0.5 / 250) == pytest.approx(others["fynance_dsr_paper"])
    spread = max_of_normals(others["jsharpe_var_max_bug"]["K"])[1] ** 2
    # To 1e-7: here the file differs from its own `sd_exact`, which is met to 1e-12 below.
    assert spread == pytest.approx(others["jsharpe_var_max_bug"]["exact"], abs=1e-7)
    years = others["minBTL"]
    assert min_backtest_length(years["N"]) == pytest.approx(years["years_for_SR1"], abs=1e-12)
    assert min_backtest_length_bound(years["N"]) == pytest.approx(years["upper_bound_2lnN"])


def test_every_maximum_on_file_is_reproduced(oracles: Oracles) -> None:
    for text, known in oracles.values("psr_dsr_mintrl.json")["expected_max_std_normal"].items():
        trials = int(text)
        # The file loses digits where it forms 1 - 1/N and 0.95^(1/N), at 1e-15 times N.
        lost = max(1e-12, 1e-15 * trials)
        assert expected_max_sharpe(trials, 1.0) == pytest.approx(known["bailey"], abs=lost)
        mean, deviation = max_of_normals(trials)
        assert mean == pytest.approx(known["exact"], abs=1e-12)
        assert deviation == pytest.approx(known["sd_exact"], abs=lost)
        assert max_quantile(trials) == pytest.approx(known["q95_of_max"], abs=lost)
        assert deflated_sharpe_point(trials) == pytest.approx(known["dsr_at_q95"], abs=lost)
        half = deflated_sharpe_false_rate(trials, 0.5)
        assert half == pytest.approx(known["fwer_of_dsr50"], abs=1e-12)
        # The file takes 1.6448536 for the 95 % point of the normal distribution.
        published = deflated_sharpe_false_rate(trials, NORMAL.cdf(1.6448536))
        assert published == pytest.approx(known["fwer_of_dsr95"], abs=lost)


def test_the_best_of_500_useless_strategies_on_90_days_shows_six() -> None:
    expected = 3.0525275745280807 / math.sqrt(90) * math.sqrt(365)
    assert luck_hurdle(500, 90) == pytest.approx(expected, abs=1e-12)
    assert luck_hurdle(500, 90) == pytest.approx(6.147, abs=1e-3)


def test_the_deflated_sharpe_takes_the_variance_of_useless_strategies() -> None:
    of = Moments(0.4, 90)
    assert deflated_sharpe(of, 500) == deflated_sharpe(of, 500, 1 / 90)


def test_one_in_twenty_nights_of_500_useless_strategies_reaches_this_deflated_sharpe() -> None:
    # The 95 % point of the best of 500 is 3.712573 standard errors; there the published gate of
    # 0.95 would read 0.745: it is stricter than it looks.
    z = 3.712573252387846 - expected_max_sharpe(500, 1.0)
    assert psr(Moments(z / 1000, 1_000_001, 0.0, 1.0)) == pytest.approx(0.7453877, abs=1e-6)
    assert deflated_sharpe_point(500) == pytest.approx(0.7453877, abs=1e-6)
    assert deflated_sharpe_false_rate(500, 0.95) == pytest.approx(0.00065858, abs=1e-7)


def test_luck_hurdle_agrees_with_a_simulation() -> None:
    rng = np.random.default_rng(3)
    best = [
        max(returns.mean(axis=1) / returns.std(axis=1))
        for returns in (rng.standard_normal((200, 90)) for _ in range(200))
    ]
    # 200 nights leave a standard error of about 0.06; the approximation itself is 1 % too high.
    assert np.mean(best) * math.sqrt(365) == pytest.approx(luck_hurdle(200, 90), abs=0.25)


def test_one_trial_expects_nothing() -> None:
    assert expected_max_sharpe(1, 1.0) == 0.0
    assert expected_max_sharpe(10**18, 1.0) == pytest.approx(8.8, abs=0.1)


@given(returns=st.lists(finite, min_size=3, max_size=60), trials=st.integers(1, 10_000))
def test_probabilities_are_probabilities_and_more_trials_never_help(
    returns: list[float], trials: int
) -> None:
    of = moments(np.array(returns))
    once, often = deflated_sharpe(of, trials), deflated_sharpe(of, trials + 1)
    assert 0 <= often <= once <= 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: expected_max_sharpe(0, 1.0),
        lambda: expected_max_sharpe(5, -1.0),
        lambda: luck_hurdle(5, 0),
        lambda: max_of_normals(0),
        lambda: max_quantile(5, 0.0),
        lambda: deflated_sharpe_false_rate(5, 1.0),
        lambda: min_backtest_length(5, 0.0),
        lambda: min_backtest_length_bound(0),
    ],
)
def test_luck_without_an_answer_is_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
