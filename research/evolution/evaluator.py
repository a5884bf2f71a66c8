"""The evaluator of real markets: the engine over every symbol, several at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING

import polars as pl

from core.errors import InvalidInput
from research.costs import Costs
from research.evaluate import Scores, evaluate
from research.market import Market, markets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from research.costs import Ambiguous
    from research.evolution.scores import Batch
    from research.strategy import Strategy

_COSTS = Costs()


class MarketEvaluator:
    """Score batches of strategies on the markets of their symbols.

    A market is used by one thread at a time, and its batches in their order, so that the scores
    are the same for any number of workers.
    """

    def __init__(
        self,
        markets: Iterable[Market],
        costs: Costs = _COSTS,
        *,
        workers: int = 1,
        ambiguous: Ambiguous = "worst",
    ) -> None:
        """Take the markets to score on.

        Raises:
            InvalidInput: There is no market, they end on different days, or there are no workers.
        """
        self._markets = {market.symbol: market for market in markets}
        self._costs = costs
        self._ambiguous = ambiguous
        self._workers = workers
        ends = {market.first_day + market.ends.size for market in self._markets.values()}
        if len(ends) != 1:
            raise InvalidInput(f"expected markets that end on one day, was {len(ends)} days")
        if workers < 1:
            raise InvalidInput(f"expected at least 1 worker, was {workers}")

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols there are, by name."""
        return tuple(sorted(self._markets))

    @property
    def costs(self) -> Costs:
        """What every trade pays."""
        return self._costs

    def market(self, symbol: str) -> Market:
        """Return the market of one of the symbols."""
        return self._markets[symbol]

    def __call__(self, batches: Sequence[Batch]) -> list[Scores]:
        """Return the scores of every batch, in order."""
        by_symbol: dict[str, list[int]] = {}
        for at, batch in enumerate(batches):
            if batch.symbol not in self._markets:
                raise InvalidInput(f"expected one of {self.symbols}, was {batch.symbol!r}")
            by_symbol.setdefault(batch.symbol, []).append(at)
        each = max(1, self._workers // max(1, len(by_symbol)))  # threads within a symbol

        def score(places: list[int]) -> list[Scores]:
            symbol, given = batches[places[0]].symbol, [batches[at].strategies for at in places]
            return _parted(self._score(symbol, given, each), map(len, given))

        done = self._each(score, by_symbol.values())
        scores: dict[int, Scores] = {}
        for places, results in zip(by_symbol.values(), done, strict=True):
            scores |= dict(zip(places, results, strict=True))
        return [scores[at] for at in range(len(batches))]

    def _each(
        self, score: Callable[[list[int]], list[Scores]], symbols: Iterable[list[int]]
    ) -> list[list[Scores]]:
        """Score the batches of every symbol, by other threads where there are several workers."""
        if self._workers == 1:
            return list(map(score, symbols))
        with ThreadPoolExecutor(self._workers) as pool:
            return list(pool.map(score, symbols))

    def _score(self, symbol: str, given: Sequence[Sequence[Strategy]], workers: int) -> Scores:
        """Score the strategies of all batches of a symbol at once: there is less to set up."""
        return evaluate(
            self._markets[symbol],
            list(chain.from_iterable(given)),
            self._costs,
            ambiguous=self._ambiguous,
            detrend=True,
            workers=workers,
        )


def _parted(scores: Scores, sizes: Iterable[int]) -> list[Scores]:
    """Give each batch the rows that are its own."""
    ends = list(accumulate(sizes, initial=0))
    return [
        Scores(
            {name: column[first:end] for name, column in scores.metrics.items()},
            scores.returns[first:end],
            None if scores.detrended is None else scores.detrended[first:end],
        )
        for first, end in pairwise(ends)
    ]


def of_candles(
    candles: pl.DataFrame,
    costs: Costs = _COSTS,
    *,
    held_out: int = 0,
    workers: int = 1,
    ambiguous: Ambiguous = "worst",
) -> MarketEvaluator:
    """Return the evaluator of all symbols of `candles`, without their last `held_out` days.

    What is held out is for whoever wants to look at days that a search has not seen.

    Raises:
        InvalidInput: The candles are not clean series, no day is left, or the series differ in
            their days.
    """
    day = pl.col("open_time").dt.date()
    last = candles["open_time"].max()
    if held_out and last is not None:
        candles = candles.filter(day <= pl.lit(last).dt.date().dt.offset_by(f"-{held_out}d"))
    return MarketEvaluator(markets_of(candles), costs, workers=workers, ambiguous=ambiguous)
