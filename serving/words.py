"""Numbers, counts and times in plain words, the same on every page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.clock import require_utc

if TYPE_CHECKING:
    from datetime import datetime

MISSING = "\N{EN DASH}"  # what stands where there is no number
TIMES = "\N{MULTIPLICATION SIGN}"
BEST = "tonight\N{RIGHT SINGLE QUOTATION MARK}s best"
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


def share(value: float) -> str:
    """Write a share as a percentage without needless digits: 0.05 is `5 %`, 0.002 `0.2 %`."""
    return f"{value * 100:.3g} %"


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


def figure(value: float | None) -> str:
    """Write a number of unknown size with the three digits that matter: `12.3`, `0.05`."""
    if value is None or math.isnan(value) or math.isinf(value):
        return decimal(value)
    if value == 0 or abs(value) >= 100:
        return decimal(value, 0)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = decimal(value, min(digits, 6))
    return text.rstrip("0").rstrip(".") if "." in text else text


def about(value: float | None) -> str:
    """Write a rough count with the two digits that matter: `about 1,200`."""
    if value is None or math.isnan(value) or math.isinf(value):
        return decimal(value)
    if value < 10:
        return f"about {decimal(value, 1)}"
    size = 10 ** (math.floor(math.log10(value)) - 1)
    return f"about {count(round(value / size) * size)}"


def capitalised(text: str) -> str:
    """Return a sentence with its first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def between(first: float | None, second: float | None, digits: int = 1) -> str:
    """Write what lies between two numbers, the smaller first: `7.9 to 12.5`."""
    if first is None or second is None:
        return decimal(first if second is None else second, digits)
    low, high = (decimal(value, digits) for value in sorted((first, second)))
    return low if low == high else f"{low} to {high}"


def odds(value: float | None) -> str:
    """Write a p-value with the three digits that matter: `0.46`, `0.002`, `0.00501`."""
    if value is None or math.isnan(value):
        return MISSING
    if value >= 0.1:
        return decimal(value)
    return f"{value:.3g}" if value >= 0.0001 else "below 0.0001"


def once(chance: float) -> str:
    """Write a small probability of a night as `one night in 200`."""
    return f"one night in {count(round(1 / chance))}" if chance > 0 else "no night"


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
