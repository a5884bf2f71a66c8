"""All second opinions on one winner, in the order in which a report lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.opinions.neighbours import plateau
from research.opinions.stability import months, symbols
from research.opinions.stress import ambiguous_bars, doubled_costs, doubtful_bars
from research.opinions.tried import (
    bootstrapped,
    deflated,
    effective,
    overfitted,
    shortened,
    track_record,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.costs import Costs
    from research.market import Market
    from research.opinions.model import B1, Ledger, Opinion, Winner


def second_opinions(
    winner: Winner,
    ledger: Ledger,
    markets: Mapping[str, Market],
    costs: Costs,
    *,
    doubtful: Mapping[str, B1] | None = None,
    seed: int = 0,
) -> list[Opinion]:
    """Return what the others say of a winner, first those that may hold it back.

    Args:
        winner: What beat the null worlds.
        ledger: All that the night tried, as many days as the winner's or more.
        markets: At least those of its legs, by symbol; all end on one day. No other thread may
            use them meanwhile.
        costs: Those it was searched with.
        doubtful: By symbol, one mark for each bar of its market: true where the bar was filled
            in or mended. Symbols that are not named have none; without it nothing is asked.
        seed: Of the bootstrap and of the haircut's simulation.

    Raises:
        InvalidInput: A leg's symbol has no market, or its marks do not fit its bars.
    """
    tests = bootstrapped(winner, ledger, seed)
    rest = None if doubtful is None else doubtful_bars(winner, markets, costs, doubtful)
    found = [
        doubled_costs(winner, markets, costs),
        plateau(winner, markets, costs),
        rest,
        deflated(winner, ledger),
        tests.superior,
        tests.stepped,
        effective(ledger),
        overfitted(ledger),
        track_record(winner),
        shortened(winner, ledger, seed),
        ambiguous_bars(winner, markets, costs),
        months(winner, markets),
        symbols(winner, markets, costs),
    ]
    return [opinion for opinion in found if opinion is not None]
