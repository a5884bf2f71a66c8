"""Booleans to bits: bars by strategies in, a row of words for each strategy out.

Where a strategy's booleans lie side by side, they are packed where they are. Where a bar's do, all
are packed as they come, and the bits are then brought to their rows: those that are set one by
one, or eight bars of eight strategies at a time where most words hold some.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from research.engine.bits import ONE, U8, lowest_nb
from research.kernels import kernel, part

U1 = NDArray[np.uint8]

CROWDED = 3 / 4  # share of words with flags from which on they are not looked for one by one

_0, _1, _2, _3, _4, _5, _6, _7, _255 = (np.uint64(n) for n in (*range(8), 255))
# Eight bytes of 0 or 1 times this have the first byte's bit at 56, the second's at 57, and so on.
_GATHER, _LAST = np.uint64(0x0102_0408_1020_4080), np.uint64(56)


def rows_of(flags: NDArray[np.bool_]) -> U8:
    """Return booleans, bars by strategies, as one row of bits after the other.

    The first bar is the lowest bit of a row's first word; what is left of its last word is 0.
    """
    bars, strategies = flags.shape
    words = -(-bars // 64)
    rows = np.zeros(strategies * words, np.uint64)
    if strategies < 8 or not flags.flags.c_contiguous:
        pack_nb(_bytes(flags.T), rows.view(np.uint8).reshape(strategies, words * 8))
        return rows
    given = _bytes(flags).reshape(-1)
    packed = np.zeros(rows.size, np.uint64)
    pack_nb(given[None], packed.view(np.uint8)[None])
    if np.count_nonzero(packed) > CROWDED * packed.size:
        turn_nb(given, bars, strategies, rows.view(np.uint8))
    else:
        scatter_nb(packed, strategies, rows)
    return rows


def _bytes(flags: NDArray[np.bool_]) -> U1:
    """Return booleans as bytes; always read-only, or kernels would be compiled twice."""
    given = np.ascontiguousarray(flags).view(np.uint8)
    given.flags.writeable = False
    return given


@part
def eight_nb(flags: U1, at: Any) -> Any:
    """Return 8 neighbouring bytes as one word, the first lowest; a single load once compiled."""
    word = np.uint64(flags[at])
    for k in (_1, _2, _3, _4, _5, _6, _7):
        word |= np.uint64(flags[at + k]) << (k << _3)
    return word


@kernel
def pack_nb(flags: U1, rows: U1) -> None:
    """Write each row of bytes as a row of bits; `rows` is all 0.

    The bytes of one row lie side by side, so that the compiler takes many words at a time.
    """
    size = flags.shape[1]
    whole = size >> 3
    for i in range(flags.shape[0]):
        given, row = flags[i], rows[i]
        for k in range(whole):
            row[k] = (eight_nb(given, np.uint64(k) << _3) * _GATHER) >> _LAST
        for t in range(whole << 3, size):
            row[t >> 3] |= given[t] << (t & 7)


@kernel
def scatter_nb(packed: U8, strategies: int, rows: U8) -> None:
    """Bring bits from the order of bars by strategies to rows of strategies; `rows` is all 0.

    The bits of 64 bars are a block of `strategies` whole words: the block is the place of a word
    in its row, and the bar within the block the place of a bit in that word.
    """
    blocks = rows.size // strategies
    for block in range(blocks):
        for j in range(strategies):
            word = packed[block * strategies + j]
            while word != _0:
                place = (j << 6) + lowest_nb(word)
                bar = place // strategies
                rows[(place - bar * strategies) * blocks + block] |= ONE << np.uint64(bar)
                word &= word - ONE


@kernel
def turn_nb(flags: U1, bars: int, strategies: int, rows: U1) -> None:
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
