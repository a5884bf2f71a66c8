"""The proof before the score: no strategy is scored that knows more than its time did.

On histories cut short at seeded places, and with a future of NaN, every indicator and condition
must say bit for bit what it says on the whole history, and the engine must make the same trades.
On histories that start later, signals must be the same from the declared warm-up on.
docs/lookahead.md says what this shows and what it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import InvalidInput
from research.lookahead.conditions import Conditions
from research.lookahead.cuts import draw_cuts, draw_starts
from research.lookahead.finding import refused
from research.lookahead.histories import Histories
from research.lookahead.trades import Trades, fast
from research.lookahead.warmup import Warmups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.costs import Ambiguous, Costs
    from research.lookahead.finding import Finding
    from research.lookahead.trades import Engine
    from research.market import Market
    from research.strategy import Strategy

CUTS = 20


class Proof:
    """What is proven on one market; remembers the parts of rules, so that each is proven once.

    Not for several threads at once, nor beside another user of the market.
    """

    def __init__(
        self, histories: Histories, conditions: Conditions, trades: Trades, warmups: Warmups
    ) -> None:
        self._histories = histories
        self._conditions = conditions
        self._trades = trades
        self._warmups = warmups

    @classmethod
    def of(
        cls,
        market: Market,
        costs: Costs,
        *,
        cuts: int = CUTS,
        seed: int,
        engine: Engine = fast,
        ambiguous: Ambiguous = "worst",
    ) -> Proof:
        """Draw the cuts and the later starts of one market.

        Args:
            market: What strategies are to be scored on.
            costs: What they are to be scored with.
            cuts: How many histories that end early; a history of few bars has fewer.
            seed: Decides where.
            engine: What makes the trades; the default is what scores them.
            ambiguous: As in `evaluate`.

        Raises:
            InvalidInput: There are no cuts to be made, or the seed is negative.
        """
        if cuts < 1 or seed < 0:
            raise InvalidInput(f"expected at least 1 cut and a seed from 0, was {cuts} and {seed}")
        rng = np.random.default_rng(seed)
        histories = Histories(market, draw_cuts(market.bars.time, cuts, rng))
        terms = costs.terms(market.step, ambiguous=ambiguous)
        return cls(
            histories,
            Conditions(histories),
            Trades(histories, terms, engine),
            Warmups(histories, draw_starts(market.bars.time.size, rng)),
        )

    @property
    def cuts(self) -> tuple[int, ...]:
        """The first bar that each history does not know."""
        return self._histories.cuts

    def check(self, strategies: Sequence[Strategy]) -> list[Finding | None]:
        """Return the first finding of each strategy, None where it knows no more than it may."""
        found: list[Finding | None] = [self._bars(strategy) for strategy in strategies]
        for check in (
            self._conditions.check,
            self._trades.check,
            lambda left: [self._warmups.check(strategy) for strategy in left],
        ):
            places = [place for place, each in enumerate(found) if each is None]
            results = check([strategies[place] for place in places])
            for place, result in zip(places, results, strict=True):
                found[place] = result
        return found

    def _bars(self, strategy: Strategy) -> Finding | None:
        try:
            return self._histories.check(strategy.timeframe)
        except InvalidInput as error:
            return refused(str(error))
