"""Flags in words: 64 bits a word where they are shared, 8 bytes a word where they came as booleans.

A row of flags is a stretch of one long array of words, its bank. `lane` is the logarithm of how
many flags a word holds: 6 for bits, 3 for bytes. Both are searched by the same jumps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from research.kernels import kernel, part

I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]

BITS, BYTES = 6, 3  # lanes
NO_ROW = -1  # in place of the row of a rule that a strategy does not have

_PLAIN: Any = ("C", "W")  # the one layout that kernels are compiled for

_0, _1, _2, _3, _4, _5, _6, _7, _255 = (np.uint64(n) for n in (*range(8), 255))
_ONE, _ALL = np.uint64(1), np.uint64(0xFFFF_FFFF_FFFF_FFFF)
# 64 windows of 6 bits, each another number: a power of two shifts its own to the top.
_WINDOWS = np.uint64(0x0218_A392_CD3D_5DBF)
_TOP = np.uint64(58)
_PLACES = np.zeros(64, np.int64)
for _place in range(64):
    _PLACES[(int(_WINDOWS) << _place & int(_ALL)) >> 58] = _place


class Grid(NamedTuple):
    """Where flags lie among the finest bars."""

    bars: I8  # the bar on whose close each flag is decided
    first: I8  # for each bar, the first flag decided on its close or later
    lane: int  # logarithm of how many flags a word holds


def every_bar(bars: int, *, lane: int = BYTES) -> Grid:
    """Return the grid of flags that are decided on every bar."""
    each = np.arange(bars, dtype=np.int64)
    return Grid(each, each, lane)


def closed_bars(bars: int, last: I8) -> Grid:
    """Return the grid of bits that are decided on the bars `last`."""
    ended = np.zeros(bars + 1, np.int64)
    ended[last + 1] = 1
    return Grid(np.require(last, np.int64, _PLAIN), np.cumsum(ended)[:-1], BITS)


def words_of(flags: NDArray[np.bool_]) -> U8:
    """Return booleans as bits, the first of them lowest; the rest of the last word is 0."""
    words = np.zeros(-(-flags.size // 64), np.uint64)
    packed = np.packbits(flags, bitorder="little")
    words.view(np.uint8)[: packed.size] = packed
    return words


def rows_of(flags: NDArray[np.bool_], lane: int) -> U8:
    """Return booleans, bars by strategies, as one row of words after the other.

    Bytes are not copied where each strategy's lie side by side and fill their words.
    """
    bars, strategies = flags.shape
    if lane == BYTES:
        rows = np.pad(flags.T, ((0, 0), (0, -bars % 8))) if bars % 8 else flags.T
        return np.require(rows, None, _PLAIN).reshape(-1).view(np.uint64)
    words = np.zeros((strategies, -(-bars // 64)), np.uint64)
    if strategies < 8:
        for row, column in zip(words, flags.T, strict=True):
            row[:] = words_of(column)
    else:
        given = np.require(flags, None, _PLAIN).reshape(-1).view(np.uint8)
        turn_nb(given, bars, strategies, words.reshape(-1).view(np.uint8))
    return words.reshape(-1)


def lane_of(*flags: NDArray[np.bool_]) -> int:
    """Return BYTES where each strategy's booleans lie side by side, else BITS."""
    return BYTES if all(each.flags.f_contiguous for each in flags) else BITS


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


@part
def eight_nb(flags: NDArray[np.uint8], at: Any) -> Any:
    """Return 8 neighbouring bytes as one word, the first lowest; a single load once compiled."""
    word = np.uint64(flags[at])
    for k in (_1, _2, _3, _4, _5, _6, _7):
        word |= np.uint64(flags[at + k]) << (k << _3)
    return word


@kernel
def turn_nb(flags: NDArray[np.uint8], bars: int, strategies: int, rows: NDArray[np.uint8]) -> None:
    """Write bytes, bars by strategies, as bits, strategies by `rows.size // strategies` bytes.

    Eight bars of eight strategies at a time: a byte of `word` belongs to one strategy, a bit of
    it to one bar. There are at least eight strategies; the last eight may overlap those before.
    `rows` is all 0.
    """
    each, whole = rows.size // strategies, bars - bars % 8
    for first in range(0, whole, 8):
        for group in range(0, strategies, 8):
            i = min(group, strategies - 8)
            at, word = np.uint64(first * strategies + i), _0
            for k in (_0, _1, _2, _3, _4, _5, _6, _7):
                word |= eight_nb(flags, at + k * np.uint64(strategies)) << k
            place = i * each + (first >> 3)
            for k in (_0, _1, _2, _3, _4, _5, _6, _7):
                rows[place + int(k) * each] = (word >> (k << _3)) & _255
    for t in range(whole, bars):
        for i in range(strategies):
            rows[i * each + (t >> 3)] |= flags[t * strategies + i] << (t & 7)


@kernel
def lowest_nb(word: np.uint64) -> int:
    """Return the place of the lowest bit that is set; there must be one."""
    return int(_PLACES[((word & (~word + _ONE)) * _WINDOWS) >> _TOP])


@part
def word_nb(bank: U8, one: int, other: int, at: int) -> Any:
    """Return the flags of row `one` or row `other`, not both; NO_ROW has none."""
    if other == NO_ROW:
        return bank[one + at]
    if one == NO_ROW:
        return bank[other + at]
    return bank[one + at] ^ bank[other + at]


@part
def next_nb(bank: U8, one: int, other: int, lane: int, first: int, size: int) -> int:  # noqa: PLR0917 - a kernel
    """Return the first flag from `first` on that is set in one of two rows alone, else `size`.

    No word before `at` holds such a flag, and what lies before `first` in its word is masked.
    """
    if first >= size or (one == NO_ROW and other == NO_ROW):
        return size
    at, end = first >> lane, ((size - 1) >> lane) + 1
    word = word_nb(bank, one, other, at)
    word &= _ALL << np.uint64((first - (at << lane)) << (6 - lane))
    while word == 0:
        at += 1
        if at == end:
            return size
        word = word_nb(bank, one, other, at)
    return min((at << lane) + (lowest_nb(word) >> (6 - lane)), size)
