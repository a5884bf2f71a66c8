"""Numbers beyond any market: what is larger is a misprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.rules import between

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from expectations.rules import Rule

HIGHEST_PRICE = 1e12  # a bitcoin is some 1e10 of the least of currencies
HIGHEST_AMOUNT = 1e18  # some tokens count in 1e15 a day


def plausible(prices: Sequence[str], amounts: Sequence[str] = ()) -> Iterator[Rule]:
    """Yield a rule for each column: not beyond any market."""
    for name in prices:
        yield between(name, "implausible", None, HIGHEST_PRICE)
    for name in amounts:
        yield between(name, "implausible", None, HIGHEST_AMOUNT)
