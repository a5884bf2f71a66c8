"""From event to event: the next entry, the next way out, and nothing in between.

What ends a position at a bar, and what it returns, is said by the kernels of research/reference.py:
this engine differs from that one only in where it looks.
"""

# ruff: noqa: PLR0917 - a kernel is called by position, numba is slow with keywords

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from research.engine.bits import NO_ROW, U8, Grid, next_nb
from research.engine.levels import (
    CLOSE,
    HIGH,
    LOW,
    OPEN,
    further_nb,
    next_touch_nb,
    next_trail_nb,
)
from research.kernels import kernel, part
from research.reference import (
    ABSENT,
    END,
    LONG,
    NONE,
    SHORT,
    SIGNAL,
    TIMEOUT,
    Terms,
    close_nb,
    mark_nb,
    touch_nb,
)

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Records = NDArray[np.void]

# What one strategy says: the rows of its rules (NO_ROW: none), its levels.
RULES = np.dtype(
    [
        ("long_entry", np.int64),
        ("long_exit", np.int64),
        ("short_entry", np.int64),
        ("short_exit", np.int64),
        ("stop", np.float64),
        ("target", np.float64),
        ("trail", np.float64),
        ("timeout", np.int64),
        ("timeout_bars", np.int64),
    ],
    align=True,
)


@kernel
def terms_nb(shared: Terms, rules: np.void) -> Terms:
    """Return the shared terms with the levels of one strategy."""
    return Terms(
        shared.step,
        rules["stop"],
        rules["target"],
        rules["trail"],
        rules["timeout"],
        rules["timeout_bars"],
        shared.fee,
        shared.slippage,
        shared.long_funding,
        shared.short_funding,
        shared.optimistic,
    )


