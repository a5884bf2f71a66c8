"""Strategies drawn at random: a reason to enter, filters beside it, and always a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import InvalidInput
from core.market import INTERVALS
from research.ideas import FAMILIES, Filter, Trigger, heated, pick, weighted
from research.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# How often each is drawn.
_TIMEFRAMES = {"1m": 3, "3m": 4, "5m": 18, "15m": 24, "30m": 18, "1h": 20, "2h": 8, "4h": 5}
_SIDES = {"long": 40, "short": 20, "both": 40}
_FAMILIES = {"trend": 40, "reversion": 35, "breakout": 25}
_FILTERS = {0: 30, 1: 40, 2: 22, 3: 8}
_MOST_CONDITIONS = 4  # to enter on one side
_BY_SIGNAL = 65  # percent that leave when their reason is gone
_TWO_WAYS_OUT = 20  # percent of those with a second signal to leave on

# Levels in percent for bars of 15 minutes; others scale with the root of time.
_STOPS = (0.75, 1, 1.5, 2, 2.5, 3)
_TARGETS = (1, 1.5, 2, 3, 4, 5, 6)
_TRAILS = (0.75, 1, 1.5, 2, 3)
_ROUND = (0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25)
_TIMEOUTS = (12, 24, 48, 96, 192)  # bars
_ROUND_HOURS = (0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 168, 240, 336)

_PATIENCE = 1_000  # draws in a row that bring nothing new


def generate(count: int, seed: int, *, timeframes: Collection[str] | None = None) -> list[Strategy]:
    """Return `count` distinct strategies; the same arguments always give the same ones.

    Fewer of the same seed are the first of more. `timeframes` limits what is drawn to those that
    the bars at hand can serve.

    Raises:
        InvalidInput: `count` or `seed` is negative, or no timeframe is left to draw from.
    """
    if count < 0 or seed < 0:
        raise InvalidInput(f"expected a count and a seed from 0, was {count} and {seed}")
    weights = _timeframe_weights(timeframes)
    rng = np.random.default_rng(seed)
    found: dict[str, Strategy] = {}
    idle = 0
    while len(found) < count:
        strategy = _draw(rng, weights)
        idle = idle + 1 if strategy.id in found else 0
        if idle > _PATIENCE:
            raise InvalidInput(f"expected at most {len(found)} strategies, was {count}")
        found.setdefault(strategy.id, strategy)
    return list(found.values())


def _timeframe_weights(timeframes: Collection[str] | None) -> dict[str, int]:
    weights = {
        name: weight
        for name, weight in _TIMEFRAMES.items()
        if timeframes is None or name in timeframes
    }
    if not weights:
        raise InvalidInput(f"expected some of {', '.join(_TIMEFRAMES)}, was {timeframes}")
    return weights


def _draw(rng: np.random.Generator, timeframes: dict[str, int]) -> Strategy:
    triggers, filters = FAMILIES[weighted(rng, _FAMILIES)]
    trigger = _with_second_exit(rng, pick(rng, triggers)(rng))
    beside = _beside(rng, trigger, filters)
    timeframe = weighted(rng, timeframes)
    by_signal = bool(rng.integers(100) < _BY_SIGNAL)
    lines = _rules(trigger, beside, weighted(rng, _SIDES), by_signal=by_signal)
    exits = _exits(rng, timeframe, by_signal=by_signal)
    return Strategy.parse("\n".join([*lines, *exits, f"on {timeframe}"]))


def _with_second_exit(rng: np.random.Generator, trigger: Trigger) -> Trigger:
    if rng.integers(100) >= _TWO_WAYS_OUT:
        return trigger
    hot = heated(rng)
    return trigger._replace(
        long_over=f"{trigger.long_over} or {hot.long}",
        short_over=f"{trigger.short_over} or {hot.short}",
    )


def _beside(
    rng: np.random.Generator, trigger: Trigger, filters: tuple[Callable[..., Filter], ...]
) -> list[Filter]:
    room = _MOST_CONDITIONS - 1 - trigger.long.count(" and ")
    order = rng.permutation(len(filters))[: min(room, weighted(rng, _FILTERS))]
    return [filters[i](rng) for i in order]


def _rules(trigger: Trigger, beside: list[Filter], side: str, *, by_signal: bool) -> list[str]:
    lines = []
    if side != "short":
        lines.append("long when " + " and ".join([trigger.long, *(each.long for each in beside)]))
        lines += [f"exit when {trigger.long_over}"] if by_signal else []
    if side != "long":
        lines.append(
            "short when " + " and ".join([trigger.short, *(each.short for each in beside)])
        )
        lines += [f"exit when {trigger.short_over}"] if by_signal else []
    return lines


def _exits(rng: np.random.Generator, timeframe: str, *, by_signal: bool) -> list[str]:
    """Draw levels and a timeout; without a signal to leave on, enough to always get out."""
    scale = (INTERVALS[timeframe] / INTERVALS["15m"]) ** 0.5
    stop, target, trail, timeout = (int(rng.integers(100)) < share for share in (60, 45, 30, 35))
    if not by_signal and not timeout and not trail:
        timeout = not (stop and target)
    drawn = {
        "stop": _level(rng, _STOPS, scale) if stop else None,
        "target": _level(rng, _TARGETS, scale) if target else None,
        "trail": _level(rng, _TRAILS, scale) if trail else None,
        "timeout": _timeout(rng, timeframe) if timeout else None,
    }
    return [f"{name} {value}" for name, value in drawn.items() if value is not None]


def _level(rng: np.random.Generator, levels: tuple[float, ...], scale: float) -> str:
    wanted = pick(rng, levels) * scale
    return f"{min(_ROUND, key=lambda level: abs(level - wanted)):g}%"


def _timeout(rng: np.random.Generator, timeframe: str) -> str:
    hours = pick(rng, _TIMEOUTS) * INTERVALS[timeframe] / INTERVALS["1h"]
    nearest = min(_ROUND_HOURS, key=lambda each: abs(each - hours))
    return f"{int(nearest * 60)}m"
