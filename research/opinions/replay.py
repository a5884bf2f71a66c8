"""A winner run again: under other costs, other readings of a bar, or with other numbers in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import InvalidInput
from research.evaluate import by_reference, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from research.costs import Ambiguous, Costs
    from research.evaluate import Scores
    from research.market import Market
    from research.opinions.model import F8, Leg
    from research.reference import Records
    from research.strategy import Strategy


class Replay(NamedTuple):
    """What a set of legs earned on each day, and how many of its trades were ambiguous."""

    returns: F8
    detrended: F8
    trades: int
    ambiguous: int


def replay(
    legs: Sequence[Leg],
    markets: Mapping[str, Market],
    costs: Costs,
    *,
    ambiguous: Ambiguous = "worst",
) -> Replay:
    """Run the legs and add them up by their stakes; a symbol listed later earned nothing before.

    Raises:
        InvalidInput: A symbol has no market here.
    """
    days = max(market_of(markets, leg.symbol).ends.size for leg in legs)
    returns, detrended = np.zeros(days), np.zeros(days)
    trades = doubted = 0
    for symbol in sorted({leg.symbol for leg in legs}):
        own = [leg for leg in legs if leg.symbol == symbol]
        strategies = [leg.strategy for leg in own]
        scores = evaluate(markets[symbol], strategies, costs, ambiguous=ambiguous, detrend=True)
        stakes = np.array([leg.stake for leg in own])
        since = days - scores.returns.shape[1]
        returns[since:] += stakes @ scores.returns
        detrended[since:] += stakes @ beyond(scores)
        trades += int(scores.metrics["trades"].sum())
        doubted += int(scores.metrics["ambiguous_trades"].sum())
    return Replay(returns, detrended, trades, doubted)


def variants(
    strategies: Sequence[Strategy],
    places: Sequence[Leg],
    markets: Mapping[str, Market],
    costs: Costs,
) -> F8:
    """Return the detrended daily returns of several strategies, each in all of these places.

    Args:
        strategies: What is to be run.
        places: Legs whose symbols and stakes count; their own strategies do not.
        markets: By symbol.
        costs: Fee, slippage and funding.
    """
    days = max(market_of(markets, place.symbol).ends.size for place in places)
    total = np.zeros((len(strategies), days))
    for place in places:
        own = beyond(evaluate(markets[place.symbol], strategies, costs, detrend=True))
        total[:, days - own.shape[1] :] += place.stake * own
    return total


def trades_of(leg: Leg, markets: Mapping[str, Market], costs: Costs) -> Records:
    """Return the trades of a leg."""
    (ran,) = by_reference(market_of(markets, leg.symbol), [leg.strategy], costs, "worst")
    return ran.trades


def market_of(markets: Mapping[str, Market], symbol: str) -> Market:
    """Return the market of a symbol; raise `InvalidInput` where there is none."""
    if symbol not in markets:
        raise InvalidInput(f"expected one of {', '.join(sorted(markets))}, was {symbol!r}")
    return markets[symbol]


def beyond(scores: Scores) -> F8:
    """Return the daily returns beyond the market's drift, of scores that were asked for them."""
    if scores.detrended is None:
        raise InvalidInput("expected scores with detrended returns, was without")
    return scores.detrended
