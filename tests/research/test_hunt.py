"""From markets to candidates, the same way in every world; portfolios are not worth more."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from core.errors import InvalidInput
from research.costs import Costs
from research.evolution.evaluator import of_candles
from research.evolution.scores import sharpes
from research.factory import Found, Job, explore, packed
from research.hunt import (
    KEPT,
    POOL,
    POOLED,
    PORTFOLIO,
    RULE,
    SIZES,
    Candidate,
    Catch,
    Member,
    Procedure,
    hunt,
    islands,
    portfolios,
    timeframes,
    unalike,
)
from research.worlds import MIRRORED, PERMUTED
from tests.research.test_worlds import series

SMALL = Procedure(strategies=24, generations=2, min_trades=3)
COSTS = Costs(fee_bps=2, slippage_bps=1)
CANDLES = pl.concat([series(s, 6 * 1_440, i) for i, s in enumerate(("AAA-USDT", "BBB-USDT"))])
RNG = np.random.default_rng(3)


def caught(seed: int = 1) -> Catch:
    evaluate = of_candles(CANDLES, COSTS)
    return hunt(evaluate, evaluate.symbols, SMALL, seed=seed)


@pytest.fixture(scope="module")
def catch() -> Catch:
    return caught()


def rule(number: int, returns: np.ndarray) -> Candidate:
    name = f"r{number:03}"
    member = Member(name, "long when close > 1 on 1m", "AAA-USDT")
    score = float(sharpes(returns[np.newaxis])[0])
    return Candidate(name, RULE, "AAA-USDT", (member,), 40, score, returns.tobytes())


def test_candidates_are_rules_on_one_symbol_and_on_all_and_portfolios(catch: Catch) -> None:
    kinds = {one.kind for one in catch.candidates}
    assert {RULE, POOLED} <= kinds <= {RULE, POOLED, PORTFOLIO}
    for one in catch.candidates:
        assert (one.symbol == POOL) == (one.kind != RULE)
        assert (len(one.members) > 1) == (one.kind == PORTFOLIO)
        ratio = float(sharpes(one.returns[np.newaxis])[0]) / np.sqrt(len(one.members))
        assert one.score == pytest.approx(ratio, abs=1e-8)
    scores = [one.score for one in catch.candidates]
    assert scores == sorted(scores, reverse=True)
    assert catch.best == scores[0]
    assert len(catch.candidates) <= KEPT
    assert len({one.key for one in catch.candidates}) == len(catch.candidates)


def test_rules_that_traded_too_seldom_are_no_candidates(catch: Catch) -> None:
    trades = {
        (one.strategy_id, len(one.symbols)): np.mean(one.trades) for one in catch.evolution.members
    }
    for one in catch.candidates:
        for member in one.members:
            assert trades[member.strategy_id, 2 if member.symbol == POOL else 1] >= 3
    never = Procedure(strategies=24, generations=0, min_trades=10**6)
    evaluate = of_candles(CANDLES, COSTS)
    idle = hunt(evaluate, evaluate.symbols, never, seed=1)
    assert idle.candidates == ()
    assert idle.best == -np.inf


def test_the_seed_decides_a_hunt(catch: Catch) -> None:
    assert caught().candidates == catch.candidates
    assert caught(2).candidates != catch.candidates


@pytest.mark.parametrize(
    ("symbols", "strategies", "expected"),
    [
        ("ABC", 500, ["A", "B", "C", "ABC"]),
        ("ABC", 16, ["A", "B", "C", "ABC"]),
        ("ABC", 15, ["ABC"]),
        ("A", 500, ["A"]),
    ],
)
def test_every_symbol_has_an_island_and_all_have_one(
    symbols: str, strategies: int, expected: list[str]
) -> None:
    assert ["".join(island) for island in islands(symbols, strategies)] == expected


def test_rules_look_at_bars_that_are_made_of_the_market_s_own() -> None:
    assert timeframes("1m")[:3] == ["1m", "3m", "5m"]
    assert timeframes("5m") == ["5m", "15m", "30m", "1h", "2h", "4h"]
    assert timeframes("4h") == ["4h"]
    with pytest.raises(InvalidInput, match="was 1d"):
        timeframes("1d")


def test_a_portfolio_of_lucky_rules_is_worth_no_more_than_they_are() -> None:
    noise = RNG.normal(0, 0.01, (400, 90))
    rules = sorted((rule(i, row) for i, row in enumerate(noise)), key=lambda one: -one.score)
    made = portfolios(rules, 0.5)
    assert [len(one.members) for one in made] == list(SIZES)
    assert all(one.score <= rules[0].score + 0.5 for one in made)
    mixed = made[-1].returns
    assert float(sharpes(mixed[np.newaxis])[0]) > 1.5 * rules[0].score, "unscaled it would be"
    assert made[0].trades == 80


def test_members_of_a_portfolio_are_not_alike() -> None:
    base = RNG.normal(0.002, 0.01, 90)
    near = [base + RNG.normal(0, 0.001, 90) for _ in range(4)]
    other = RNG.normal(0.001, 0.01, 90)
    rows = np.stack([*near, other])
    assert unalike(rows, 0.5, most=8) == [0, 4]
    assert unalike(rows, 0.5, most=1) == [0]
    assert unalike(np.zeros((2, 5)), 0.5, most=8) == [0, 1]
    losing = [rule(i, -np.abs(row)) for i, row in enumerate(rows)]
    assert portfolios(losing, 0.5) == []


@pytest.mark.parametrize("kind", [MIRRORED, PERMUTED])
def test_a_null_world_is_hunted_as_the_real_one_and_the_same_each_time(kind: str) -> None:
    night = packed(CANDLES, SMALL, COSTS, seed=1)
    found = explore(night, Job(kind, 1))
    assert isinstance(found, Found)
    assert found == explore(packed(CANDLES.reverse(), SMALL, COSTS, seed=1), Job(kind, 1))
    assert found.score == found.best[0][2]
    assert found.evaluations == caught().evolution.evaluations
    assert found.best != explore(night, Job(kind, 2)).best
