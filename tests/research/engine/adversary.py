"""Bars, flags and levels made to deceive a fast engine, and the comparison with the reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from research.bars import Bars
from research.costs import Costs
from research.engine.bits import NO_ROW, closed_bars, every_bar
from research.engine.packing import rows_of
from research.engine.run import Batch, figures, ground_of, room_of, trade
from research.engine.walk import RULES
from research.metrics import daily_returns, day_ends, measure
from research.reference import Terms, pack, run

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = 60_000_000
START = 1_767_225_600_000_000
KINDS = ("walk", "ties", "flat", "gaps", "jumps", "orders", "ruin", "trend")
SIZES = (1, 2, 3, 5, 8, 63, 64, 65, 127, 128, 129, 200, 1_000, 4_095, 4_096, 4_097, 9_000)
LEVELS = (None, 0.0001, 0.001, 0.01, 0.02, 0.05, 0.25, 0.5, 0.9, 0.9999)
COSTS = (
    Costs(fee_bps=0, slippage_bps=0),
    Costs(),
    Costs(fee_bps=300, slippage_bps=200),
    Costs(fee_bps=10, slippage_bps=5, funding_bps=1),
    Costs(fee_bps=0, slippage_bps=0, funding_bps=100, perpetual=True),
    Costs(fee_bps=5, slippage_bps=5, funding_bps=9_000, perpetual=True),
)


@dataclass(frozen=True)
class Trial:
    """One strategy on one series: flags decided on the bars `last`, None where there is no rule."""

    bars: Bars
    last: Any  # None: on every bar
    flags: tuple[Any, Any, Any, Any]
    terms: Terms


def bars_of_kind(kind: str, size: int, rng: np.random.Generator) -> Bars:
    """Return valid bars: open and close between low and high, all positive."""
    wild = rng.choice([0.0002, 0.002, 0.02])
    steps = rng.normal(0, wild, size)
    if kind == "trend":
        steps += wild * rng.choice([-0.2, 0.2])
    if kind == "orders":  # over 12 orders of magnitude, up or down
        steps += rng.choice([-1, 1]) * 27.6 / size
    if kind in ("jumps", "ruin"):
        steps += (rng.random(size) < 0.03) * rng.normal(0.4 * (kind == "ruin"), 0.5, size)
    if kind == "flat":
        steps *= rng.random(size) < 0.1
    close = 10.0 ** rng.integers(-6, 6) * np.exp(np.cumsum(steps))
    before = np.concatenate((close[:1], close[:-1]))
    open_ = before * np.exp(rng.normal(0, wild, size) * (rng.random(size) < 0.2))
    reach = np.abs(rng.normal(0, wild, (2, size))) * (kind != "flat")
    high, low = np.maximum(open_, close) * (1 + reach[0]), np.minimum(open_, close) / (1 + reach[1])
    prices = [open_, high, low, close]
    if kind == "ties":  # whole prices around 100: 1 % is a whole price too
        prices = [np.maximum(np.round(100 * x / close[0]), 1.0) for x in prices]
    apart = rng.choice([1, 1, 1, 2, 45, 2_000], size) if kind == "gaps" else np.ones(size)
    time = START + rng.integers(0, 1_440) * MINUTE + np.cumsum(apart).astype(np.int64) * MINUTE
    return Bars(time, *prices, np.ones(size))


def drawn(seed: int) -> Trial:
    """Return a trial in which everything is drawn from a seed."""
    rng = np.random.default_rng([seed, 20])
    bars = bars_of_kind(str(rng.choice(KINDS)), int(rng.choice(SIZES)), rng)
    size = bars.time.size
    last = None
    if rng.random() < 0.4:
        last = np.flatnonzero(rng.random(size) < rng.choice([0.02, 0.2, 0.7]))
    flags: list[Any] = []
    for _ in range(4):
        often = rng.choice([0.002, 0.02, 0.2, 0.7])
        drawn_flags = rng.random(size if last is None else last.size) < often
        flags.append(drawn_flags if rng.random() < 0.7 else None)
    if flags[0] is None and flags[2] is None:
        flags[int(rng.choice([0, 2]))] = np.ones(size if last is None else last.size, np.bool_)
    stop, target, trail = (LEVELS[i] for i in rng.choice(len(LEVELS), 3))
    timeout: Any = [None, int(rng.integers(1, 200)), timedelta(minutes=int(rng.integers(1, 5_000)))]
    terms = COSTS[rng.integers(len(COSTS))].terms(
        timedelta(minutes=int(rng.choice([1, 1, 5]))),
        stop=None if rng.random() < 0.3 else stop,
        target=None if rng.random() < 0.3 else target,
        trail=None if rng.random() < 0.6 else trail,
        timeout=timeout[rng.integers(3)],
        ambiguous="best" if rng.random() < 0.3 else "worst",
    )
    return Trial(bars, last, tuple(flags), terms)


def batch_of(trial: Trial) -> Batch:
    """Return the trial as a batch of one."""
    size = trial.bars.time.size
    rules, banks, free = np.zeros(1, RULES), [np.zeros(1, np.uint64)], 1
    names = ("long_entry", "long_exit", "short_entry", "short_exit")
    for name, flags in zip(names, trial.flags, strict=True):
        rules[name] = NO_ROW if flags is None else free
        if flags is not None:
            banks.append(rows_of(flags[:, None]))
            free += banks[-1].size
    for name in ("stop", "target", "trail", "timeout", "timeout_bars"):
        rules[name] = getattr(trial.terms, name)
    bank = np.concatenate(banks)
    grid = every_bar(size) if trial.last is None else closed_bars(size, trial.last)
    return Batch(bank, bank, grid, rules)


def spread(trial: Trial) -> list[Any]:
    """Return the flags on every finest bar, as the reference reads them."""
    if trial.last is None:
        return list(trial.flags)
    found: list[Any] = []
    for flags in trial.flags:
        each = None if flags is None else np.zeros(trial.bars.time.size, np.bool_)
        if each is not None:
            each[trial.last] = flags
        found.append(each)
    return found


def differences(trial: Trial) -> Iterator[str]:
    """Yield in what the compiled engine differs from the reference."""
    _, ends = day_ends(trial.bars.time)
    expected = run(trial.bars, pack(trial.bars.time.size, *spread(trial)), trial.terms)
    marks = expected.equity[ends]
    returns = daily_returns(marks)
    ground = ground_of(trial.bars, ends)
    room = room_of(ground, 1, keeps=True)
    ((_, trades),) = trade(ground, batch_of(trial), trial.terms, room, measured=True)
    if trades.tolist() != expected.trades.tolist():
        pairs = zip(trades.tolist(), expected.trades.tolist(), strict=False)
        first = next((pair for pair in pairs if pair[0] != pair[1]), None)
        yield f"{trades.size} trades, expected {expected.trades.size}; first difference {first}"
        return
    if room.marks[0].tobytes() != marks.tobytes():
        yield "equity at the end of a day"
    if room.returns[0].tobytes() != returns.tobytes():
        yield "daily returns"
    found = figures(ground, room, slice(0, 1))
    figures_expected = measure(*expected, returns, trial.terms.fee)
    for name, wanted in figures_expected.items():
        value = found[name][0]
        if wanted is None:
            same = bool(np.isnan(value))
        else:
            same = bool(abs(value - wanted) <= 1e-9 * max(abs(wanted), 1e-3))
        if not same:
            yield f"{name} was {value!r}, expected {wanted!r}"
