"""Combinatorial purged cross-validation: every way to hold out some of the groups of days.

Days whose labels reach into a test group are purged from the training on both sides, and an
embargo after each test group keeps out what its end still moves.

Source:
    López de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12, ISBN
    9781119482086.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    I8 = NDArray[np.int64]


class Split(NamedTuple):
    """Periods to train on, and the held-out ones, one array per test group."""

    train: I8
    tests: tuple[I8, ...]


def split_count(groups: int, tests: int) -> int:
    """Return how many splits there are."""
    _check(groups, tests)
    return math.comb(groups, tests)


def path_count(groups: int, tests: int) -> int:
    """Return how many whole histories can be put together from the held-out groups."""
    return split_count(groups, tests) * tests // groups


def purged_splits(
    periods: int, groups: int, tests: int, *, purge: int = 0, embargo: int = 0
) -> Iterator[Split]:
    """Yield every split, in the order of the combinations of its test groups.

    Args:
        periods: How many there are.
        groups: Into how many runs of days they are cut; the first are a day longer where they
            do not divide.
        tests: How many groups are held out at a time.
        purge: Periods left out before, and after, every held-out group.
        embargo: Further periods left out after it.
    """
    _check(groups, tests)
    if periods < groups or purge < 0 or embargo < 0:
        raise InvalidInput(
            f"expected {groups} periods or more and no negative purge or embargo, was {periods}, "
            f"{purge} and {embargo}"
        )
    parts = np.array_split(np.arange(periods, dtype=np.int64), groups)
    for held_out in combinations(range(groups), tests):
        kept = np.ones(periods, np.bool_)
        for group in held_out:
            first, last = int(parts[group][0]), int(parts[group][-1])
            kept[max(0, first - purge) : last + 1 + purge + embargo] = False
        yield Split(np.flatnonzero(kept), tuple(parts[group] for group in held_out))


def _check(groups: int, tests: int) -> None:
    if not 0 < tests < groups:
        raise InvalidInput(f"expected 1 to {groups - 1} test groups of {groups}, was {tests}")
