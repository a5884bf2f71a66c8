"""The haircut of Sharpe ratios: the published example, and what more tests cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.haircut import Haircut, annualisation, haircut, simulated
from research.statistics.multiple import holm

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles


def example(**changes: float) -> Haircut:
    """Return ten years of months with a ratio of 1, found in 100 tests."""
    options = {"autocorrelation": 0.1, "correlation": 0.4} | changes
    return haircut(1.0, 120, 100, **options)  # type: ignore[arg-type] # numbers by name


def test_the_example_of_2015() -> None:
    found = example()
    assert found.adjusted == pytest.approx(0.9122454608392983, abs=1e-12)
    assert found.t == pytest.approx(2.8847734414021216, abs=1e-12)
    assert found.p == pytest.approx(0.0046512300015943975, abs=1e-12)
    assert found.bonferroni.p == pytest.approx(0.46512300015943975, abs=1e-11)
    assert found.bonferroni.sharpe == pytest.approx(0.23173088626954952, abs=1e-10)
    assert found.bonferroni.haircut == pytest.approx(0.7459774849892387, abs=1e-10)
    # The authors' program prints .465, .409, .174 and their mean, .348 (a simulation).
    assert found.holm.p == pytest.approx(0.409, abs=0.01)
    assert found.bhy.p == pytest.approx(0.174, abs=0.01)


def test_the_haircut_on_file_is_reproduced(oracles: Oracles) -> None:
    known = oracles.values("fdr_cpcv_neff_haircut.json")["harvey_liu"]
    given_ = known["inputs"]
    found = haircut(
        given_["sr_annual"],
        given_["obs"],
        given_["tests"],
        autocorrelation=given_["ac"],
        correlation=given_["rho"],
    )
    assert found.adjusted == pytest.approx(known["sr_ac_adjusted"], abs=1e-12)
    assert found.t == pytest.approx(known["t"], abs=1e-12)
    assert found.p == pytest.approx(known["p_single"], abs=1e-12)
    assert found.bonferroni.p == pytest.approx(known["bonferroni_p"], abs=1e-11)
    assert found.bonferroni.sharpe == pytest.approx(known["bonferroni_haircut_sr"], abs=1e-10)
    assert found.bonferroni.haircut == pytest.approx(known["bonferroni_haircut"], abs=1e-10)
    assert found.holm.p == pytest.approx(known["holm_p_median"], abs=0.01)
    assert found.bhy.p == pytest.approx(known["bhy_p_median"], abs=0.01)
    printed = known["hl_code_published"]
    mean = np.mean([found.bonferroni.p, found.holm.p, found.bhy.p])
    assert mean == pytest.approx(printed["average"], abs=0.01)


def test_another_seed_says_much_the_same() -> None:
    assert example(seed=5).holm.p == pytest.approx(0.409, abs=0.015)


def test_autocorrelation_by_hand() -> None:
    # Lo (2002): of two periods the variance of the sum is 2 + 2 rho.
    assert annualisation(0.1, 2.0) == pytest.approx((1.1) ** -0.5, abs=1e-12)
    assert annualisation(0.0, 365.0) == 1.0
    assert annualisation(-0.1, 12.0) > 1.0


def test_simulated_tests_beside_ours_are_stepped_down_as_any_others() -> None:
    others = simulated(30, 0.2, 50, 3)
    expected = [holm([*row, 0.0123])[-1] for row in others]
    found = haircut(1.0, 120, 30, correlation=0.2, draws=50, seed=3)
    again = [holm([*row, found.p])[-1] for row in others]
    assert found.holm.p == pytest.approx(float(np.median(again)), abs=1e-12)
    assert min(expected) > 0.0123


def test_as_many_simulated_factors_matter_as_the_mixture_says() -> None:
    p = simulated(2000, 0.0, 50, 1)
    # A share of .397 has no effect; about .05 of those is below .05, and most of the others.
    null = 0.3966
    assert null * 0.05 < (p < 0.05).mean() < null * 0.05 + (1 - null)
    assert (p > 0.5).mean() >= null * 0.5 - 0.02


@settings(max_examples=20)
@given(tests=st.integers(1, 200), sharpe=st.floats(0.2, 4.0))
def test_more_tests_leave_less_and_bonferroni_leaves_least(tests: int, sharpe: float) -> None:
    few, many = (haircut(sharpe, 365, n, per_year=365, draws=50) for n in (tests, 2 * tests))
    assert many.bonferroni.sharpe <= few.bonferroni.sharpe
    for found in (few, many):
        assert found.holm.p <= min(1.0, (1 + 1 / max(tests, 1)) * found.bonferroni.p + 1e-12)
        assert found.adjusted == sharpe
        for each in (found.bonferroni, found.holm, found.bhy):
            assert 0.0 <= each.p <= 1.0
            assert each.haircut <= 1.0


def test_a_ratio_beyond_all_doubt_is_left_alone() -> None:
    found = haircut(500.0, 5000, 10, per_year=365, draws=10)
    assert found.p == 0.0
    assert found.bonferroni.haircut == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: haircut(0.0, 120, 10),
        lambda: haircut(1.0, 2, 10),
        lambda: haircut(1.0, 120, 0),
        lambda: example(correlation=0.9),
        lambda: example(autocorrelation=1.0),
    ],
)
def test_a_haircut_of_nothing_is_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
