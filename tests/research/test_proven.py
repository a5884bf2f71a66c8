"""Nothing is scored before it is proven; what cannot be proven has done nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from research import proven
from research.costs import Costs
from research.evolution.evaluator import of_candles
from research.evolution.scores import Batch
from research.generate import generate
from research.lookahead.finding import TRUNCATED, Finding
from research.proven import Proven
from tests.research.test_hunt import CANDLES
from tests.research.test_worlds import START

if TYPE_CHECKING:
    import pytest

STRATEGIES = generate(12, 4, timeframes=("5m", "15m"))
BATCHES = [
    Batch("AAA-USDT", STRATEGIES[:8]),
    Batch("BBB-USDT", STRATEGIES[:8]),
    Batch("AAA-USDT", STRATEGIES[4:]),
]


class Suspicious:
    """A proof that refuses one strategy."""

    asked: list[int]

    @classmethod
    def of(cls, *_: object, **__: object) -> Suspicious:
        proof = cls()
        proof.asked = []
        return proof

    def check(self, strategies: list) -> list[Finding | None]:
        self.asked.append(len(strategies))
        bad = Finding(TRUNCATED, 3, START, "trades", 0, START, "1", "2")
        return [bad if one.id == STRATEGIES[5].id else None for one in strategies]


def test_what_is_proven_is_scored_as_it_is() -> None:
    evaluate = of_candles(CANDLES, Costs())
    checked = Proven(evaluate, seed=1, cuts=3)
    for one, other in zip(checked(BATCHES), evaluate(BATCHES), strict=True):
        assert one.returns.tobytes() == other.returns.tobytes()
    assert checked.refused == {}
    assert checked.reasons() == {}


def test_what_is_refused_earns_nothing_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proven, "Proof", Suspicious)
    evaluate = of_candles(CANDLES, Costs())
    checked = Proven(evaluate, seed=1)
    scores = checked(BATCHES)
    plain = evaluate(BATCHES)
    for at, row in ((0, 5), (1, 5), (2, 1)):
        assert scores[at].metrics["trades"][row] == 0
        assert not scores[at].returns[row].any()
        assert not scores[at].detrended[row].any()
        others = np.arange(len(plain[at].returns)) != row
        assert scores[at].returns[others].tobytes() == plain[at].returns[others].tobytes()
    assert list(checked.refused) == [STRATEGIES[5].id]
    assert checked.reasons() == {TRUNCATED: 1}
    assert checked._proofs["AAA-USDT"].asked == [12], "a symbol's strategies are checked together"
