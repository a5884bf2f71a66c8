"""Markets that pay some rules and not others, and the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from research.costs import Costs
from research.market import Market
from research.opinions import Winner, legs_of
from research.opinions.replay import replay
from research.strategy import Strategy
from tests.research.markets import frame_of, random_bars

if TYPE_CHECKING:
    from research.bars import Bars

CHEAP = Costs(fee_bps=1, slippage_bps=0.5)
DAY = 1440

TREND = Strategy.parse(
    "long when crosses_above(ema(12), ema(26))\nexit when crosses_below(ema(12), ema(26))\n"
    "short when crosses_below(ema(12), ema(26))\nexit when crosses_above(ema(12), ema(26))\n"
    "on 15m"
)
AGAINST = Strategy.parse(
    TREND.text.replace("above", "#").replace("below", "above").replace("#", "below")
)
# Buys what rose 60 bars before, where only exactly 60 bars matter.
NEEDLE = Strategy.parse(
    "long when prev(close, 59) > prev(close, 60)\n"
    "exit when prev(close, 59) < prev(close, 60)\non 1m"
)


def shifted(bars: Bars, path: np.ndarray) -> Bars:
    """Return bars whose prices are multiplied by a path, one value per close."""
    before = np.concatenate(([1.0], path[:-1]))
    high, low = np.maximum(path, before), np.minimum(path, before)
    return bars._replace(
        open=bars.open * before,
        high=bars.high * high,
        low=bars.low * low,
        close=bars.close * path,
    )


def trending(seed: int, days: int, strength: float = 4e-5) -> Bars:
    """Return a market that drifts up or down for six hours at a time."""
    bars = random_bars(seed, days * DAY, wild=0.0006)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], days * 4).repeat(DAY // 4)
    return shifted(bars, np.exp(np.cumsum(signs * strength)))


def echoing(seed: int, days: int) -> Bars:
    """Return a market in which every return comes again after 60 minutes."""
    bars = random_bars(seed, days * DAY, wild=0.0001)
    steps = np.random.default_rng(seed).normal(0.0, 0.001, 60)
    return shifted(bars, np.exp(np.cumsum(np.tile(steps - steps.mean(), days * 24))))


def market(bars: Bars, symbol: str) -> Market:
    return Market.of(frame_of(bars), symbol)


def winner_of(
    strategy: Strategy, markets: dict[str, Market], costs: Costs = CHEAP, symbol: str = "*"
) -> Winner:
    """Return the strategy as a winner on these markets, with what it earned there."""
    legs = legs_of([(strategy, symbol)], sorted(markets))
    ran = replay(legs, markets, costs)
    return Winner(legs, ran.returns, ran.detrended)
