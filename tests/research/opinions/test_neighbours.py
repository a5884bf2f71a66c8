"""Strategies a step away, and plateaus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from research.generate import generate
from research.opinions.neighbours import LEAST_PLATEAU, neighbours, plateau
from research.strategy import Strategy
from tests.research.opinions.scenes import AGAINST, CHEAP, NEEDLE, TREND, winner_of

if TYPE_CHECKING:
    from research.market import Market


def texts(text: str) -> list[str]:
    return [near.text for near in neighbours(Strategy.parse(text))]


def test_every_number_moves_up_and_down_alone() -> None:
    assert texts("long when close > sma(20)\nstop 2% target 5% timeout 1d\non 1h") == [
        "long when close > sma(22)\nstop 2% target 5% timeout 1d\non 1h",
        "long when close > sma(18)\nstop 2% target 5% timeout 1d\non 1h",
        "long when close > sma(20)\nstop 2.2% target 5% timeout 1d\non 1h",
        "long when close > sma(20)\nstop 1.8% target 5% timeout 1d\non 1h",
        "long when close > sma(20)\nstop 2% target 5.5% timeout 1d\non 1h",
        "long when close > sma(20)\nstop 2% target 4.5% timeout 1d\non 1h",
        "long when close > sma(20)\nstop 2% target 5% timeout 26h\non 1h",
        "long when close > sma(20)\nstop 2% target 5% timeout 22h\non 1h",
    ]


def test_an_indicator_that_stands_twice_moves_in_both_places() -> None:
    found = texts("long when rsi(14) < 30\nexit when rsi(14) > 70\non 5m")
    assert "long when rsi(15) < 30\nexit when rsi(15) > 70\non 5m" in found
    assert "long when rsi(14) < 33\nexit when rsi(14) > 70\non 5m" in found
    assert "long when rsi(14) < 30\nexit when rsi(14) > 63\non 5m" in found
    assert len(found) == 6


def test_small_counts_move_by_one_and_never_below_what_is_allowed() -> None:
    found = texts("long when prev(close, 1) > highest(2)\non 1m")
    assert "long when prev(close, 2) > highest(2)\non 1m" in found
    assert "long when prev(close, 1) > highest(3)\non 1m" in found
    assert not any("prev(close, 0)" in text for text in found)


def test_an_oscillator_is_not_asked_for_what_it_never_reaches() -> None:
    found = texts("long when rsi(14) > 95\non 1m")
    assert "long when rsi(14) > 99\non 1m" in found
    assert "long when rsi(14) > 85.5\non 1m" in found


def test_a_strategy_without_numbers_has_no_neighbours(trends: dict[str, Market]) -> None:
    bare = Strategy.parse("long when close > open\nexit when close < open\non 1h")
    assert list(neighbours(bare)) == []
    opinion = plateau(winner_of(bare, trends), trends, CHEAP)
    assert (opinion.value, opinion.agrees) == (None, None)


@given(seed=st.integers(0, 10**6))
def test_neighbours_differ_in_one_clause_and_can_be_read_back(seed: int) -> None:
    strategy = generate(1, seed=seed)[0]
    near = list(neighbours(strategy))
    assert len(near) == len(set(near))
    for one in near:
        assert one != strategy
        assert one.timeframe == strategy.timeframe
        assert one.side == strategy.side
        assert one.conditions == strategy.conditions
        assert Strategy.parse(one.text) == one


def test_a_trend_stands_on_a_plateau(trends: dict[str, Market]) -> None:
    opinion = plateau(winner_of(TREND, trends), trends, CHEAP)
    assert opinion.value is not None
    assert opinion.value > 0.7
    assert opinion.agrees is True


def test_a_rule_that_fits_one_lag_only_stands_on_a_needle(echo: dict[str, Market]) -> None:
    winner = winner_of(NEEDLE, echo)
    assert winner.returns.mean() > 0
    opinion = plateau(winner, echo, CHEAP)
    assert opinion.value is not None
    assert opinion.value < LEAST_PLATEAU
    assert opinion.agrees is False
    assert "moved by a tenth" in opinion.sentence


def test_the_middle_is_taken_over_every_rule_of_a_portfolio(trends: dict[str, Market]) -> None:
    from research.opinions import Winner, legs_of
    from research.opinions.replay import replay

    slower = Strategy.parse(TREND.text.replace("15m", "30m"))
    legs = legs_of([(TREND, "A-USDT"), (slower, "*")], sorted(trends))
    ran = replay(legs, trends, CHEAP)
    opinion = plateau(Winner(legs, ran.returns, ran.detrended, rules=2), trends, CHEAP)
    alone = [
        plateau(winner_of(TREND, {"A-USDT": trends["A-USDT"]}), trends, CHEAP),
        plateau(winner_of(slower, trends), trends, CHEAP),
    ]
    values = [one.value for one in alone if one.value is not None]
    assert opinion.value is not None
    assert min(values) <= opinion.value <= max(values)


def test_a_loser_has_no_plateau(trends: dict[str, Market]) -> None:
    winner = winner_of(AGAINST, trends)
    assert winner.detrended.mean() < 0
    opinion = plateau(winner, trends, CHEAP)
    assert (opinion.value, opinion.agrees) == (0.0, False)
    assert np.isfinite(opinion.value)
