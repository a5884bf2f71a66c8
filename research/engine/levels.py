"""What a jump needs to know of many bars at once: the extremes of every 64 and every 4096.

A block is passed over when even its extremes touch nothing. So nothing is missed, and bars are
looked at one by one only in a block where something may happen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from research.kernels import kernel, part
from research.reference import LONG

if TYPE_CHECKING:
    from research.bars import Bars

F8 = NDArray[np.float64]

NEAR, FAR = 6, 12  # logarithms of how many bars a block holds

OPEN, HIGH, LOW, CLOSE = range(4)  # the columns of prices: a bar is half a line of the cache
HIGHEST, LOWEST, TOP, BOTTOM = range(4)  # of blocks: of high and low, then of closes


def prices_of(bars: Bars) -> F8:
    """Return the prices side by side, bars by OPEN, HIGH, LOW and CLOSE."""
    return np.stack((bars.open, bars.high, bars.low, bars.close), axis=1)


def blocks_of(bars: Bars, size: int) -> F8:
    """Return the extremes of blocks of `1 << size` bars, blocks by HIGHEST, LOWEST, TOP, BOTTOM."""
    starts = np.arange(0, bars.time.size, 1 << size)
    highest, top = (np.maximum.reduceat(x, starts) for x in (bars.high, bars.close))
    lowest, bottom = (np.minimum.reduceat(x, starts) for x in (bars.low, bars.close))
    return np.stack((highest, lowest, top, bottom), axis=1)


@part
def next_touch_nb(  # noqa: PLR0917 - a kernel
    prices: F8, near: F8, far: F8, t: int, end: int, down: float, up: float
) -> int:
    """Return the first bar from t on with a low at `down` or a high at `up`, or beyond; else end.

    No bar before t touches. Blocks may reach beyond `end`: that makes them no quieter.
    """
    while t < end:
        block = t >> NEAR
        if near[block, LOWEST] > down and near[block, HIGHEST] < up:
            t = (block + 1) << NEAR
            while t < end and t & ((1 << FAR) - 1) == 0:
                if far[t >> FAR, LOWEST] <= down or far[t >> FAR, HIGHEST] >= up:
                    break
                t += 1 << FAR
            continue
        until = min((block + 1) << NEAR, end)
        while t < until:
            if prices[t, LOW] <= down or prices[t, HIGH] >= up:
                return t
            t += 1
    return end


@kernel
def quiet_nb(  # noqa: PLR0917 - a kernel
    side: int, low: float, high: float, down: float, up: float, guard: float
) -> bool:
    """Say whether bars between `low` and `high` touch neither level, nor the trail at `guard`."""
    if side == LONG:
        return low > down and low > guard and high < up
    return low > down and high < guard and high < up


@kernel
def further_nb(side: int, extreme: float, low: float, high: float) -> float:
    """Return the best price of a position so far after bars between `low` and `high`."""
    if side == LONG:
        return max(extreme, high)
    return min(extreme, low)


@part
def next_trail_nb(  # noqa: PLR0917 - a kernel
    prices: F8,
    near: F8,
    t: int,
    end: int,
    side: int,
    levels: tuple[float, float],
    trail: float,
    extreme: float,
) -> tuple[int, float]:
    """Return the first bar from t on that touches a level or its trail, or `end`; and the extreme.

    `extreme` is always that of the bars before t. The trail after a block is at least as tight as
    in it, so a block that does not touch that one has no bar that touches its own. Only whole
    blocks are passed over: the bars before t would move the trail of a part too far.
    """
    down, up = levels
    share = 1.0 - side * trail
    while t < end:
        until = ((t >> NEAR) + 1) << NEAR
        if until - t == 1 << NEAR and until <= end:
            low, high = near[t >> NEAR, LOWEST], near[t >> NEAR, HIGHEST]
            after = further_nb(side, extreme, low, high)
            if quiet_nb(side, low, high, down, up, after * share):
                t, extreme = until, after
                continue
        until = min(until, end)
        while t < until:
            low, high = prices[t, LOW], prices[t, HIGH]
            if not quiet_nb(side, low, high, down, up, extreme * share):
                return t, extreme
            extreme = further_nb(side, extreme, low, high)
            t += 1
    return end, extreme
