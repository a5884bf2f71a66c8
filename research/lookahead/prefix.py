"""Comparing what lies before a cut, bit for bit, and taking away what lies behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from research.bars import Bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from research.bars import F8, I8
    from research.engine.bits import U8

_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def differing(one: F8 | I8, other: F8 | I8, end: int) -> int | None:
    """Return the first of the first `end` numbers that is not the same to the bit, else None."""
    mine, its = one[:end].view(np.uint64), other[:end].view(np.uint64)
    if mine.size == its.size and (mine == its).all():
        return None
    both = min(mine.size, its.size)
    unequal = np.flatnonzero(mine[:both] != its[:both])
    return int(unequal[0]) if unequal.size else both


def differing_bits(one: U8, other: U8, end: int) -> int | None:
    """Return the first of the first `end` bits that differs, else None; both have them all."""
    words = -(-end // 64)
    unequal = one[:words] ^ other[:words]
    if end % 64:
        unequal[-1] &= ~(_ALL << np.uint64(end % 64))
    if not unequal.any():
        return None
    return int(np.flatnonzero(flags_of(unequal, end))[0])


def flags_of(words: U8, count: int) -> NDArray[np.uint8]:
    """Return the first `count` bits as bytes of 0 and 1."""
    return np.unpackbits(words.view(np.uint8), count=count, bitorder="little")


def bits_until(words: U8, end: int) -> U8:
    """Return the first `end` bits of each row, none set behind them."""
    kept = words[..., : -(-end // 64)].copy()
    if end % 64:
        kept[..., -1] &= ~(_ALL << np.uint64(end % 64))
    return kept


def bits_inverted(words: U8, start: int, end: int) -> U8:
    """Return the first `end` bits of each row, from `start` on the opposite of what they were."""
    turned = words[..., : -(-end // 64)].copy()
    whole, rest = divmod(start, 64)
    if rest and whole < turned.shape[-1]:
        turned[..., whole] ^= _ALL << np.uint64(rest)
        whole += 1
    turned[..., whole:] ^= _ALL
    return turned


def until(bars: Bars, end: int) -> Bars:
    """Return views of the first `end` bars."""
    return Bars(bars.time[:end], *(each[:end] for each in bars[1:]))


def since(bars: Bars, start: int) -> Bars:
    """Return views of the bars from `start` on."""
    return Bars(bars.time[start:], *(each[start:] for each in bars[1:]))


def poisoned(bars: Bars, start: int, end: int) -> Bars:
    """Return the first `end` bars, with no number that is one from bar `start` on."""
    return Bars(bars.time[:end], *(numbers_poisoned(each, start, end) for each in bars[1:]))


def numbers_poisoned(numbers: F8, start: int, end: int) -> F8:
    """Return the first `end` numbers, NaN from `start` on."""
    kept = numbers[:end].copy()
    kept[start:] = np.nan
    return kept
