"""The reference engine: the fill contract of docs/fills.md, one bar after the other.

It is as plain as it can be, because it is the oracle: where a faster engine disagrees with it,
the faster engine is wrong. `run` owns its kernels; research/kernels.py says what those are.
"""

# ruff: noqa: PLR0917 - a kernel is called by position, numba is slow with keywords

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from research.kernels import kernel

if TYPE_CHECKING:
    from research.bars import Bars

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
U1 = NDArray[np.uint8]
Records = NDArray[np.void]

# What may be decided on a bar's close: bits of one byte per bar.
LONG_ENTRY, LONG_EXIT, SHORT_ENTRY, SHORT_EXIT = 1, 2, 4, 8

LONG, FLAT, SHORT = 1, 0, -1

# Why a trade ended: codes of the field `reason`, indices into REASONS.
NONE, STOP, TARGET, TRAIL, TIMEOUT, SIGNAL, END = range(7)
REASONS = ("", "stop", "target", "trail", "timeout", "signal", "end")

NEVER = np.iinfo(np.int64).max  # a timeout that does not come
ABSENT = np.inf  # a stop, target or trail so far away that no price reaches it

TRADE = np.dtype(
    [
        ("side", np.int8),
        ("reason", np.int8),
        ("ambiguous", np.bool_),
        ("entry_bar", np.int64),
        ("exit_bar", np.int64),
        ("bars", np.int64),  # bars in which the position was open for longer than the open
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("return", np.float64),
    ],
    align=True,
)


class Terms(NamedTuple):
    """What a kernel must know beside bars and signals; shares of a price, µs and bars."""

    step: int  # µs that one bar lasts
    stop: float = ABSENT
    target: float = ABSENT
    trail: float = ABSENT
    timeout: int = NEVER  # µs after the entry
    timeout_bars: int = NEVER
    fee: float = 0.0  # share of the traded notional, per side
    slippage: float = 0.0  # share of the price, per side
    long_funding: float = 0.0  # share of the entry notional per µs held
    short_funding: float = 0.0
    optimistic: bool = False  # of a bar that touches both, the target comes first


class Run(NamedTuple):
    """What a strategy did: its trades (records of `TRADE`) and equity at every close."""

    trades: Records
    equity: F8


class Room(NamedTuple):
    """Where a kernel writes; used again by one run after the other, it saves allocating."""

    trades: Records
    equity: F8

    @classmethod
    def of(cls, bars: Bars) -> Room:
        """Make room for whatever one strategy may do on `bars`: at most one trade per bar."""
        return cls(np.empty(bars.time.size, TRADE), np.empty(bars.time.size))


def run(bars: Bars, signals: U1, terms: Terms, room: Room | None = None) -> Run:
    """Trade one strategy over one series, starting with an equity of 1.

    `signals` holds the bits decided on each close, one per bar. Where `room` is given, the equity
    is a view of it: it holds until the next run in the same room.
    """
    room = room or Room.of(bars)
    count = run_nb(*bars[:5], signals, terms, *room)
    return Run(room.trades[:count].copy(), room.equity)


def pack(
    bars: int,
    long_entry: NDArray[np.bool_] | None = None,
    long_exit: NDArray[np.bool_] | None = None,
    short_entry: NDArray[np.bool_] | None = None,
    short_exit: NDArray[np.bool_] | None = None,
) -> U1:
    """Return the byte per bar that `run` reads; None means never."""
    signals = np.zeros(bars, np.uint8)
    for bit, rule in (
        (LONG_ENTRY, long_entry),
        (LONG_EXIT, long_exit),
        (SHORT_ENTRY, short_entry),
        (SHORT_EXIT, short_exit),
    ):
        if rule is not None:
            signals |= rule.view(np.uint8) * np.uint8(bit)
    return signals


@kernel
def reached_nb(side: int, price: float, level: float) -> bool:
    """Say whether `price` is at a stop level of a position of `side`, or beyond it.

    With `-side` the same question is asked of a target level.
    """
    if side == LONG:
        return price <= level
    return price >= level


@kernel
def touch_nb(
    side: int,
    open_: float,
    high: float,
    low: float,
    levels: tuple[float, float, float],
    optimistic: bool,  # noqa: FBT001 - numba knows no keyword-only arguments
) -> tuple[int, float, bool, bool]:
    """Return how a bar ends a position: reason or NONE, price, at its open?, ambiguous?"""
    guard, target, trail = levels
    why = STOP
    if trail != guard and reached_nb(side, guard, trail):  # the tighter level is hit first
        guard, why = trail, TRAIL
    if reached_nb(side, open_, guard):
        return why, open_, True, False
    if reached_nb(-side, open_, target):
        return TARGET, open_, True, False
    worst, best = (low, high) if side == LONG else (high, low)
    guarded = reached_nb(side, worst, guard)
    aimed = reached_nb(-side, best, target)
    if aimed and (optimistic or not guarded):
        return TARGET, target, False, guarded
    if guarded:
        return why, guard, False, aimed
    return NONE, 0.0, False, False


