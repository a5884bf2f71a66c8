"""Draws, one at a time: quick, and the same for the same key on every machine."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_T = TypeVar("_T")


class Luck(Random):
    """A source of draws; `luck_of` makes one.

    numpy's generators take a microsecond and more for one number, and a search draws a dozen for
    each child. All draws but those of `gauss` rest on `random`, whose numbers Python keeps.
    """

    def below(self, count: int) -> int:
        """Draw a whole number from 0 to below `count`, each as likely."""
        return int(self.random() * count)

    def chance(self, percent: float) -> bool:
        """Tell whether something happens that happens so often."""
        return self.random() * 100 < percent

    def pick(self, options: Sequence[_T]) -> _T:
        """Draw one of several, each as likely."""
        return options[int(self.random() * len(options))]

    def some(self, options: Sequence[_T], count: int) -> list[_T]:
        """Draw several different ones in any order; all where there are no more than `count`."""
        rest = list(options)
        return [rest.pop(self.below(len(rest))) for _ in range(min(count, len(rest)))]

    def weighted(self, weights: Mapping[_T, int]) -> _T:
        """Draw one of several by its weight."""
        marks = list(accumulate(weights.values()))
        return list(weights)[bisect(marks, self.below(marks[-1]))]


def luck_of(*key: int) -> Luck:
    """Return the luck that belongs to a key; other keys have luck of their own."""
    return Luck(" ".join(map(str, key)))