@part
def timeout_nb(time: I8, start: int, terms: Terms) -> int:
    """Return the bar on whose close a position entered at `start` times out, or the series' end."""
    size = time.size
    late = size if terms.timeout_bars > size - start else start + terms.timeout_bars - 1
    wait = terms.timeout - terms.step  # to the open of the bar that closes in time
    if wait > time[size - 1] - time[start]:
        return late
    due = time[start] + wait
    low = min(start + max(wait // terms.step, 0), size - 1)
    if time[low] != due:  # a gap, or bars off the grid: look for the first at `due` or later
        low, high = start, size - 1
        while low < high:
            middle = (low + high) >> 1
            if time[middle] >= due:
                high = middle
            else:
                low = middle + 1
    return min(late, low)


@kernel
def ruin_nb(side: int, entry: float, held: int, terms: Terms) -> float:
    """Return a price that a position held up to `held` must reach before it is worth nothing.

    It errs on the side of looking: the mark itself decides.
    """
    if side == LONG:
        return entry * max(terms.long_funding * held * (1.0 + 1e-9), 1e-300)
    return entry * (2.0 - terms.short_funding * held) * (1.0 - 1e-9)


@part
def settle_nb(
    time: I8, prices: F8, start: int, t: int, side: int, entry: float, extreme: float, terms: Terms
) -> tuple[int, float, bool, bool]:
    """Return how bar t ends a position before any decision: reason or NONE, price and so on."""
    levels = (
        entry * (1.0 - side * terms.stop),
        entry * (1.0 + side * terms.target),
        extreme * (1.0 - side * terms.trail),
    )
    bar = prices[t]
    found = touch_nb(side, bar[OPEN], bar[HIGH], bar[LOW], levels, terms.optimistic)
    if found[0] != NONE:
        return found
    held = time[t] - time[start]
    if t == time.size - 1 or mark_nb(side, bar[CLOSE] / entry, held, terms) <= 0.0:
        return END, bar[CLOSE], False, False
    return found


@part
def end_nb(
    time: I8,
    prices: F8,
    near: F8,
    far: F8,
    start: int,
    limit: int,
    side: int,
    entry: float,
    terms: Terms,
) -> tuple[int, int, float, bool, bool]:
    """Return the bar in `start..limit` that ends the position, and how; NONE: it outlives them.

    No bar before t ends it, and `extreme` is the best price before t.
    """
    ruin = ruin_nb(side, entry, time[limit] - time[start], terms)
    stop, target = entry * (1.0 - side * terms.stop), entry * (1.0 + side * terms.target)
    down, up = (max(stop, ruin), target) if side == LONG else (target, min(stop, ruin))
    t, extreme = start, entry
    while True:
        if terms.trail == ABSENT:
            t = next_touch_nb(prices, near, far, t, limit, down, up)
        else:
            t, extreme = next_trail_nb(
                prices, near, t, limit, side, (down, up), terms.trail, extreme
            )
        reason, price, at_open, ambiguous = settle_nb(
            time, prices, start, t, side, entry, extreme, terms
        )
        if reason != NONE or t == limit:
            return t, reason, price, at_open, ambiguous
        extreme = further_nb(side, extreme, prices[t, LOW], prices[t, HIGH])
        t += 1


@part
def flag_nb(grid: Grid, t: int) -> int:
    """Return the first flag decided on the close of bar t or later."""
    return int(grid.first[t]) if grid.first.size else t


@part
def decision_nb(bank: U8, grid: Grid, one: int, other: int, t: int, bars: int) -> int:
    """Return the first bar from t on whose close decides by row `one` or `other`, else `bars`."""
    if t >= bars or (one == NO_ROW and other == NO_ROW):
        return bars
    flag = next_nb(bank, one, other, flag_nb(grid, t), grid.size)
    if flag == grid.size:
        return bars
    return grid.bars[flag] if grid.bars.size else flag


@part
def side_nb(bank: U8, grid: Grid, long: int, t: int) -> int:
    """Return on which side the close of bar t, where one entry is decided, enters."""
    if long == NO_ROW:
        return SHORT
    flag = flag_nb(grid, t)
    word = bank[long + (flag >> 6)]
    return LONG if (word >> np.uint64(flag & 63)) & np.uint64(1) else SHORT


@kernel
def walk_nb(
    time: I8,
    prices: F8,
    near: F8,
    far: F8,
    entries: U8,
    exits: U8,
    grid: Grid,
    rules: np.void,
    terms: Terms,
    trades: Records,
) -> int:
    """Write the trades of one strategy; return how many there were.

    `trades` needs room for one trade per bar. What was decided before `t` has been done; the
    exits kept are the first decided at or after the last one asked for, so they are looked for
    again only when the walk has passed them.
    """
    count, t, size = 0, 0, time.size
    cash, long_exit, short_exit = 1.0, -1, -1
    while cash > 0.0:
        t = decision_nb(entries, grid, rules["long_entry"], rules["short_entry"], t, size)
        if t >= size - 1:  # nothing follows in which to fill it
            break
        side, start = side_nb(entries, grid, rules["long_entry"], t), t + 1
        entry = prices[start, OPEN] * (1.0 + side * terms.slippage)
        if side == LONG and long_exit < start:
            long_exit = decision_nb(exits, grid, rules["long_exit"], NO_ROW, start, size)
        if side == SHORT and short_exit < start:
            short_exit = decision_nb(exits, grid, rules["short_exit"], NO_ROW, start, size)
        signal = long_exit if side == LONG else short_exit
        limit = min(signal, timeout_nb(time, start, terms), size - 1)
        t, reason, price, at_open, ambiguous = end_nb(
            time, prices, near, far, start, limit, side, entry, terms
        )
        trade = trades[count]
        trade["side"], trade["entry_bar"], trade["entry_price"] = side, start, entry
        end = t
        if reason == NONE:  # decided on this close, filled at the next open
            end = t + 1
            reason, price, at_open = SIGNAL if signal == t else TIMEOUT, prices[end, OPEN], True
        held = time[end] - time[start]
        cash *= 1.0 + close_nb(trade, end, price, held, (reason, at_open, ambiguous), terms)
        count += 1
    return count
