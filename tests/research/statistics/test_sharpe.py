"""The published worked examples, and what must hold for any series."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.sharpe import (
    Moments,
    min_track_record_length,
    min_track_record_length_2025,
    moments,
    psr,
    psr_2025,
)

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles

# Bailey and López de Prado (2012): two years of monthly returns.
HEDGE_FUND = Moments(sharpe=0.036 / 0.079, periods=24, skew=-2.448, kurtosis=10.164)


def test_psr_reproduces_the_example_of_2012() -> None:
    assert psr(HEDGE_FUND) == pytest.approx(0.9127093395948954, abs=1e-12)
    normal = HEDGE_FUND._replace(skew=0.0, kurtosis=3.0)
    assert psr(normal) == pytest.approx(0.9812427223085144, abs=1e-12)
    assert psr(HEDGE_FUND._replace(periods=36)) == pytest.approx(0.9530088608309002, abs=1e-12)


@pytest.mark.parametrize(
    ("per_year", "skew", "kurtosis", "years"),
    [
        (252, 0.0, 3.0, 2.7309842751596634),
        (52, 0.0, 3.0, 2.828833586945237),
        (12, 0.0, 3.0, 3.239800696444647),
        (12, -0.72, 5.78, 4.991258223875627),
    ],
)
def test_min_track_record_length_reproduces_the_examples_of_2012(
    per_year: int, skew: float, kurtosis: float, years: float
) -> None:
    of = Moments(2 / math.sqrt(per_year), 0, skew, kurtosis)
    periods = min_track_record_length(of, benchmark=1 / math.sqrt(per_year))
    assert periods / per_year == pytest.approx(years, abs=1e-12)


def test_moments_by_hand() -> None:
    # Mean 1, deviations -1, -1, 0, 2: variance 6/4, third moment 6/4, fourth 18/4.
    found = moments(np.array([0.0, 0.0, 1.0, 3.0]))
    assert found.sharpe == pytest.approx(1 / math.sqrt(2))
    assert found.skew == pytest.approx(1.5 / 1.5**1.5)
    assert found.kurtosis == pytest.approx(4.5 / 1.5**2)
    assert found.periods == 4


def test_a_series_that_does_not_vary_shows_no_sharpe_ratio() -> None:
    assert moments(np.full(7, 0.1)) == Moments(0.0, 7)
    assert psr(moments(np.zeros(30))) == 0.5


def test_two_values_that_leave_no_doubt_are_certain() -> None:
    certain = Moments(sharpe=1.0, periods=10, skew=2.0, kurtosis=5.0)
    assert [psr(certain, at) for at in (0.5, 1.0, 1.5)] == [1.0, 0.5, 0.0]


def test_a_ratio_below_its_benchmark_never_has_a_long_enough_record() -> None:
    assert min_track_record_length(Moments(0.1, 50), benchmark=0.1) == math.inf


finite = st.floats(-0.2, 0.2).map(lambda x: round(x, 4))


@given(returns=st.lists(finite, min_size=3, max_size=60))
def test_no_series_makes_the_standard_error_imaginary(returns: list[float]) -> None:
    of = moments(np.array(returns))
    spread = 1 - of.skew * of.sharpe + (of.kurtosis - 1) / 4 * of.sharpe**2
    assert spread > -1e-9


@given(sharpe=st.floats(0.05, 0.5), confidence=st.floats(0.55, 0.99))
def test_at_the_min_track_record_length_psr_is_the_confidence(
    sharpe: float, confidence: float
) -> None:
    needed = min_track_record_length(Moments(sharpe, 0, -1.0, 6.0), 0.01, confidence)
    at = Moments(sharpe, needed, -1.0, 6.0)  # type: ignore[arg-type] # a length between two periods
    assert psr(at, 0.01) == pytest.approx(confidence, abs=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: moments(np.array([0.1])),
        lambda: min_track_record_length(Moments(0.1, 5), confidence=1.0),
        lambda: psr_2025(Moments(0.1, 5), autocorrelation=1.0),
        lambda: psr_2025(Moments(0.1, 5, skew=9.0), benchmark=0.2),  # no series has these
    ],
)
def test_what_has_no_answer_is_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]


def test_the_variant_of_2025_reproduces_its_figures() -> None:
    # The same two years of returns: .913 and .987 are both "the" probability.
    assert psr_2025(HEDGE_FUND) == pytest.approx(0.987207261261433, abs=1e-12)
    assert psr_2025(HEDGE_FUND, 0.1) == pytest.approx(0.9391476251031433, abs=1e-12)
    assert min_track_record_length_2025(HEDGE_FUND) == pytest.approx(13.028778315593735, abs=1e-12)
    assert min_track_record_length_2025(HEDGE_FUND, benchmark=1.0) == math.inf


def test_returns_that_run_on_are_less_sure_in_the_variant_of_2025() -> None:
    same = [psr_2025(HEDGE_FUND, 0.1, rho) for rho in (-0.3, 0.0, 0.3)]
    assert same == sorted(same, reverse=True)
    # Of normal returns at 0, only (1 + rho) / (1 - rho) is left: 3 at a half.
    normal = Moments(0.1, 120)
    assert psr_2025(normal, 0.0, 0.5) == pytest.approx(psr_2025(Moments(0.1, 40)), abs=1e-12)


def test_every_probability_on_file_is_reproduced(oracles: Oracles) -> None:
    known = oracles.values("psr_dsr_mintrl.json")
    paper = known["psr_paper2012"]
    of = Moments(*(paper["inputs"][name] for name in ("sr", "T", "skew", "kurt")))
    normal = of._replace(skew=0.0, kurtosis=3.0)
    assert psr(of) == pytest.approx(paper["psr_nonnormal"], abs=1e-12)
    assert psr(normal) == pytest.approx(paper["psr_normal"], abs=1e-12)
    assert psr(of._replace(periods=36)) == pytest.approx(paper["psr_nonnormal_T36"], abs=1e-12)
    assert [psr(of), psr(normal)] == pytest.approx(paper["mp"], abs=1e-12)
    later = known["lopezdeprado2025"]
    for benchmark, name in ((0.0, "SR0=0"), (0.1, "SR0=0.1")):
        assert psr_2025(of, benchmark) == pytest.approx(later[f"psr_{name}"], abs=1e-12)
    assert min_track_record_length_2025(of) == pytest.approx(later["mintrl"], abs=1e-12)


def test_every_track_record_on_file_is_reproduced(oracles: Oracles) -> None:
    years = oracles.values("psr_dsr_mintrl.json")["mintrl_paper2012_years"]
    cases = {
        "daily": (252, 0.0, 3.0),
        "weekly": (52, 0.0, 3.0),
        "monthly": (12, 0.0, 3.0),
        "monthly_skew-0.72_kurt5.78": (12, -0.72, 5.78),
    }
    assert set(years) == set(cases)
    for name, (per_year, skew, kurtosis) in cases.items():
        of = Moments(2 / math.sqrt(per_year), 0, skew, kurtosis)
        found = min_track_record_length(of, 1 / math.sqrt(per_year)) / per_year
        assert found == pytest.approx(years[name], abs=1e-12)


def test_moments_and_probability_of_a_recorded_series(oracles: Oracles) -> None:
    known = oracles.values("library_cross_checks.json")
    of = moments(oracles.matrix("psr_series_250.csv"))
    assert of.sharpe == pytest.approx(known["sr_daily"], abs=1e-12)
    assert of.skew == pytest.approx(known["skew_population"], abs=1e-12)
    assert of.kurtosis == pytest.approx(known["kurt_population"], abs=1e-12)
    assert psr(of) == pytest.approx(known["psr0"], abs=1e-9)
    assert psr(of) == pytest.approx(known["quantstats_psr"], abs=2e-4)  # of sample moments
