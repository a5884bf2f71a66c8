"""What strategies are judged by."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.evolution.scores import NO_TRADES, Scores, pooled, sharpes
from research.metrics import sharpe
from tests.research.evolution.landscape import scores_of

RNG = np.random.default_rng(5)
RETURNS = RNG.normal(0.001, 0.01, (2, 4, 60))


def scored(trades: int = 100) -> list[Scores]:
    return [scores_of(list(returns), trades) for returns in RETURNS]


def test_the_ratio_is_that_of_an_equal_stake_in_every_symbol() -> None:
    figures = pooled(scored(), 20)
    assert figures.by_symbol.shape == (4, 2, 60)
    for row in range(4):
        assert figures.sharpe[row] == pytest.approx(sharpe(RETURNS[:, row].mean(axis=0)))
    assert figures.score.tolist() == figures.sharpe.tolist()
    assert figures.trades.tolist() == [[100, 100]] * 4


def test_ratios_are_those_of_the_metrics_also_where_nothing_varies() -> None:
    returns = np.vstack([RETURNS[0], np.zeros(60), np.full(60, 0.1)])
    assert sharpes(returns) == pytest.approx([sharpe(row) for row in returns], rel=1e-12)
    assert sharpes(returns)[-2:].tolist() == [0.0, 0.0]


def test_what_the_markets_drift_gave_is_no_merit() -> None:
    drift = 0.01
    some = [Scores(one.metrics, one.returns + drift, one.returns) for one in scored()]
    figures, plain = pooled(some, 20), pooled(scored(), 20)
    assert figures.sharpe.tolist() == plain.sharpe.tolist()
    assert figures.returns.tolist() == plain.returns.tolist()
    assert np.allclose(figures.by_symbol - plain.by_symbol, drift), "the books keep what was earned"


@pytest.mark.parametrize(
    ("trades", "less"), [(0, NO_TRADES), (15, NO_TRADES / 4), (20, 0), (50, 0)]
)
def test_missing_trades_lower_the_score(trades: int, less: float) -> None:
    figures = pooled(scored(trades), 20)
    assert figures.sharpe - figures.score == pytest.approx([less] * 4)


def test_no_trades_need_be_asked_for() -> None:
    figures = pooled(scored(0), 0)
    assert figures.score.tolist() == figures.sharpe.tolist()


def test_a_symbol_that_was_listed_later_earned_nothing_before() -> None:
    one, other = scored()
    late = Scores(other.metrics, other.returns[:, 20:])
    figures = pooled([one, late], 20)
    assert not figures.by_symbol[:, 1, :20].any()
    assert figures.by_symbol[:, 1, 20:].tolist() == late.returns.tolist()


def test_scores_that_do_not_fit_together_are_refused() -> None:
    one, other = scored()
    with pytest.raises(InvalidInput, match=r"as many scores of each symbol, was \[4, 3\]"):
        pooled([one, scores_of(list(other.returns[:3]))], 20)
    wrong = Scores(one.metrics, np.full((4, 60), np.nan))
    with pytest.raises(InvalidInput, match="finite daily returns"):
        pooled([wrong], 20)
    wrong = Scores(one.metrics | {"turnover": np.full(4, np.inf)}, one.returns)
    with pytest.raises(InvalidInput, match="finite turnover"):
        pooled([wrong], 20)
