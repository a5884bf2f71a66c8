"""Strategies drawn at random: a reason to enter, filters beside it, and always a way out."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput
from core.market import INTERVALS
from research.draws import luck_of
from research.expressions import joined
from research.ideas import FAMILIES, Filter, Trigger, heated
from research.strategy import Side, Strategy
from research.syntax import condition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from research.draws import Luck

# How often each is drawn.
_TIMEFRAMES = {"1m": 3, "3m": 4, "5m": 18, "15m": 24, "30m": 18, "1h": 20, "2h": 8, "4h": 5}
_SIDES = {("long",): 40, ("short",): 20, ("long", "short"): 40}
_FAMILIES = {"trend": 40, "reversion": 35, "breakout": 25}
_FILTERS = {0: 30, 1: 40, 2: 22, 3: 8}
_MOST_CONDITIONS = 4  # to enter on one side
_BY_SIGNAL = 65  # percent that leave when their reason is gone
_TWO_WAYS_OUT = 20  # percent of those with a second signal to leave on

# Levels for bars of 15 minutes; others scale with the root of time.
_STOPS = (0.0075, 0.01, 0.015, 0.02, 0.025, 0.03)
_TARGETS = (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06)
_TRAILS = (0.0075, 0.01, 0.015, 0.02, 0.03)
_ROUND = (
    *(0.002, 0.003, 0.004, 0.005, 0.006, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03),
    *(0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25),
)
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
    luck = luck_of(seed)
    found: dict[str, Strategy] = {}
    idle = 0
    while len(found) < count:
        strategy = _draw(luck, weights)
        idle = idle + 1 if strategy.id in found else 0
        if idle > _PATIENCE:
            raise InvalidInput(f"expected at most {len(found)} strategies, was {count}")
        found.setdefault(strategy.id, strategy)
    return list(found.values())


def draw(luck: Luck, timeframes: Collection[str] | None = None) -> Strategy:
    """Return the next strategy of that luck, which may be one that was drawn before.

    Raises:
        InvalidInput: No timeframe is left to draw from.
    """
    return _draw(luck, _timeframe_weights(timeframes))


def _timeframe_weights(timeframes: Collection[str] | None) -> dict[str, int]:
    weights = {
        name: weight
        for name, weight in _TIMEFRAMES.items()
        if timeframes is None or name in timeframes
    }
    if not weights:
        raise InvalidInput(f"expected some of {', '.join(_TIMEFRAMES)}, was {timeframes}")
    return weights


def _draw(luck: Luck, timeframes: dict[str, int]) -> Strategy:
    triggers, filters = FAMILIES[luck.weighted(_FAMILIES)]
    trigger = _with_second_exit(luck, luck.pick(triggers)(luck))
    beside = _beside(luck, trigger, filters)
    timeframe = luck.weighted(timeframes)
    by_signal = luck.chance(_BY_SIGNAL)
    sides: dict[str, Any] = {
        name: _side(name, trigger, beside, by_signal=by_signal) for name in luck.weighted(_SIDES)
    }
    return Strategy(timeframe, **sides, **_exits(luck, timeframe, by_signal=by_signal))


def _with_second_exit(luck: Luck, trigger: Trigger) -> Trigger:
    if not luck.chance(_TWO_WAYS_OUT):
        return trigger
    hot = heated(luck)
    return trigger._replace(
        long_over=f"{trigger.long_over} or {hot.long}",
        short_over=f"{trigger.short_over} or {hot.short}",
    )


def _beside(
    luck: Luck, trigger: Trigger, filters: tuple[Callable[..., Filter], ...]
) -> list[Filter]:
    room = _MOST_CONDITIONS - 1 - trigger.long.count(" and ")
    return [make(luck) for make in luck.some(filters, min(room, luck.weighted(_FILTERS)))]


def _side(name: str, trigger: Trigger, beside: list[Filter], *, by_signal: bool) -> Side:
    entry = joined([condition_of(getattr(each, name)) for each in (trigger, *beside)], "and")
    return Side(entry, condition_of(getattr(trigger, f"{name}_over")) if by_signal else None)


def _exits(luck: Luck, timeframe: str, *, by_signal: bool) -> dict[str, Any]:
    """Draw levels and a timeout; without a signal to leave on, enough to always get out."""
    scale = (INTERVALS[timeframe] / INTERVALS["15m"]) ** 0.5
    stop, target, trail, timeout = map(luck.chance, (60, 45, 30, 35))
    if not by_signal and not timeout and not trail:
        timeout = not (stop and target)
    return {
        "stop": _level(luck, _STOPS, scale) if stop else None,
        "target": _level(luck, _TARGETS, scale) if target else None,
        "trail": _level(luck, _TRAILS, scale) if trail else None,
        "timeout": _timeout(luck, timeframe) if timeout else None,
    }


def _level(luck: Luck, levels: tuple[float, ...], scale: float) -> float:
    return _nearest(_ROUND, luck.pick(levels) * scale)


def _timeout(luck: Luck, timeframe: str) -> timedelta:
    hours = luck.pick(_TIMEOUTS) * INTERVALS[timeframe] / INTERVALS["1h"]
    return timedelta(hours=_nearest(_ROUND_HOURS, hours))


@lru_cache(1_000)
def _nearest(options: tuple[float, ...], wanted: float) -> float:
    return min(options, key=lambda option: abs(option - wanted))
