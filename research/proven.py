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
        found = [self._proofs[batch.symbol].check(batch.strategies) for batch in batches]
        scores = self._evaluate(batches)
        for batch, findings, one in zip(batches, found, scores, strict=True):
            rows = []
            for row, finding in enumerate(findings):
                if finding is not None:
                    rows.append(row)
                    self.refused.setdefault(batch.strategies[row].id, finding)
            _silence(one, rows)
        return list(scores)


def _silence(scores: Scores, rows: Sequence[int]) -> None:
    """Let strategies have done nothing."""
    for values in scores.metrics.values():
        values[rows] = 0
    scores.returns[rows] = 0.0
    if scores.detrended is not None:
        scores.detrended[rows] = 0.0
