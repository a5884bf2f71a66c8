"""Overfitting by cross-validation: matrices of known probability, rebuilt from their seeds."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.pbo import Overfitting, overfitting
from tests.research.statistics.r_numbers import r_matrix, r_normals

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles


def noise(edge: float = 0.0) -> np.ndarray:
    """Return 160 periods of 20 strategies, `edge` standard deviations a period in one of them."""
    matrix = r_matrix(1, 160, 20)
    matrix[:, 7] += edge
    return matrix


@pytest.mark.parametrize(
    ("edge", "of_eight", "of_sixteen"),
    [
        (0.0, 0.4857142857142857, 0.5550893550893551),
        (0.10, 0.5428571428571428, 0.6005439005439005),
        (0.25, 0.3, 0.21973581973581974),
    ],
)
def test_the_probability_of_three_fixed_matrices(
    edge: float, of_eight: float, of_sixteen: float
) -> None:
    found = overfitting(noise(edge), 8)
    assert found.logits.size == 70
    assert found.pbo == of_eight
    assert overfitting(noise(edge)).pbo == of_sixteen


def test_the_line_through_the_halves_of_noise() -> None:
    found = overfitting(noise(), 8)
    assert found.slope == pytest.approx(-0.940613650428007, abs=1e-12)
    assert found.intercept == pytest.approx(0.1969743176919681, abs=1e-12)
    assert found.r_squared == pytest.approx(0.2433704384673937, abs=1e-12)
    assert found.loss == pytest.approx(0.45714285714285713, abs=1e-12)
    assert found.logits[:3] == pytest.approx(
        [0.6931471805599452, 1.1631508098056806, -0.48550781578170094], abs=1e-12
    )


def test_the_vignette_of_the_r_package_is_certainly_overfitted() -> None:
    # All 100 strategies have the same mean over all 2,400 days: what is good on one half must be
    # bad on the other. https://cran.r-project.org/web/packages/pbo/vignettes/pbo.html
    matrix = r_matrix(765, 2400, 100)
    matrix *= 252**-0.5 / matrix.std(axis=0, ddof=1)
    matrix -= matrix.mean(axis=0)
    found = overfitting(matrix, 8, minus=0.03 / 252)
    assert (found.pbo, found.loss) == (1.0, 1.0)
    assert found.slope == pytest.approx(-0.998013977633041, abs=1e-9)
    assert found.intercept == pytest.approx(-0.0045483993675817375, abs=1e-9)
    assert found.r_squared == pytest.approx(0.9718332747988946, abs=1e-9)
    assert found.logits.mean() == pytest.approx(-4.575033149570371, abs=1e-9)


def test_r_numbers_are_those_of_r() -> None:
    # set.seed(1); rnorm(3)
    assert r_normals(1, 3) == pytest.approx([-0.6264538, 0.1836433, -0.8356286], abs=1e-7)


def test_every_overfitting_on_file_is_reproduced(oracles: Oracles) -> None:
    known = oracles.values("pbo.json")
    for name in ("noise", "edge_col7_mu0.10", "edge_col7_mu0.25"):
        matrix = oracles.matrix(f"pbo_{name}.csv")
        assert overfitting(matrix, 8).logits == pytest.approx(known[name]["logits_S8"], abs=1e-12)
        for blocks in (8, 16):
            found, case = overfitting(matrix, blocks), known[name][f"S{blocks}"]
            size = found.logits.size
            assert size == case["ncomb"]
            assert found.pbo == case["pbo"]
            assert found.loss == case["p_loss"]
            assert found.slope == pytest.approx(case["slope"], abs=1e-12)
            assert found.intercept == pytest.approx(case["intercept"], abs=1e-12)
            assert found.r_squared == pytest.approx(case["r2"], abs=1e-12)
            assert found.logits.mean() == pytest.approx(case["logit_mean"], abs=1e-12)
            adjusted = 1 - (1 - found.r_squared) * (size - 1) / (size - 2)
            assert adjusted == pytest.approx(case["ar2"], abs=1e-12)
    others = oracles.values("library_cross_checks.json")
    for name, matrix in (("noise", "pbo_noise.csv"), ("edge0.25", "pbo_edge_col7_mu0.25.csv")):
        for blocks in (8, 16):
            both = others[f"fynance_pbo_{name}_S{blocks}"]
            assert overfitting(oracles.matrix(matrix), blocks).pbo == both["fynance"] == both["own"]


def test_the_matrices_on_file_are_those_rebuilt_from_their_seed(oracles: Oracles) -> None:
    assert noise() == pytest.approx(oracles.matrix("pbo_noise.csv"), abs=1e-14)
    known = oracles.values("pbo.json")["r_pbo_vignette"]["own_explicit"]
    assert known["pbo"] == 1.0


def test_a_best_that_is_best_everywhere_is_not_overfitted() -> None:
    ranked = noise()[:, :1] + np.arange(20) / 10
    found = overfitting(ranked, 8)
    assert found.pbo == 0.0
    assert found.loss == 0.0
    assert found.logits == pytest.approx(np.full(70, math.log(20)), abs=1e-12)


def test_losers_beside_noise_hide_its_overfitting() -> None:
    # Why this is no gate: pure noise, and a crowd that loses for sure.
    crowd = np.random.default_rng(4).normal(-1.0, 1.0, (160, 200))
    assert overfitting(np.column_stack((noise(), crowd)), 8).pbo < 0.1


def explicit(returns: np.ndarray, blocks: int) -> Overfitting:
    """Put every half together and rank its best on the other, one after the other."""
    parts = np.split(returns, blocks)
    logits, pairs = [], []
    for some in combinations(range(blocks), blocks // 2):
        halves = [
            np.concatenate([part for i, part in enumerate(parts) if (i in some) == own])
            for own in (True, False)
        ]
        own, other = (half.mean(axis=0) / half.std(axis=0, ddof=1) for half in halves)
        best = int(np.argmax(own))
        rank = sum(other < other[best]) + (sum(other == other[best]) + 1) / 2
        share = rank / (returns.shape[1] + 1)
        logits.append(math.log(share / (1 - share)))
        pairs.append((own[best], other[best]))
    x, y = np.array(pairs).T
    slope, intercept = np.polyfit(x, y, 1)
    return Overfitting(
        pbo=float(np.mean(np.array(logits) <= 0)),
        logits=np.array(logits),
        slope=float(slope),
        intercept=float(intercept),
        r_squared=float(np.corrcoef(x, y)[0, 1] ** 2),
        loss=float(np.mean(y < 0)),
    )


@given(seed=st.integers(0, 10**6), blocks=st.sampled_from([4, 6]), count=st.integers(2, 9))
def test_sums_of_blocks_say_what_whole_halves_say(seed: int, blocks: int, count: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0, 0.02, (blocks * 7, count))
    found, slow = overfitting(returns, blocks), explicit(returns, blocks)
    assert found.pbo == slow.pbo
    assert found.logits == pytest.approx(slow.logits, abs=1e-9)
    assert found[2:] == pytest.approx(slow[2:], abs=1e-7)


def test_strategies_that_stand_still_have_no_ratio() -> None:
    # The second trades in the first block only: elsewhere its ratio is 0, not 0/0 or rounding.
    returns = np.zeros((40, 3))
    returns[:, 0] = np.tile([-0.01, -0.02], 20)
    returns[:10, 1] = np.tile([0.03, 0.01], 5)
    found = overfitting(returns, 4)
    assert np.isfinite(found.logits).all()
    assert found.loss == 0.0


def test_days_that_do_not_fill_a_block_are_left_out_at_the_start() -> None:
    matrix = noise()
    longer = np.vstack((np.full((5, 20), 9.0), matrix))
    assert overfitting(longer, 8).pbo == overfitting(matrix, 8).pbo


@pytest.mark.parametrize(
    ("shape", "blocks"), [((160, 20), 7), ((160, 20), 0), ((6, 20), 8), ((160, 1), 8), ((160,), 8)]
)
def test_what_cannot_be_cut_in_halves_is_refused(shape: tuple[int, ...], blocks: int) -> None:
    with pytest.raises(InvalidInput):
        overfitting(np.zeros(shape), blocks)
