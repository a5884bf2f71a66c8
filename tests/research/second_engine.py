"""The fill contract once more, written trade by trade instead of bar by bar.

Nothing here is shared with research/reference.py: it looks for the first bar that ends a trade in
whole arrays, and answers in plain tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from research.bars import Bars

Flags = Any  # one boolean per bar


class Rules(NamedTuple):
    """Levels and costs in the units a person gives them; `timeout` in µs."""

    stop: float | None
    target: float | None
    trail: float | None
    timeout: int | None
    fee: float
    slippage: float
    funding: tuple[float, float]  # for longs and for shorts, of the notional per µs
    best: bool


class Trade(NamedTuple):
    """Bars, prices, reason and net return."""

    sign: int
    entry: int
    exit: int
    bought: float
    sold: float
    reason: str
    ambiguous: bool
    change: float


class _End(NamedTuple):
    bar: int
    when: (
        int  # 0 at the open by an old decision, 1 at the open by a level, 2 inside, 3 at the close
    )
    price: float
    reason: str
    ambiguous: bool


def trade_all(
    bars: Bars, step: int, signals: tuple[Flags, Flags, Flags, Flags], rules: Rules
) -> list[Trade]:
    """Return every trade, in the order of time."""
    long_in, long_out, short_in, short_out = signals
    size = bars.time.size
    wants = np.where(long_in & ~short_in, 1, np.where(short_in & ~long_in, -1, 0))
    trades: list[Trade] = []
    decided, money = 0, 1.0
    while money > 0:
        ahead = np.flatnonzero(wants[decided : size - 1])
        if not ahead.size:
            break
        entry = decided + int(ahead[0]) + 1
        sign = int(wants[entry - 1])
        out = long_out if sign > 0 else short_out
        trade, end = _one(bars, step, entry, sign, out=out, rules=rules)
        trades.append(trade)
        money *= 1 + trade.change
        # A position left at an open by a decision freed the desk for the close before it.
        decided = end.bar - 1 if end.when == 0 else end.bar
    return trades


def _one(
    bars: Bars, step: int, entry: int, sign: int, *, out: Flags, rules: Rules
) -> tuple[Trade, _End]:
    bought = bars.open[entry] * (1 + sign * rules.slippage)
    ends = [
        *_decided(bars, step, entry, out, rules.timeout),
        *_levels(bars, entry, sign, bought, rules),
        *_ruined(bars, entry, sign, bought, rules),
        _End(bars.time.size - 1, 3, bars.close[-1], "end", ambiguous=False),
    ]
    end = min(ends, key=lambda one: (one.bar, one.when))
    sold = end.price * (1 - sign * rules.slippage)
    held = float(bars.time[end.bar] - bars.time[entry])
    change = _change(sign, sold / bought, held, rules)
    trade = Trade(sign, entry, end.bar, bought, sold, end.reason, end.ambiguous, change)
    return trade, end


def _change(sign: int, ratio: float, held: float, rules: Rules) -> float:
    """Follow the money: pay the fee, hold, pay the funding, close, pay the fee."""
    notional = 1 / (1 + rules.fee)
    money = 1 - notional * rules.fee
    money += sign * notional * (ratio - 1)
    money -= notional * ratio * rules.fee
    money -= notional * held * rules.funding[0 if sign > 0 else 1]
    return max(money - 1, -1.0)


def _decided(bars: Bars, step: int, entry: int, out: Flags, timeout: int | None) -> list[_End]:
    size = bars.time.size
    leave = np.flatnonzero(out[entry : size - 1]) + entry
    ends = [(int(leave[0]), 0, "signal")] if leave.size else []
    if timeout is not None:
        closes = bars.time[entry : size - 1] + step
        late = np.flatnonzero(closes >= bars.time[entry] + timeout) + entry
        ends += [(int(late[0]), 1, "timeout")] if late.size else []
    return [
        _End(bar + 1, 0, bars.open[bar + 1], reason, ambiguous=False)
        for bar, _, reason in sorted(ends)[:1]
    ]


def _levels(bars: Bars, entry: int, sign: int, bought: float, rules: Rules) -> list[_End]:
    """Turn a short upside down (negative prices), then look for one kind of touch only."""
    open_, close = sign * bars.open[entry:], sign * bars.close[entry:]
    high = (bars.high if sign > 0 else -bars.low)[entry:]
    low = (bars.low if sign > 0 else -bars.high)[entry:]
    nowhere = np.full(close.size, -np.inf)
    stop, aim = nowhere, -nowhere
    if rules.stop is not None:
        stop = np.full(close.size, _level(sign, bought, -rules.stop))
    if rules.target is not None:
        aim = np.full(close.size, _level(sign, bought, rules.target))
    peak = np.maximum.accumulate(np.concatenate(([sign * bought], high[:-1])))
    trail = nowhere if rules.trail is None else peak * (1 - sign * rules.trail)
    guard = np.maximum(stop, trail)
    hit = (open_ <= guard) | (open_ >= aim) | (low <= guard) | (high >= aim)
    if not hit.any():
        return []
    at = int(np.argmax(hit))
    guarded = "trail" if trail[at] > stop[at] else "stop"
    if open_[at] <= guard[at] or open_[at] >= aim[at]:
        reason = guarded if open_[at] <= guard[at] else "target"
        return [_End(entry + at, 1, sign * open_[at], reason, ambiguous=False)]
    both = bool(low[at] <= guard[at] and high[at] >= aim[at])
    aimed = rules.best if both else bool(high[at] >= aim[at])
    price, reason = (aim[at], "target") if aimed else (guard[at], guarded)
    return [_End(entry + at, 2, sign * price, reason, both)]


def _level(sign: int, bought: float, gain: float) -> float:
    """Return the price, upside down for a short, at which the position has gained `gain`."""
    return sign * (bought * (1 + sign * gain))


def _ruined(bars: Bars, entry: int, sign: int, bought: float, rules: Rules) -> list[_End]:
    held = (bars.time[entry:] - bars.time[entry]).astype(np.float64)
    gained = sign * (bars.close[entry:] / bought - 1)
    left = 1 + gained - held * rules.funding[0 if sign > 0 else 1]
    broke = np.flatnonzero(left <= 0)
    if not broke.size:
        return []
    bar = entry + int(broke[0])
    return [_End(bar, 3, bars.close[bar], "end", ambiguous=False)]
