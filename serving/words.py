"""Numbers, counts and times in plain words, the same on every page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.clock import require_utc

if TYPE_CHECKING:
    from datetime import datetime

MISSING = "\N{EN DASH}"  # what stands where there is no number
TIMES = "\N{MULTIPLICATION SIGN}"
_MINUS = "\N{MINUS SIGN}"
# unit, its seconds, the unit below it, its seconds
_SCALES = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))


def known(value: float | None) -> bool:
    """Say whether there is a number: neither None nor NaN."""
    return value is not None and not math.isnan(value)


def count(number: float | None) -> str:
    """Write a whole number with thousands apart: `3,000`."""
    return MISSING if number is None else f"{int(number):,}".replace("-", _MINUS)


def plural(number: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: `1 trial`, `3,000 trials`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def decimal(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """Write a number with a true minus; a dash where there is none."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else _MINUS + "∞"
    rounded = round(value, digits) + 0.0  # never "-0.00"
    text = f"{rounded:{'+' if signed and rounded else ''},.{digits}f}"
    return text.replace("-", _MINUS)


def percent(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """Write a share as a percentage: 0.034 is `3.4 %`."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{decimal(value * 100, digits, signed=signed)} %"


def bps(value: float | None) -> str:
    """Write basis points without needless zeros: `10`, `2.5`."""
    return decimal(value, 0 if value is not None and value == round(value) else 2)


def completeness(held: int, expected: int) -> str:
    """Write a share that reads 100 % only where nothing is missing."""
    if expected <= 0:
        return MISSING
    if held < expected and held / expected > 0.9999:
        return "99.99 %"
    return percent(held / expected, 2 if held < expected else 0)


def probability(value: float | None) -> str:
    """Write a probability; what is nearly certain is not rounded up to certain."""
    if value is None or math.isnan(value):
        return MISSING
    if 0.995 <= value < 1:
        return "above 0.99"
    if 0 < value < 0.005:
        return "below 0.01"
    return decimal(value)


def apart(first: float | None, second: float | None) -> tuple[str, str]:
    """Write two numbers with just enough digits to tell them apart (1 to 3)."""
    pairs = [(decimal(first, digits), decimal(second, digits)) for digits in (1, 2, 3)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def moment(when: datetime | None) -> str:
    """Write a time to the minute: `2026-06-01 03:00 UTC`."""
    return MISSING if when is None else f"{require_utc(when):%Y-%m-%d %H:%M} UTC"


def seconds(value: float | None) -> str:
    """Write how long something took, in the two units that matter."""
    if value is None or math.isnan(value):
        return MISSING
    if value < 60:
        return f"{decimal(value, 1)} s"
    unit, size, smaller, part = next(scale for scale in _SCALES if value >= scale[1])
    whole, rest = divmod(int(value), size)
    return f"{count(whole)} {unit}" + (f" {rest // part} {smaller}" if rest >= part else "")


def listed(names: list[str], most: int = 12) -> str:
    """Write names with commas and a final `and`; of very many, how many more there are."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {count(len(names) - most)} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
