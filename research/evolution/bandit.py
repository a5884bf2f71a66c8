"""Which operators pay: Thompson sampling over all of them, learned while the search runs.

A child pays when it enters the elite of its island or beats the best of its parents. Each
operator's chance of that has a Beta distribution; an operator is chosen by drawing a chance from
each and taking the highest, so that one is tried as often as it may be the best. What lies some
generations back counts less: what pays changes as the search gets on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEEP = 0.95  # weight of a brood's evidence after one more
ANY = 0.1  # share of choices that ask nobody

Outcome = tuple[str, bool]  # operator, whether it paid


class Arm(msgspec.Struct, frozen=True):
    """An operator: how often it was tried and paid, in all and weighted by how recently."""

    name: str
    tried: int = 0
    paid: int = 0
    recent_tried: float = 0.0
    recent_paid: float = 0.0

    @property
    def rate(self) -> float:
        """The share of tries that paid; 0 without any."""
        return self.paid / self.tried if self.tried else 0.0


def choose(rng: np.random.Generator, arms: Sequence[Arm], count: int) -> list[str]:
    """Return the operators to try next, so many, each drawn as if it were alone."""
    paid = np.array([arm.recent_paid for arm in arms])
    tried = np.array([arm.recent_tried for arm in arms])
    chances = rng.beta(1.0 + paid, 1.0 + tried - paid, size=(count, len(arms)))
    any_one = rng.integers(len(arms), size=count)
    chosen = np.where(rng.random(count) < ANY, any_one, chances.argmax(axis=1))
    return [arms[i].name for i in chosen.tolist()]


def learned(arms: Sequence[Arm], outcomes: Iterable[Outcome]) -> tuple[Arm, ...]:
    """Return the operators with one brood's outcomes counted."""
    tried = {arm.name: 0 for arm in arms}
    paid = dict(tried)
    for name, has_paid in outcomes:
        if name in tried:
            tried[name] += 1
            paid[name] += has_paid
    return tuple(
        Arm(
            arm.name,
            arm.tried + tried[arm.name],
            arm.paid + paid[arm.name],
            KEEP * arm.recent_tried + tried[arm.name],
            KEEP * arm.recent_paid + paid[arm.name],
        )
        for arm in arms
    )
