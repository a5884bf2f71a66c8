"""An evaluator that scores nothing before it is shown not to look ahead."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from research.lookahead import Proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.evaluate import Scores
    from research.evolution.evaluator import MarketEvaluator
    from research.evolution.scores import Batch
    from research.lookahead import Finding
    from research.strategy import Strategy


class Proven:
    """Scores of `MarketEvaluator`, but a strategy that is not proven gets those of idleness.

    Only the real world is proven: what is refused here may stand in a null world, which can only
    make luck look better, and a promotion harder.
    """

    def __init__(self, evaluate: MarketEvaluator, *, seed: int, cuts: int = 20) -> None:
        self._evaluate = evaluate
        self._proofs = {
            symbol: Proof.of(evaluate.market(symbol), evaluate.costs, cuts=cuts, seed=seed)
            for symbol in evaluate.symbols
        }
        self.refused: dict[str, Finding] = {}  # by strategy, the first finding

    def reasons(self) -> dict[str, int]:
        """Count the refused by what was found."""
        return dict(sorted(Counter(one.kind for one in self.refused.values()).items()))

    def __call__(self, batches: Sequence[Batch]) -> list[Scores]:
        """Return the scores of every batch, in order."""
        refused = self._refused(batches)
        scores = list(self._evaluate(batches))
        for batch, one in zip(batches, scores, strict=True):
            ids = refused[batch.symbol]
            _silence(one, [row for row, some in enumerate(batch.strategies) if some.id in ids])
        return scores

    def _refused(self, batches: Sequence[Batch]) -> dict[str, set[str]]:
        """Return which strategies are refused on which symbol; a symbol's are checked together."""
        given: dict[str, dict[str, Strategy]] = {}
        for batch in batches:
            given.setdefault(batch.symbol, {}).update({one.id: one for one in batch.strategies})
        refused: dict[str, set[str]] = {}
        for symbol, strategies in given.items():
            found = self._proofs[symbol].check(list(strategies.values()))
            bad = {
                name: one for name, one in zip(strategies, found, strict=True) if one is not None
            }
            refused[symbol] = set(bad)
            self.refused = bad | self.refused
        return refused


def _silence(scores: Scores, rows: Sequence[int]) -> None:
    """Let strategies have done nothing."""
    for values in scores.metrics.values():
        values[rows] = 0
    scores.returns[rows] = 0.0
    if scores.detrended is not None:
        scores.detrended[rows] = 0.0