@kernel
def return_nb(side: int, ratio: float, held: int, terms: Terms) -> float:
    """Return the net change of equity over a trade whose price went by `ratio` in `held` µs.

    The notional n = 1/(1+fee) and its fee are the whole equity. A long is then worth n·ratio
    before the exit fee, a short n·(2 - ratio); the exit fee is paid on n·ratio.
    """
    notional = 1.0 / (1.0 + terms.fee)
    if side == LONG:
        value = ratio * (1.0 - terms.fee) * notional
        value -= notional * terms.long_funding * held
    else:
        value = 2.0 * notional - ratio
        value -= notional * terms.short_funding * held
    return max(value - 1.0, -1.0)


@kernel
def mark_nb(side: int, ratio: float, held: int, terms: Terms) -> float:
    """Return what is left of an equity of 1 in an open position, before any cost of leaving."""
    notional = 1.0 / (1.0 + terms.fee)
    if side == LONG:
        return notional * (ratio - terms.long_funding * held)
    return notional * (2.0 - ratio - terms.short_funding * held)


@kernel
def close_nb(
    trade: Any, t: int, price: float, held: int, ending: tuple[int, bool, bool], terms: Terms
) -> float:
    """Write the end of `trade` at bar `t` and return its return."""
    reason, at_open, ambiguous = ending
    side = trade["side"]
    fill = price * (1.0 - side * terms.slippage)
    trade["exit_bar"] = t
    trade["exit_price"] = fill
    trade["reason"] = reason
    trade["ambiguous"] = ambiguous
    trade["bars"] = t - trade["entry_bar"] + (0 if at_open else 1)
    trade["return"] = return_nb(side, fill / trade["entry_price"], held, terms)
    return float(trade["return"])


@kernel
def run_nb(
    time: I8,
    open_: F8,
    high: F8,
    low: F8,
    close: F8,
    signals: U1,
    terms: Terms,
    trades: Records,
    equity: F8,
) -> int:
    """Write the trades and the equity at every close; return how many trades there were.

    `trades` needs room for one trade per bar. Each bar is gone through in the order of time:
    its open, where what the last close decided is filled; its inside; its close, where the
    next decision is taken. `signals[t]` is read only after bar t has ended.
    """
    count, last = 0, close.size - 1
    cash = 1.0  # the equity outside of a position, and at the entry of the one that is open
    side, start, entry, extreme = FLAT, 0, 0.0, 0.0
    stop, target = 0.0, 0.0
    entering, leaving = FLAT, NONE  # decided on the last close
    for t in range(close.size):
        if leaving != NONE:
            held = time[t] - time[start]
            cash *= 1.0 + close_nb(trades[count], t, open_[t], held, (leaving, True, False), terms)
            count, side = count + 1, FLAT
        if entering != FLAT and cash > 0.0:
            side, start = entering, t
            entry = open_[t] * (1.0 + side * terms.slippage)
            stop = entry * (1.0 - side * terms.stop)
            target = entry * (1.0 + side * terms.target)
            extreme = entry
            trades[count]["side"] = side
            trades[count]["entry_bar"] = t
            trades[count]["entry_price"] = entry

        if side != FLAT:
            levels = (stop, target, extreme * (1.0 - side * terms.trail))
            reason, price, at_open, ambiguous = touch_nb(
                side, open_[t], high[t], low[t], levels, terms.optimistic
            )
            held = time[t] - time[start]
            ratio = close[t] / entry
            if reason == NONE and (t == last or mark_nb(side, ratio, held, terms) <= 0.0):
                reason, price = END, close[t]  # the data or the money is at its end
            if reason != NONE:
                ending = (reason, at_open, ambiguous)
                cash *= 1.0 + close_nb(trades[count], t, price, held, ending, terms)
                count, side = count + 1, FLAT

        entering, leaving = FLAT, NONE
        equity[t] = cash
        if side != FLAT:
            equity[t] = cash * mark_nb(side, ratio, held, terms)
            extreme = max(extreme, high[t]) if side == LONG else min(extreme, low[t])
            if signals[t] & (LONG_EXIT if side == LONG else SHORT_EXIT):
                leaving = SIGNAL
            elif held + terms.step >= terms.timeout or t - start + 1 >= terms.timeout_bars:
                leaving = TIMEOUT
        if side == FLAT or leaving != NONE:
            wanted = signals[t] & (LONG_ENTRY | SHORT_ENTRY)
            if wanted == LONG_ENTRY:
                entering = LONG
            elif wanted == SHORT_ENTRY:
                entering = SHORT
    return count


@kernel
def max_drawdown_nb(equity: F8) -> float:
    """Return the deepest fall from a peak as a share of it; the first peak is the start, 1."""
    peak, worst = 1.0, 0.0
    for t in range(equity.size):
        peak = max(peak, equity[t])
        worst = max(worst, 1.0 - equity[t] / peak)
    return worst
