"""Flags as bits, 64 to a word, and the jump to the next one.

A row of flags is a stretch of one long array of words, its bank.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from research.kernels import kernel, part

I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]

NO_ROW = -1  # in place of the row of a rule that a strategy does not have

_PLAIN: Any = ("C", "W")  # the one layout that kernels are compiled for

ONE, _ALL = np.uint64(1), np.uint64(0xFFFF_FFFF_FFFF_FFFF)
# 64 windows of 6 bits, each another number: a power of two shifts its own to the top.
_WINDOWS = np.uint64(0x0218_A392_CD3D_5DBF)
_TOP = np.uint64(58)
_PLACES = np.zeros(64, np.int64)
for _place in range(64):
    _PLACES[(int(_WINDOWS) << _place & int(_ALL)) >> 58] = _place


class Grid(NamedTuple):
    """Where flags lie among the finest bars; both arrays are empty where each bar has its own."""

    size: int  # how many flags there are
    bars: I8  # the bar on whose close each flag is decided
    first: I8  # for each bar, the first flag decided on its close or later


def every_bar(bars: int) -> Grid:
    """Return the grid of flags that are decided on every bar."""
    return Grid(bars, np.empty(0, np.int64), np.empty(0, np.int64))


def closed_bars(bars: int, last: I8) -> Grid:
    """Return the grid of flags that are decided on the bars `last`."""
    if last.size == bars:
        return every_bar(bars)
    ended = np.zeros(bars + 1, np.int64)
    ended[last + 1] = 1
    return Grid(last.size, np.require(last, np.int64, _PLAIN), np.cumsum(ended)[:-1])


def words_of(flags: NDArray[np.bool_]) -> U8:
    """Return booleans as bits, the first of them lowest; the rest of the last word is 0."""
    words = np.zeros(-(-flags.size // 64), np.uint64)
    packed = np.packbits(flags, bitorder="little")
    words.view(np.uint8)[: packed.size] = packed
    return words


def clear_before(words: U8, first: int) -> None:
    """Set the bits before `first` to 0."""
    whole, rest = divmod(first, 64)
    words[:whole] = 0
    if rest and whole < words.size:
        words[whole] &= _ALL << np.uint64(rest)


def clear_from(words: U8, end: int) -> None:
    """Set the bits from `end` on to 0."""
    whole, rest = divmod(end, 64)
    if rest and whole < words.size:
        words[whole] &= ~(_ALL << np.uint64(rest))
        whole += 1
    words[whole:] = 0


@kernel
def lowest_nb(word: np.uint64) -> int:
    """Return the place of the lowest bit that is set; there must be one."""
    return int(_PLACES[((word & (~word + ONE)) * _WINDOWS) >> _TOP])


@part
def word_nb(bank: U8, one: int, other: int, at: int) -> Any:
    """Return the flags of row `one` or row `other`, not both; NO_ROW has none."""
    if other == NO_ROW:
        return bank[one + at]
    if one == NO_ROW:
        return bank[other + at]
    return bank[one + at] ^ bank[other + at]


@part
def next_nb(bank: U8, one: int, other: int, first: int, size: int) -> int:
    """Return the first flag from `first` on that is set in one of two rows alone, else `size`.

    No word before `at` holds such a flag, and what lies before `first` in its word is masked.
    """
    if first >= size or (one == NO_ROW and other == NO_ROW):
        return size
    at, end = first >> 6, ((size - 1) >> 6) + 1
    word = word_nb(bank, one, other, at) & (_ALL << np.uint64(first & 63))
    while word == 0:
        at += 1
        if at == end:
            return size
        word = word_nb(bank, one, other, at)
    return min((at << 6) + lowest_nb(word), size)
