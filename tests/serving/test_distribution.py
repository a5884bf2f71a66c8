from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.distribution import describe, histogram

SCORES = st.lists(st.floats(-1e4, 1e4), max_size=200)


@given(SCORES, st.floats(-50, 50))
def test_every_trial_is_counted_once(values: list[float], hurdle: float) -> None:
    bins = histogram(np.array(values), show=hurdle)
    assert bins.counts.sum() == len(values)
    assert len(bins.edges) == len(bins.counts) + 1


@given(SCORES, st.floats(-50, 50))
def test_the_hurdle_and_the_best_trial_are_in_view(values: list[float], hurdle: float) -> None:
    bins = histogram(np.array(values), show=hurdle)
    assert bins.edges[0] <= hurdle < bins.edges[-1]
    assert not values or max(values) < bins.edges[-1]


@given(SCORES)
def test_there_are_never_more_bars_than_asked_for(values: list[float]) -> None:
    assert len(histogram(np.array(values), show=6.0, most=40).counts) <= 40


def test_hopeless_trials_do_not_flatten_the_side_that_matters() -> None:
    rng = np.random.default_rng(1)
    scores = np.concatenate([rng.normal(-1, 2, 1_000), np.full(50, -500.0)])
    bins = histogram(scores, show=6.2)
    assert bins.edges[0] > -30
    assert bins.below == 50
    assert bins.counts[0] >= 50


def test_one_trial_makes_one_bar() -> None:
    bins = histogram(np.array([1.5]), show=1.5)
    assert bins.counts.sum() == bins.most == 1


@pytest.mark.parametrize(
    ("scores", "promoted", "said"),
    [
        ([], 0, "No trial traded"),
        ([1.5], 0, "The one trial that traded has Sharpe 1.5; the luck hurdle is 6.2"),
        ([1.0, 7.0], 1, "1 trial was promoted"),
        ([1.0, 7.0, 8.0], 2, "2 trials were promoted"),
        ([1.0, 2.0], 0, "none was promoted"),
    ],
)
def test_the_chart_is_told_in_words(scores: list[float], promoted: int, said: str) -> None:
    assert said in describe(np.array(scores), 6.2, promoted)
