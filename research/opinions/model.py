"""What second opinions are given, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from research.hunt import POOL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from research.strategy import Strategy

F8 = NDArray[np.float64]
B1 = NDArray[np.bool_]


class Opinion(msgspec.Struct, frozen=True):
    """One look at a winner.

    Attributes:
        name: The same on every night.
        value: What was found; None where there was nothing to find it in.
        bar: What `value` is held against, None where against nothing.
        agrees: Whether the winner may go on; None where this opinion only reports.
        sentence: What it means, for a trader.
    """

    name: str
    value: float | None
    bar: float | None
    agrees: bool | None
    sentence: str


class Leg(NamedTuple):
    """A strategy on a symbol, and what part of the money is in it."""

    strategy: Strategy
    symbol: str
    stake: float


@dataclass(frozen=True, eq=False)
class Winner:
    """What is to be promoted.

    Attributes:
        legs: At least one; their stakes add up to 1.
        returns: Net daily returns.
        detrended: Daily returns beyond the market's drift, by which it won; the same days.
        rules: How many rules were mixed. Of as many lucky and unrelated rules the mix has the
            ratio of one times the root of their number, so what counts luck divides by that.
    """

    legs: tuple[Leg, ...]
    returns: F8
    detrended: F8
    rules: int = 1

    def __post_init__(self) -> None:
        """Refuse a winner that nobody could trade."""
        stake = sum(leg.stake for leg in self.legs)
        if not self.legs or abs(stake - 1.0) > 1e-9:
            raise InvalidInput(f"expected legs with stakes of 1 in all, was {stake!r}")
        if self.returns.shape != self.detrended.shape or self.returns.ndim != 1:
            raise InvalidInput(
                f"expected returns and detrended ones of the same days, was {self.returns.shape} "
                f"and {self.detrended.shape}"
            )
        if self.returns.size < 2 or self.rules < 1:
            raise InvalidInput(
                f"expected 2 days and a rule, was {self.returns.size} and {self.rules}"
            )

    @property
    def days(self) -> int:
        """How many days of returns there are."""
        return int(self.returns.size)


@dataclass(frozen=True, eq=False)
class Ledger:
    """All that the night tried.

    Attributes:
        returns: Daily returns beyond the market's drift, days by distinct trials, at least one.
        trials: How often a strategy was scored, repetitions included.
        effective: How many independent strategies the null worlds say that these are worth; None
            where they have not said.
    """

    returns: F8
    trials: int
    effective: float | None = None

    def __post_init__(self) -> None:
        """Refuse a ledger without trials."""
        if self.returns.ndim != 2 or not self.returns.size or self.trials < self.distinct:
            raise InvalidInput(
                f"expected days by distinct trials, and trials in all, was {self.returns.shape} "
                f"and {self.trials}"
            )

    @property
    def distinct(self) -> int:
        """How many different strategies were tried."""
        return int(self.returns.shape[1])


def legs_of(members: Iterable[tuple[Strategy, str]], symbols: Sequence[str]) -> tuple[Leg, ...]:
    """Return the legs of rules with equal stakes; one on `*` is on all `symbols` alike."""
    rules = list(members)
    return tuple(
        Leg(strategy, each, 1.0 / (len(rules) * len(places)))
        for strategy, symbol in rules
        for places in [symbols if symbol == POOL else [symbol]]
        for each in places
    )


def dissenting(opinions: Iterable[Opinion]) -> list[Opinion]:
    """Return the opinions that hold a winner back."""
    return [opinion for opinion in opinions if opinion.agrees is False]
