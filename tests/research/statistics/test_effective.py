"""Effective numbers of strategies: closed forms, and the truth that they miss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.deflated import max_quantile
from research.statistics.effective import (
    effective_from_mean,
    effective_from_null,
    effective_of_returns,
    effective_trials,
)

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles


def clusters(count: int, size: int, rho: float) -> np.ndarray:
    """Return a correlation of `rho` within clusters and none between them."""
    within = np.full((size, size), rho)
    np.fill_diagonal(within, 1.0)
    return np.kron(np.eye(count), within)


def fading(count: int, rho: float) -> np.ndarray:
    places = np.arange(count)
    return rho ** np.abs(places[:, None] - places)


MATRICES = {
    "identity500": clusters(500, 1, 0.0),
    "equi500_0.3": clusters(1, 500, 0.3),
    "equi500_0.8": clusters(1, 500, 0.8),
    "blocks_10x50_rho.9": clusters(10, 50, 0.9),
    "blocks_50x10_rho.5": clusters(50, 10, 0.5),
    "blocks_50x10_rho.9": clusters(50, 10, 0.9),
    "ar_500_0.95": fading(500, 0.95),
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("identity500", (500, 500, 500, 500, 500, 500)),
        ("equi500_0.3", (10.890873, 141.481996, 369.403382, 351, 455.09, 350.3)),
        ("blocks_10x50_rho.9", (12.288031, 20.179145, 98.664051, 60, 460.31, 455.9)),
    ],
)
def test_six_ways_to_count_five_hundred(name: str, expected: tuple[float, ...]) -> None:
    assert effective_trials(MATRICES[name]) == pytest.approx(expected, abs=1e-6)


def test_the_factory_counts_from_the_best_of_its_worlds() -> None:
    # Ten clusters of fifty at 0.9 are 65 independent strategies, wherever their best goes.
    assert effective_from_null(3.1621265232853126) == pytest.approx(65.47403561521767, rel=1e-9)
    assert effective_from_null(max_quantile(500)) == pytest.approx(500, rel=1e-9)
    assert effective_from_null(0.5) == 1.0  # one strategy reaches 1.64
    assert effective_from_null(60.0) == math.inf


@given(trials=st.integers(2, 10**6), level=st.floats(0.01, 0.3))
def test_the_count_from_a_quantile_undoes_the_quantile(trials: int, level: float) -> None:
    found = effective_from_null(max_quantile(trials, level), level)
    assert found == pytest.approx(trials, rel=1e-6)


def test_every_count_on_file_is_reproduced(oracles: Oracles) -> None:
    known = oracles.values("fdr_cpcv_neff_haircut.json")["effective_N"]
    names = ["participation_ratio", "entropy_rank", "galwey", "li_ji", "nyholt", "bailey_avgcorr"]
    for matrix, correlation in MATRICES.items():
        case = known[matrix]
        expected = [case[name] for name in names]
        assert effective_trials(correlation) == pytest.approx(expected, rel=1e-11)
        from_quantile = effective_from_null(case["q95_MC"])
        assert from_quantile == pytest.approx(case["true_Neff_from_q95"], rel=1e-11)
        from_mean = effective_from_mean(case["Emax_MC"])
        assert from_mean == pytest.approx(case["true_Neff_from_Emax"], rel=1e-11)


def test_the_mean_of_the_best_counts_less_than_its_quantile_in_clusters() -> None:
    assert effective_from_mean(2.1813028040051003) == pytest.approx(39.181915112810415, rel=1e-9)
    assert effective_from_mean(0.0) == 1.0
    assert effective_from_mean(99.0) == math.inf


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_returns_are_counted_as_their_correlation_is(shape: tuple[int, int]) -> None:
    returns = np.random.default_rng(0).normal(0.001, 0.02, shape)
    returns[:, 1:4] += returns[:, :1]
    expected = effective_trials(np.corrcoef(returns.T))
    assert effective_of_returns(returns) == pytest.approx(expected, rel=1e-6)


def test_strategies_that_stand_still_do_not_count() -> None:
    returns = np.random.default_rng(0).normal(0.0, 0.02, (60, 5))
    idle = np.column_stack((returns, np.zeros((60, 3))))
    assert effective_of_returns(idle) == effective_of_returns(returns)
    assert effective_of_returns(np.zeros((60, 3))).galwey == 0.0


@given(count=st.integers(2, 12), rho=st.floats(0.0, 0.99))
def test_no_count_is_below_one_or_above_all(count: int, rho: float) -> None:
    for found in effective_trials(clusters(1, count, rho)):
        assert 1 - 1e-9 <= found <= count + 1e-9


@pytest.mark.parametrize(
    "call",
    [lambda: effective_trials(np.zeros((2, 3))), lambda: effective_from_null(2.0, level=1.0)],
)
def test_a_crowd_that_cannot_be_counted_is_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
