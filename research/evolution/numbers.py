"""Steps on the numbers of a strategy: by a factor, to a number that a person would write."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from research.expressions import LARGEST, SMALLEST
from research.indicators import INDICATORS

if TYPE_CHECKING:
    from research.declarations import Parameter
    from research.draws import Luck
    from research.expressions import Reading

SPREAD = 0.35  # standard deviation of the log of a step
LONGEST_PERIOD = 400  # bars: what is slower has no value for most of a night's window
LEAST_LEVEL, MOST_LEVEL = 0.002, 0.5  # of the entry price
LONGEST_TIMEOUT = timedelta(days=30)

_MINUTE = timedelta(minutes=1)


def stepped(luck: Luck, value: float) -> float:
    """Return a number some way off, to two digits, and never the same unless it is 0."""
    up = luck.below(2) == 1
    step = math.exp(abs(luck.gauss(0.0, SPREAD)))
    moved = two_digits(value * step if up else value / step)
    if moved == two_digits(value) and value:
        unit = 10.0 ** (math.floor(math.log10(value)) - 1)
        moved = two_digits(value + (unit if up else -unit))
    return min(max(moved, SMALLEST), LARGEST) if value else 0.0


def stepped_count(luck: Luck, value: float, least: int, most: int) -> int:
    """Return another whole number within the bounds, the same only where there is no other."""
    moved = round(stepped(luck, max(value, 1.0)))
    if moved == value:
        moved += 1 if luck.below(2) else -1
    moved = min(max(moved, least), most)
    if moved == value:
        moved = least + 1 if value == least else most - 1
    return min(max(moved, least), most)


def stepped_reading(luck: Luck, reading: Reading) -> Reading | None:
    """Return the indicator with one of its parameters changed; None where it has none."""
    indicator = INDICATORS[reading.name]
    if not indicator.parameters:
        return None
    which = luck.below(len(indicator.parameters))
    params = list(reading.params)
    params[which] = _stepped_parameter(luck, indicator.parameters[which], params[which])
    if not indicator.ordered(tuple(params)):
        return None
    return type(reading)(reading.name, tuple(params), reading.source)


def stepped_level(luck: Luck, level: float) -> float:
    """Return another stop, target or trail, a fraction of the price."""
    return min(max(round(stepped(luck, level * 100) / 100, 6), LEAST_LEVEL), MOST_LEVEL)


def stepped_timeout(luck: Luck, timeout: timedelta, step: timedelta) -> timedelta:
    """Return another timeout, whole bars of `step`."""
    bars = max(1, timeout // step)
    most = max(2, LONGEST_TIMEOUT // step)
    return stepped_count(luck, bars, 1, most) * max(step, _MINUTE)


def two_digits(value: float) -> float:
    """Round to two significant digits."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{round(value / unit) * unit:.12g}")


def _stepped_parameter(luck: Luck, parameter: Parameter, value: float) -> float:
    if parameter.whole:
        least, most = int(parameter.least), int(min(parameter.most, LONGEST_PERIOD))
        return stepped_count(luck, value, least, most)
    return min(max(stepped(luck, value), parameter.least), parameter.most)
