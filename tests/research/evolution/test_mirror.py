"""The mirror image of a rule does on a mirrored market what the rule does on the market."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from research.evolution.mirror import (
    exchanged,
    is_symmetric,
    mirrored,
    mirrored_side,
    side_of,
)
from research.generate import generate
from research.signals import Workspace
from research.strategy import Side, Strategy
from research.syntax import condition_of
from tests.research.markets import random_bars

if TYPE_CHECKING:
    import numpy as np

    from research.bars import Bars

IMAGES = {
    "close > ema(20)": "close < ema(20)",
    "crosses_above(ema(12), ema(26))": "crosses_below(ema(12), ema(26))",
    "close < sma(50) - 2 * atr(14)": "close > sma(50) + 2 * atr(14)",
    "close > prev(highest(20), 1)": "close < prev(lowest(20), 1)",
    "close < bbands_lower(20, 2)": "close > bbands_upper(20, 2)",
    "rsi(14) < 30": "rsi(14) > 70",
    "30 > rsi(14)": "70 < rsi(14)",
    "rsi(7) > rsi(14)": "rsi(7) < rsi(14)",
    "crosses_below(stoch_k(14, 3), 29.9)": "crosses_above(stoch_k(14, 3), 70.1)",
    "willr(14) < -80": "willr(14) > -20",
    "cci(20) <= -100": "cci(20) >= 100",
    "mom(10) > 1.5 * atr(14)": "mom(10) < -1.5 * atr(14)",
    "crosses_above(plus_di(14), minus_di(14))": "crosses_below(plus_di(14), minus_di(14))",
    "aroon_up(25) > 70": "aroon_down(25) > 70",
    "aroon_osc(25) > 0": "aroon_osc(25) < 0",
    "high - low > atr(14)": "low - high < -atr(14)",
    "volume > 1.5 * sma(volume, 20)": "volume > 1.5 * sma(volume, 20)",
    "prev(highest(volume, 20), 1) < volume": "prev(highest(volume, 20), 1) < volume",
    "adx(14) < 20 and not (close > open or atr(5) > atr(50))": (
        "adx(14) < 20 and not (close < open or atr(5) > atr(50))"
    ),
    "sma(high, 10) < close": "sma(low, 10) > close",
    "highest(close, 5) > prev(highest(20), 5)": "lowest(close, 5) < prev(lowest(20), 5)",
    "-mom(5) > 0": "-mom(5) < 0",
}
# What is linear in the price; percentages are mirrored only nearly.
EXACT = [rule for rule in IMAGES if "aroon" not in rule]


def turned(bars: Bars) -> Bars:
    """Return the market upside down."""
    top = 2 * bars.high.max()
    return bars._replace(
        open=top - bars.open, high=top - bars.low, low=top - bars.high, close=top - bars.close
    )


@pytest.mark.parametrize(("rule", "image"), IMAGES.items())
def test_a_rule_has_the_image_that_a_person_would_write(rule: str, image: str) -> None:
    assert str(mirrored(condition_of(rule))) == str(condition_of(image)).replace(
        "-mom(5) < 0", "mom(5) > 0"
    )


@pytest.mark.parametrize("rule", EXACT)
def test_the_image_decides_on_the_turned_market_as_the_rule_does(rule: str) -> None:
    bars = random_bars(5, 4_000)
    image = mirrored(condition_of(rule))
    assert image is not None
    decided = decisions(bars, condition_of(rule))
    same = decided == decisions(turned(bars), image)
    assert same.mean() > 0.999  # sums in another order round otherwise
    assert decided.any()


def decisions(bars: Bars, rule) -> np.ndarray:
    workspace = Workspace(bars, timedelta(minutes=1))
    decided = workspace.decisions(Strategy("1m", long=Side(rule))).long_entry
    assert decided is not None
    return decided


@pytest.mark.parametrize("rule", EXACT)
def test_the_image_of_the_image_is_the_rule(rule: str) -> None:
    image = mirrored(condition_of(rule))
    assert image is not None
    again = mirrored(image)
    assert again is not None
    assert mirrored(again) == image


@pytest.mark.parametrize("rule", ["rsi(14) + close > 50", "rsi(14) > close", "rsi(14) > willr(14)"])
def test_what_has_no_plain_image_has_none(rule: str) -> None:
    assert mirrored(condition_of(rule)) is None
    assert mirrored_side(Side(condition_of(rule))) is None
    assert mirrored_side(Side(condition_of("close > open"), condition_of(rule))) is None


def test_the_two_sides_that_are_generated_are_images_of_each_other() -> None:
    both = [strategy for strategy in generate(400, 4) if strategy.side == "both"]
    assert len(both) > 100
    assert all(is_symmetric(strategy) for strategy in both)


def test_one_sided_and_lopsided_strategies_are_not_symmetric() -> None:
    assert not is_symmetric(Strategy.parse("long when close > open on 1h"))
    assert not is_symmetric(Strategy.parse("long when close > open short when close > open on 1h"))


def test_a_side_that_is_missing_is_the_other_one_mirrored() -> None:
    strategy = Strategy.parse("short when rsi(14) > 70 exit when rsi(14) < 50 on 1h")
    long = side_of(strategy, "long")
    assert long == Side(condition_of("rsi(14) < 30"), condition_of("rsi(14) > 50"))
    assert side_of(strategy, "short") == strategy.short


def test_trading_against_the_rules_exchanges_the_sides() -> None:
    strategy = Strategy.parse("long when close > open exit when close < open target 500% on 1h")
    against = exchanged(strategy)
    assert against is not None
    assert (against.long, against.short) == (None, strategy.long)
    assert against.target == 0.9999  # a short cannot gain more
    again = exchanged(against)
    assert again is not None
    assert again.long == strategy.long
