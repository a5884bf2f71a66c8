"""The three tests of many strategies: fixed matrices, arch, and what they are for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.bootstrap import stationary_indices
from research.statistics.reality import (
    long_run_deviation,
    reality_check,
    resampled,
    step_down,
    superior_ability,
)

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles

BLOCK, DRAWS = 5, 1000


def crowd(seed: int = 2, edge: float = 0.0, periods: int = 250) -> np.ndarray:
    """Return twenty strategies with an edge, in standard deviations a period, in the fourth."""
    returns = np.random.default_rng(seed).standard_normal((periods, 20))
    returns[:, 3] += edge
    return returns


def drawn(returns: np.ndarray, seed: int = 1234) -> np.ndarray:
    return stationary_indices(len(returns), BLOCK, DRAWS, seed)


def by_arch(returns: np.ndarray) -> tuple[float, ...]:
    """Return the p-values of the package on columns as they are; it looks at losses."""
    from arch.bootstrap import SPA

    spa = SPA(np.zeros(len(returns)), -returns, reps=DRAWS, block_size=BLOCK, seed=1234)
    spa.compute()
    return tuple(spa.pvalues[name] for name in ("lower", "consistent", "upper"))


def slow_deviation(returns: np.ndarray, block: float) -> np.ndarray:
    """Return the long-run deviation lag by lag, as Hansen's paper writes it."""
    periods, keep = len(returns), 1 - 1 / block
    centred = returns - returns.mean(axis=0)
    variance = (centred**2).sum(axis=0) / periods
    for lag in range(1, periods):
        weight = (1 - lag / periods) * keep**lag + lag / periods * keep ** (periods - lag)
        both = (centred[: periods - lag] * centred[lag:]).sum(axis=0)
        variance += 2 * weight * both / periods
    return np.sqrt(variance)


@pytest.mark.parametrize(
    ("name", "raw", "studentised", "found", "statistic"),
    [
        ("noise", (0.243, 0.387, 0.391), (0.2, 0.336, 0.345), (), 2.019580999430136),
        ("edge3_0.2sd", (0.02, 0.029, 0.029), (0.008, 0.012, 0.012), (3,), 3.102728289634366),
        ("edge3_edge11_bad0", (0.002, 0.003, 0.003), (0, 0.001, 0.001), (3,), 3.945220619538765),
        ("edge3_but_col9_20x_vol", (0.188,) * 3, (0.008, 0.012, 0.012), (3,), 3.102728289634366),
    ],
)
def test_every_p_value_on_file_is_reproduced(  # noqa: PLR0917 - columns of the table above
    oracles: Oracles,
    name: str,
    raw: tuple[float, ...],
    studentised: tuple[float, ...],
    found: tuple[int, ...],
    statistic: float,
) -> None:
    known = oracles.values("spa_stepm_blocklen.json")
    returns = oracles.matrix(f"spa_{name}.csv")
    indices = drawn(returns, known["seed_arch"])
    plain = resampled(returns, indices, BLOCK, studentised=False)
    scaled = resampled(returns, indices, BLOCK)
    assert superior_ability(scaled).statistic == pytest.approx(statistic, abs=1e-9)
    assert superior_ability(scaled)[1:] == studentised
    assert superior_ability(plain)[1:] == raw
    assert step_down(scaled).superior == found
    case = known[name]
    names = ("lower", "consistent", "upper")
    assert raw == tuple(case["arch_spa"][each] for each in names)
    assert studentised == tuple(case["arch_spa_on_prescaled"][each] for each in names)
    assert studentised == tuple(case["own_same_indices_studentized"][each] for each in names)
    assert reality_check(returns, indices) == case["arch_realitycheck"]["upper"]
    assert list(step_down(scaled).superior) == case["arch_stepm_on_prescaled"]
    assert list(step_down(plain).superior) == case["arch_stepm"]


@pytest.mark.parametrize("name", ["noise", "edge3_0.2sd", "edge3_but_col9_20x_vol"])
def test_other_random_numbers_say_much_the_same(oracles: Oracles, name: str) -> None:
    case = oracles.values("spa_stepm_blocklen.json")[name]["own_other_rng_studentized"]
    returns = oracles.matrix(f"spa_{name}.csv")
    found = superior_ability(resampled(returns, drawn(returns, 99), BLOCK))
    assert found.consistent == pytest.approx(case["consistent"], abs=0.05)  # 3 standard errors


