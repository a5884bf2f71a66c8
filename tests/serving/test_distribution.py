from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.distribution import histogram

SCORES = st.lists(st.floats(-1e4, 1e4), max_size=200)
NONE = np.array([])


@given(SCORES, SCORES, st.lists(st.floats(-50, 50), max_size=3))
def test_every_world_is_counted_once(
    scores: list[float], others: list[float], show: list[float]
) -> None:
    bins = histogram(np.array(scores), np.array(others), show=show)
    assert bins.counts.sum() == len(scores)
    assert bins.others.sum() == len(others)
    assert len(bins.edges) == len(bins.counts) + 1 == len(bins.others) + 1


@given(SCORES, SCORES, st.lists(st.floats(-50, 50), min_size=1, max_size=3))
def test_all_that_is_to_be_shown_is_in_view(
    scores: list[float], others: list[float], show: list[float]
) -> None:
    bins = histogram(np.array(scores), np.array(others), show=show)
    every = [*scores, *others, *show]
    assert bins.edges[0] <= min(every)
    assert max(every) < bins.edges[-1]
    assert len(bins.counts) <= 100


def test_bars_follow_the_spread_of_the_worlds_not_the_distance_of_the_best() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(5.0, 0.8, 499)
    near = histogram(scores, NONE, show=[9.0])
    far = histogram(scores, NONE, show=[18.0])
    for bins in (near, far):
        assert 15 <= int((bins.counts > 0).sum()) <= 50


def test_one_world_makes_one_bar() -> None:
    bins = histogram(np.array([1.5]), NONE, show=[])
    assert bins.counts.sum() == bins.most == 1


def test_no_world_makes_an_empty_picture() -> None:
    assert histogram(NONE, NONE, show=[]).most == 0
