"""Flags in words, and the search for the next one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.engine.bits import (
    NO_ROW,
    clear_before,
    clear_from,
    closed_bars,
    every_bar,
    lowest_nb,
    next_nb,
    word_nb,
    words_of,
)
from research.engine.walk import flag_nb

flags = st.lists(st.booleans(), min_size=1, max_size=200).map(np.array)


def unpacked(words: np.ndarray, size: int) -> list[bool]:
    return np.unpackbits(words.view(np.uint8), bitorder="little")[:size].astype(bool).tolist()


@pytest.mark.parametrize("place", range(64))
def test_the_lowest_bit_is_found_whatever_lies_above(place: int) -> None:
    for above in (0, 1, 0xDEAD_BEEF_0123_4567):
        word = np.uint64((1 << place | above << place + 1) & (2**64 - 1))
        with np.errstate(over="ignore"):  # it multiplies on purpose beyond 64 bits
            assert lowest_nb(word) == lowest_nb.py_func(word) == place


@given(one=flags)
def test_booleans_become_bits_and_the_rest_is_clear(one: np.ndarray) -> None:
    words = words_of(one)
    assert unpacked(words, words.size * 64) == [*one.tolist(), *[False] * (-one.size % 64)]


@given(one=flags, cut=st.integers(0, 220))
def test_bits_are_cleared_on_one_side_of_a_cut(one: np.ndarray, cut: int) -> None:
    before, after = words_of(one), words_of(one)
    clear_before(before, cut)
    clear_from(after, cut)
    place = np.arange(one.size)
    assert unpacked(before, one.size) == (one & (place >= cut)).tolist()
    assert unpacked(after, one.size) == (one & (place < cut)).tolist()


@given(one=flags, first=st.integers(0, 210), seed=st.integers())
def test_the_next_flag_is_the_first_that_one_row_alone_has(
    one: np.ndarray, first: int, seed: int
) -> None:
    other = np.random.default_rng(abs(seed)).random(one.size) < 0.3
    rows = [words_of(each) for each in (one, other)]
    bank, second = np.concatenate([np.ones(1, np.uint64), *rows]), 1 + rows[0].size
    for left, right, flagged in (
        (1, NO_ROW, one),
        (NO_ROW, second, other),
        (1, second, one ^ other),
        (NO_ROW, NO_ROW, one & ~one),
    ):
        ahead = np.flatnonzero(flagged[first:]) + first
        expected = int(ahead[0]) if ahead.size else one.size
        with np.errstate(over="ignore"):
            assert next_nb(bank, left, right, first, one.size) == expected
            assert next_nb.py_func(bank, left, right, first, one.size) == expected


def test_a_word_of_two_rows_holds_what_one_alone_has() -> None:
    bank = np.array([0b0011, 0b0101], np.uint64)
    for kernel in (word_nb, word_nb.py_func):
        assert [kernel(bank, *rows, 0) for rows in ((0, -1), (-1, 1), (0, 1))] == [3, 5, 6]


def test_a_grid_says_which_flag_comes_next() -> None:
    grid = closed_bars(6, np.array([1, 4]))
    assert (grid.bars.tolist(), grid.first.tolist()) == ([1, 4], [0, 0, 1, 1, 1, 2])
    assert closed_bars(2, np.empty(0, np.int64)).first.tolist() == [0, 0]


def test_flags_of_every_bar_need_no_table() -> None:
    for grid in (every_bar(3), closed_bars(3, np.arange(3))):
        assert (grid.size, grid.bars.size, grid.first.size) == (3, 0, 0)
        assert [flag_nb(grid, t) for t in range(3)] == [0, 1, 2]
        assert [flag_nb.py_func(grid, t) for t in range(3)] == [0, 1, 2]