@pytest.mark.parametrize("edge", [0.0, 0.15, 0.3])
def test_p_values_agree_with_arch(edge: float) -> None:
    returns = crowd(5, edge)
    indices = drawn(returns)
    plain = resampled(returns, indices, BLOCK, studentised=False)
    assert superior_ability(plain)[1:] == by_arch(returns)
    assert reality_check(returns, indices) == by_arch(returns)[2]
    scaled = returns / long_run_deviation(returns, BLOCK)
    assert superior_ability(resampled(returns, indices, BLOCK))[1:] == by_arch(scaled)


def test_the_step_down_agrees_with_arch() -> None:
    from arch.bootstrap import StepM

    returns = crowd(8, 0.3)
    returns[:, 15] += 0.25
    scaled = returns / long_run_deviation(returns, BLOCK)
    theirs = StepM(np.zeros(250), -scaled, reps=DRAWS, block_size=BLOCK, seed=1234)
    theirs.compute()
    found = step_down(resampled(returns, drawn(returns), BLOCK))
    assert found.superior == tuple(theirs.superior_models)


def test_one_wild_strategy_hides_the_others_only_without_scaling() -> None:
    returns = crowd(6, 0.3)
    returns[:, 9] = 20 * (returns[:, 9] - returns[:, 9].mean())
    indices = drawn(returns)
    assert superior_ability(resampled(returns, indices, BLOCK)).consistent < 0.05
    assert step_down(resampled(returns, indices, BLOCK)).superior == (3,)
    plain = resampled(returns, indices, BLOCK, studentised=False)
    assert superior_ability(plain).consistent > 0.1
    assert step_down(plain).superior == ()


@given(seed=st.integers(0, 1000), block=st.floats(1, 20), periods=st.integers(3, 40))
def test_the_deviation_over_frequencies_is_that_over_lags(
    seed: int, block: float, periods: int
) -> None:
    returns = np.random.default_rng(seed).normal(0.001, 0.02, (periods, 4))
    expected = slow_deviation(returns, block)
    assert long_run_deviation(returns, block) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_independent_returns_have_their_plain_deviation() -> None:
    returns = crowd()
    assert long_run_deviation(returns, 1.0) == pytest.approx(returns.std(axis=0), rel=1e-9)


def test_a_step_finds_what_the_first_look_missed() -> None:
    # Once the wildest noise (found, because it is the best) is out, the bar is lower.
    statistics = np.array([5.0, 2.0, 0.0])
    draws = statistics + np.array([[4.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.5, 0.0], [3.0, 0, 1]])
    of = resampled(crowd(), drawn(crowd()), BLOCK)._replace(statistics=statistics, draws=draws)
    assert step_down(of, 0.01).superior == (0, 1)
    assert step_down(of, 0.01).bar == pytest.approx(1.0)
    assert (
        step_down(of._replace(statistics=statistics - 2.0, draws=draws - 2.0), 0.01).superior == ()
    )


def test_useless_strategies_count_only_in_the_upper_value() -> None:
    returns = np.column_stack((crowd(3, 0.2), crowd(4) - 1.0))
    found = superior_ability(resampled(returns, drawn(returns), BLOCK))
    assert found.lower <= found.consistent < found.upper


def test_strategies_that_never_traded_change_nothing() -> None:
    returns = crowd(2, 0.3)
    idle = np.column_stack((np.zeros((250, 5)), returns))
    alone, beside = (resampled(x, drawn(x), BLOCK) for x in (returns, idle))
    assert superior_ability(alone) == superior_ability(beside)
    assert step_down(beside).superior == tuple(i + 5 for i in step_down(alone).superior)


def test_noise_is_called_superior_about_as_often_as_said() -> None:
    found = []
    for seed in range(60):
        returns = crowd(seed, periods=365)
        draws = stationary_indices(365, BLOCK, 200, seed)
        found.append(superior_ability(resampled(returns, draws, BLOCK)).consistent <= 0.1)
    assert 0 < np.mean(found) < 0.1 + 3 * math.sqrt(0.1 * 0.9 / 60)


@pytest.mark.parametrize(
    "call",
    [
        lambda: resampled(np.zeros(5), np.zeros((1, 5), np.int64), 5),
        lambda: resampled(np.zeros((5, 2)), np.zeros((1, 4), np.int64), 5),
        lambda: resampled(np.zeros((2, 2)), np.zeros((1, 2), np.int64), 5),
        lambda: step_down(resampled(crowd(), drawn(crowd()), BLOCK), 0.0),
    ],
)
def test_returns_that_fit_no_draws_are_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
