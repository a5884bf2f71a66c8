"""The plan by which paper trading will judge a promotion, in words."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from serving.words import count, decimal, percent, plural, share


class Terms(msgspec.Struct, frozen=True):
    """The part of a plan that a reader needs; returns are of days, net."""

    horizon_days: int
    level: float
    forecast_mean: float
    forecast_sd: float
    kill_sigma: float | None = None

    def forecast(self, days: int) -> float:
        """Return what the returns of so many days should sum up to."""
        return days * self.forecast_mean

    def kill_line(self, days: int) -> float | None:
        """Return the sum below which it is stopped after so many days, None for never."""
        if self.kill_sigma is None:
            return None
        return self.forecast(days) - self.kill_sigma * self.forecast_sd * math.sqrt(days)


class Term(NamedTuple):
    """One line of a plan."""

    name: str
    says: str


def plan(text: str | None) -> list[Term]:
    """Return a plan line by line; none where there is no plan that can be read."""
    try:
        terms = msgspec.json.decode(text or "", type=Terms)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []
    return [
        Term("judged", f"once, after {plural(terms.horizon_days, 'whole day')} (UTC)"),
        Term(
            "confirmed where",
            f"its mean daily return is above 0; a useless one passes with {share(terms.level)}",
        ),
        Term("expected", _expected(terms)),
        Term("stopped early", _stopped(terms)),
    ]


def _expected(terms: Terms) -> str:
    return (
        f"{percent(terms.forecast_mean, 3, signed=True)} a day, give or take "
        f"{percent(terms.forecast_sd, 2)}; {_sum(terms.forecast(terms.horizon_days))} in "
        f"{plural(terms.horizon_days, 'day')}"
    )


def _stopped(terms: Terms) -> str:
    if terms.kill_sigma is None:
        return "never"
    days = [day for day in (10, 30) if day < terms.horizon_days] + [terms.horizon_days]
    lines = [f"{_sum(terms.kill_line(day))} after {count(day)}" for day in days]
    return (
        f"where the sum of its returns is {decimal(terms.kill_sigma, 1)} standard deviations below "
        f"that: {', '.join(lines)} days"
    )


def _sum(value: float | None) -> str:
    return percent(value, signed=True)
