"""Steps on numbers: some way off, within bounds, and as a person would write them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.draws import luck_of
from research.evolution.numbers import (
    LEAST_LEVEL,
    LONGEST_PERIOD,
    LONGEST_TIMEOUT,
    MOST_LEVEL,
    stepped,
    stepped_count,
    stepped_level,
    stepped_reading,
    stepped_timeout,
    two_digits,
)
from research.expressions import LARGEST, SMALLEST, Reading, walk
from research.indicators import INDICATORS
from research.syntax import condition_of
from research.tokens import plain
from tests.research.trees import readings

seeds = st.integers(0, 2**32)


@given(seeds, st.floats(SMALLEST, LARGEST))
def test_a_step_leads_to_another_number_of_two_digits(seed: int, value: float) -> None:
    moved = stepped(luck_of(seed), value)
    assert SMALLEST <= moved <= LARGEST
    assert len(plain(moved).replace(".", "").strip("0")) <= 2
    assert moved != value or value in (SMALLEST, LARGEST)


def test_steps_are_by_factors_both_ways() -> None:
    luck = luck_of(1)
    logs = np.log([stepped(luck, 50.0) / 50.0 for _ in range(4_000)])
    assert abs(np.mean(logs)) < 0.02
    assert 0.3 < np.std(logs) < 0.4


def test_zero_stays() -> None:
    assert stepped(luck_of(1), 0.0) == 0.0


@given(seeds, st.integers(1, 10_000), st.integers(1, 5))
def test_a_count_steps_to_another_within_its_bounds(seed: int, value: int, least: int) -> None:
    moved = stepped_count(luck_of(seed), value, least, 400)
    assert least <= moved <= 400
    assert moved != value


@given(seeds, readings())
def test_a_stepped_indicator_is_one_that_the_language_takes(seed: int, reading: Reading) -> None:
    moved = stepped_reading(luck_of(seed), reading)
    if moved is None:
        assert not reading.params or INDICATORS[reading.name].ascending
        return
    assert walk(condition_of(f"{moved} > 0"))[1] == moved
    assert moved.source == reading.source
    different = [a != b for a, b in zip(moved.params, reading.params, strict=True)]
    assert sum(different) <= 1
    changed = [v for v, is_new in zip(moved.params, different, strict=True) if is_new]
    assert all(value <= LONGEST_PERIOD for value in changed)


@given(seeds, st.floats(0.0001, 10))
def test_a_level_stays_a_sensible_share_of_the_price(seed: int, level: float) -> None:
    moved = stepped_level(luck_of(seed), level)
    assert LEAST_LEVEL <= moved <= MOST_LEVEL
    assert len(plain(moved)) <= 8


@given(seeds, st.integers(1, 525_600), st.sampled_from([1, 15, 240]))
def test_a_timeout_is_whole_bars(seed: int, minutes: int, step: int) -> None:
    bar = timedelta(minutes=step)
    moved = stepped_timeout(luck_of(seed), timedelta(minutes=minutes), bar)
    assert bar <= moved <= LONGEST_TIMEOUT
    assert moved % bar == timedelta(0)


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.0, 0.0), (123.4, 120.0), (0.01234, 0.012), (99.7, 100.0), (7.0, 7.0)]
)
def test_two_digits_are_kept(value: float, rounded: float) -> None:
    assert two_digits(value) == rounded
