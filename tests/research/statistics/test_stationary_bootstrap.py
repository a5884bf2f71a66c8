"""Draws of the stationary bootstrap and the length of its blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.bootstrap import (
    from_starts,
    from_uniforms,
    optimal_block_length,
    stationary_indices,
)

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles

STARTS = [0.81858, 0.46704, 0.8917, 0.86173, 0.82687, 0.97576, 0.091, 0.4751, 0.41121, 0.95092]
JUMPS = [0.3799, 0.21713, 0.94214, 0.10011, 0.70613, 0.53104, 0.57024, 0.64725, 0.69945, 0.10606]


def wave(seed: int = 0, rho: float = 0.3, count: int = 10_000) -> np.ndarray:
    """Return an autoregressive series after 100 values of warm-up."""
    series = np.random.RandomState(seed).standard_normal(count + 100)
    for i in range(1, series.size):
        series[i] += rho * series[i - 1]
    return series[100:]


def test_a_draw_by_hand() -> None:
    # Of twelve periods, in blocks of four on average: a jump where the second number is under 1/4.
    starts, jumps = np.array([*STARTS, 0.30406, 0.36127]), np.array([*JUMPS, 0.73352, 0.70721])
    expected = [9, 5, 6, 10, 11, 0, 1, 2, 3, 11, 0, 1]
    assert from_uniforms(starts, jumps, 4).tolist() == expected


def test_the_draw_on_file_is_reproduced(oracles: Oracles) -> None:
    known = oracles.values("mcpt_permutation.json")["stationary_bootstrap_index"]
    starts, jumps = np.array(known["u_start"]), np.array(known["u_jump"])
    assert from_uniforms(starts, jumps, known["b"]).tolist() == known["idx"]


def test_draws_are_those_of_arch() -> None:
    from arch.bootstrap import StationaryBootstrap

    theirs = StationaryBootstrap(7, np.arange(50), seed=11)
    expected = [data[0][0] for data in theirs.bootstrap(20)]
    assert np.array_equal(stationary_indices(50, 7, 20, 11), expected)


@given(block=st.floats(1, 30), seed=st.integers(0, 1000), periods=st.integers(1, 80))
def test_a_draw_goes_on_or_starts_anew(block: float, seed: int, periods: int) -> None:
    rng = np.random.default_rng(seed)
    starts, jumps = rng.integers(periods, size=periods), rng.random(periods)
    kept = jumps.copy()
    found = from_starts(starts, jumps, block)
    assert np.array_equal(jumps, kept)
    for place in range(periods):
        anew = place == 0 or jumps[place] < 1 / block
        expected = starts[place] if anew else (found[place - 1] + 1) % periods
        assert found[place] == expected


def test_blocks_are_as_long_as_was_asked() -> None:
    found = stationary_indices(1000, 8.0, 50, 1)
    follows = np.diff(found, axis=1) % 1000 == 1
    assert 1 / (1 - follows.mean()) == pytest.approx(8.0, rel=0.1)


def test_the_block_length_of_a_fixed_series_in_both_variants() -> None:
    # The first is the value that the package arch tests itself with.
    assert optimal_block_length(wave(), "arch") == pytest.approx((13.635665, 15.608940), abs=1e-6)
    assert optimal_block_length(wave()) == pytest.approx((14.40252779, 16.48677869), abs=1e-6)


def test_every_block_length_on_file_is_reproduced(oracles: Oracles) -> None:
    known = oracles.values("spa_stepm_blocklen.json")
    for case, series in (
        (known["optimal_block_length"], wave()),
        (known["optimal_block_length_ar05_n500"], oracles.matrix("blocklen_ar05_n500.csv")),
    ):
        theirs = case["own_arch_mhat_plus1"][:2]
        assert optimal_block_length(series, "arch") == pytest.approx(theirs, abs=1e-6)
        paper = case["own_politis_white_mhat"][:2]
        assert optimal_block_length(series) == pytest.approx(paper, abs=1e-6)


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.2, 0.7, 0.95])
def test_block_lengths_agree_with_arch(rho: float) -> None:
    from arch.bootstrap import optimal_block_length as theirs

    for seed in range(5):
        series = wave(seed, rho, 400)
        expected = np.maximum(theirs(series).to_numpy()[0], 1.0)
        assert optimal_block_length(series, "arch") == pytest.approx(expected, rel=1e-9)


def test_what_remembers_longer_needs_longer_blocks() -> None:
    lengths = [optimal_block_length(wave(1, rho, 2000)).stationary for rho in (0.1, 0.5, 0.9)]
    assert lengths == sorted(lengths)
    assert optimal_block_length(np.zeros(30)) == (1.0, 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: stationary_indices(10, 5, 0, 1),
        lambda: from_starts(np.arange(3), np.zeros(3), 0.5),
        lambda: from_starts(np.arange(3), np.zeros(2), 2),
        lambda: optimal_block_length(np.zeros(5)),
        lambda: optimal_block_length(np.zeros(50), "patton"),  # type: ignore[arg-type]
    ],
)
def test_a_bootstrap_of_nothing_is_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
