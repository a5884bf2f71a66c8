"""Draws are of what there is, as likely as they should be, and the same for the same key."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.draws import luck_of

seeds = st.integers(0, 2**62)


@given(seeds, st.integers(1, 1_000))
def test_a_draw_below_a_count_is_whole_and_below_it(seed: int, count: int) -> None:
    luck = luck_of(seed)
    assert all(luck.below(count) in range(count) for _ in range(20))


@given(seeds, st.lists(st.integers(), min_size=1), st.integers(0, 9))
def test_some_are_different_ones_of_those_there_are(seed: int, options: list, count: int) -> None:
    numbered = list(enumerate(options))
    drawn = luck_of(seed).some(numbered, count)
    assert len(set(drawn)) == len(drawn) == min(count, len(options))
    assert set(drawn) <= set(numbered)
    assert luck_of(seed).pick(options) in options


def test_each_is_drawn_as_often_as_it_should_be() -> None:
    luck = luck_of(1)
    picked = Counter(luck.pick("abcd") for _ in range(8_000))
    assert all(1_800 < count < 2_200 for count in picked.values())
    weighed = Counter(luck.weighted({"a": 1, "b": 0, "c": 3}) for _ in range(8_000))
    assert weighed["c"] / weighed["a"] == pytest.approx(3, rel=0.1)
    assert "b" not in weighed
    assert sum(luck.chance(30) for _ in range(8_000)) == pytest.approx(2_400, rel=0.1)


def test_nothing_happens_at_no_percent_and_all_at_a_hundred() -> None:
    luck = luck_of(1)
    assert not any(luck.chance(0) for _ in range(100))
    assert all(luck.chance(100) for _ in range(100))


def test_a_key_decides_all_draws_and_another_key_gives_others() -> None:
    def drawn(*key: int) -> list[int]:
        luck = luck_of(*key)
        return [luck.below(1_000_000) for _ in range(5)]

    assert drawn(1, 2) == drawn(1, 2)
    assert len({tuple(drawn(*key)) for key in ((1,), (2,), (1, 2), (2, 1), (12,), (1, 2, 0))}) == 6


def test_the_first_of_a_key_never_change() -> None:
    luck = luck_of(7, 1)
    assert [luck.below(1_000) for _ in range(4)] == [947, 21, 501, 696]
