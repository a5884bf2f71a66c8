"""Scores without trades: the same figures as `backtest`, for any number of strategies."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from core.datasets import METRICS
from core.errors import InvalidInput
from research.backtest import Costs, Market, backtest, evaluate
from research.generate import generate
from research.strategy import Strategy
from tests.research.markets import frame_of, random_bars

CANDLES = frame_of(
    random_bars(1, 6_000, wild=0.001, first=600), venue="binance", symbol="BTC-USDT", interval="1m"
)
STRATEGIES = generate(40, 3)
COSTS = Costs(fee_bps=8, slippage_bps=3, funding_bps=20, perpetual=True)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.of(CANDLES)


def test_scores_are_the_figures_of_backtest(market: Market) -> None:
    scores = evaluate(market, STRATEGIES, COSTS)
    expected = backtest(CANDLES, STRATEGIES, COSTS)
    assert list(scores.metrics) == list(METRICS)
    assert scores.frame().equals(expected.metrics.select(*METRICS))
    assert scores.returns.tobytes() == expected.returns_matrix("BTC-USDT")[1].tobytes()
    assert scores.frame()["sortino"].null_count() > 0


def test_arrays_are_made_for_arithmetic(market: Market) -> None:
    scores = evaluate(market, STRATEGIES)
    assert len(scores) == len(STRATEGIES)
    assert scores.returns.shape == (len(STRATEGIES), market.days.len())
    assert scores.returns.dtype == np.float64
    assert scores.returns.flags.c_contiguous
    assert scores.metrics["trades"].dtype == scores.metrics["ambiguous_trades"].dtype == np.int64
    assert all(values.shape == (len(STRATEGIES),) for values in scores.metrics.values())


def test_days_are_those_of_the_equity_frame(market: Market) -> None:
    assert market.days.to_list() == backtest(CANDLES, STRATEGIES[:1]).equity["day"].to_list()


def test_strategies_may_stream_and_repeat(market: Market) -> None:
    scores = evaluate(market, (STRATEGIES[i % 3] for i in range(9)), count=9)
    assert scores.returns[3:6].tobytes() == scores.returns[:3].tobytes()
    assert evaluate(market, []).returns.shape == (0, market.days.len())


def test_detrended_returns_are_the_same_from_both_engines(market: Market) -> None:
    fast = evaluate(market, STRATEGIES, COSTS, detrend=True)
    slow = evaluate(market, STRATEGIES, COSTS, detrend=True, engine="reference")
    assert fast.detrended is not None
    assert slow.detrended is not None
    assert fast.detrended.tobytes() == slow.detrended.tobytes()
    assert fast.returns.tobytes() == evaluate(market, STRATEGIES, COSTS).returns.tobytes()
    assert evaluate(market, STRATEGIES, COSTS).detrended is None


def test_whoever_only_holds_the_market_earns_nothing_beyond_it() -> None:
    free = Costs(fee_bps=0, slippage_bps=0, funding_bps=0)
    rising = CANDLES.with_columns(
        pl.col("open", "high", "low", "close") * (1.0 + 1e-4 * pl.int_range(pl.len()))
    )
    market = Market.of(rising)
    always = Strategy.parse("long when close > 0 on 1m")
    scores = evaluate(market, [always], free, detrend=True)
    assert scores.detrended is not None
    assert scores.returns.sum() > 0.1
    assert abs(scores.detrended.sum()) < 0.005  # the first bar decides, and is not held
    short = Strategy.parse("short when close > 0 timeout 1h on 1m")
    against = evaluate(market, [short], free, detrend=True)
    assert against.detrended is not None
    assert against.returns.sum() < 0.0 < against.detrended.sum() - against.returns.sum()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"strategies": iter(STRATEGIES)}, "expected count"),
        ({"strategies": iter(STRATEGIES), "count": 41}, "expected 41 strategies, was 40"),
        ({"strategies": iter(STRATEGIES), "count": 39}, "expected 39 strategies, was more"),
        ({"engine": "slow"}, "was 'slow'"),
        ({"ambiguous": "maybe"}, "ambiguous as worst or best"),
    ],
)
def test_a_wrong_argument_is_refused(market: Market, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        evaluate(**({"market": market, "strategies": STRATEGIES} | changed))


def test_a_market_needs_bars_of_one_series() -> None:
    with pytest.raises(InvalidInput, match="at least one bar"):
        Market.of(CANDLES.clear())
    two = pl.concat([CANDLES, CANDLES.with_columns(symbol=pl.lit("ETH-USDT"))])
    with pytest.raises(InvalidInput, match="one symbol"):
        Market.of(two)
