"""What equity was worth in between: at the end of each day, and at its deepest fall.

Both follow from the trades. Equity in a position falls and rises with the close, so that a block's
highest and lowest close say whether it can hold a new peak or a deeper fall; where it can hold
both, its bars are looked at one by one.
"""

# ruff: noqa: PLR0917 - a kernel is called by position, numba is slow with keywords

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from research.engine.levels import BOTTOM, CLOSE, FAR, NEAR, TOP
from research.kernels import kernel, part
from research.reference import LONG, Terms, mark_nb

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Records = NDArray[np.void]

FEW = 8  # bars that are faster looked at than summarised


@kernel
def mark_days_nb(time: I8, prices: F8, ends: I8, trades: Records, terms: Terms, marks: F8) -> float:
    """Write equity at each day's end, and return it at the end of the series.

    All days that end before the trade at hand have been marked.
    """
    cash, day = 1.0, 0
    for i in range(trades.size):
        trade = trades[i]
        start = trade["entry_bar"]
        while day < ends.size and ends[day] < start:
            marks[day] = cash
            day += 1
        while day < ends.size and ends[day] < trade["exit_bar"]:
            t = ends[day]
            ratio, held = prices[t, CLOSE] / trade["entry_price"], time[t] - time[start]
            marks[day] = cash * mark_nb(trade["side"], ratio, held, terms)
            day += 1
        cash *= 1.0 + trade["return"]
    marks[day:] = cash
    return cash


@kernel
def hold_days_nb(ends: I8, trades: Records, held: F8) -> None:
    """Write the bars of each day in which a position was open: longs less shorts.

    `day` ends at or after the trade at hand, `t` is the first of its bars not counted yet.
    """
    held[:] = 0.0
    day = 0
    for i in range(trades.size):
        t = trades[i]["entry_bar"]
        past = t + trades[i]["bars"]
        while t < past:
            while ends[day] < t:
                day += 1
            until = min(past, ends[day] + 1)
            held[day] += trades[i]["side"] * (until - t)
            t = until


@part
def extremes_nb(
    values: F8, bottom: int, top: int, first: int, end: int, found: tuple[float, float]
) -> tuple[float, float]:
    """Return the least in column `bottom` and the most in column `top` of some rows, or `found`."""
    low, high = found
    for i in range(first, end):
        low = min(low, values[i, bottom])
        high = max(high, values[i, top])
    return low, high


@part
def beyond_nb(near: F8, block: int, found: tuple[float, float]) -> bool:
    """Say whether a block has a close below or above what was found."""
    return bool(near[block, BOTTOM] < found[0] or near[block, TOP] > found[1])


@part
def between_nb(prices: F8, near: F8, first: int, end: int) -> tuple[float, float]:
    """Return the lowest and the highest close of bars `first..end-1`, at least one.

    Whole blocks come first: the bars of a part of one count only where it goes beyond them.
    """
    block, past = (first - 1 >> NEAR) + 1, end >> NEAR
    if block >= past:
        found = (prices[first, CLOSE], prices[first, CLOSE])
        return extremes_nb(prices, CLOSE, CLOSE, first, end, found)
    found = extremes_nb(near, BOTTOM, TOP, block, past, (near[block, BOTTOM], near[block, TOP]))
    if first < block << NEAR and beyond_nb(near, block - 1, found):
        found = extremes_nb(prices, CLOSE, CLOSE, first, block << NEAR, found)
    if past << NEAR < end and beyond_nb(near, past, found):
        found = extremes_nb(prices, CLOSE, CLOSE, past << NEAR, end, found)
    return found


@kernel
def weigh_nb(
    trade: np.void,
    cash: float,
    closes: tuple[float, float],
    held: tuple[int, int],
    terms: Terms,
    peak: float,
    worst: float,
) -> tuple[bool, float, float]:
    """Say whether closes between two prices are done with, and return peak and deepest fall.

    Marks are monotone in the close and in the time held, also as rounded, so the marks of the
    extremes bound all others; without funding they are marks that were reached.
    """
    low, high = closes
    side, entry = trade["side"], trade["entry_price"]
    funding = terms.long_funding if side == LONG else terms.short_funding
    best, least = (high, low) if side == LONG else (low, high)
    above = cash * mark_nb(side, best / entry, held[0], terms)
    below = cash * mark_nb(side, least / entry, held[1], terms)
    if above <= peak:
        fall = 1.0 - below / peak
        if fall <= worst:
            return True, peak, worst
        return funding == 0.0, peak, fall if funding == 0.0 else worst
    if funding == 0.0 and 1.0 - below / above <= worst:
        return True, above, worst
    return False, peak, worst


@part
def each_nb(
    time: I8,
    prices: F8,
    trade: np.void,
    cash: float,
    first: int,
    end: int,
    terms: Terms,
    peak: float,
    worst: float,
) -> tuple[float, float]:
    """Return peak and deepest fall after the closes `first..end-1`, each looked at."""
    opened = time[trade["entry_bar"]]
    for t in range(first, end):
        ratio, held = prices[t, CLOSE] / trade["entry_price"], time[t] - opened
        equity = cash * mark_nb(trade["side"], ratio, held, terms)
        peak = max(peak, equity)
        worst = max(worst, 1.0 - equity / peak)
    return peak, worst


@part
def fall_nb(
    time: I8,
    prices: F8,
    near: F8,
    trade: np.void,
    cash: float,
    terms: Terms,
    peak: float,
    worst: float,
) -> tuple[float, float]:
    """Return peak and deepest fall after a trade's closes; all those before t are in them.

    What is weighed becomes smaller until it is done with: the trade, a far block, a near one,
    then each bar.
    """
    t, end = trade["entry_bar"], trade["exit_bar"]
    opened, until = time[t], end
    while t < end:
        done = False
        if until - t > FEW:
            held = (time[t] - opened, time[until - 1] - opened)
            closes = between_nb(prices, near, t, until)
            done, peak, worst = weigh_nb(trade, cash, closes, held, terms, peak, worst)
        if not done and until - t > 1 << FAR:
            until = ((t >> FAR) + 1) << FAR
            continue
        if not done and until - t > 1 << NEAR:
            until = ((t >> NEAR) + 1) << NEAR
            continue
        if not done:
            peak, worst = each_nb(time, prices, trade, cash, t, until, terms, peak, worst)
        t = until
        size = FAR if t & ((1 << FAR) - 1) == 0 else NEAR
        until = min(((t >> size) + 1) << size, end)
    return peak, worst


@kernel
def drawdown_nb(time: I8, prices: F8, near: F8, trades: Records, terms: Terms) -> float:
    """Return the deepest fall of equity at closes from a peak, as a share of it.

    Equity between two trades is a close's only where a bar ends between them: a position left at
    an open may make way for the next at the same open.
    """
    cash, peak, worst, flat = 1.0, 1.0, 0.0, 0
    for i in range(trades.size):
        trade = trades[i]
        if flat < trade["entry_bar"]:
            peak = max(peak, cash)
            worst = max(worst, 1.0 - cash / peak)
        peak, worst = fall_nb(time, prices, near, trade, cash, terms, peak, worst)
        cash *= 1.0 + trade["return"]
        flat = trade["exit_bar"]
    peak = max(peak, cash)
    return max(worst, 1.0 - cash / peak)
