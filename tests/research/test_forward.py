"""Frozen rules over later bars: no day changes once it is whole, and stakes are what they say."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from research.backtest import backtest
from research.costs import Costs
from research.forward import PATIENCE, Traded, combined, traded
from research.paper import Frozen
from tests.research.markets import START, frame_of, random_bars
from tests.research.test_paper import ONE, TWO, plan

COSTS = Costs(fee_bps=5, slippage_bps=1)
FIRST = date(2026, 1, 3)  # two days of warm-up
DAY = 1_440


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    """Eight days and three hours of one market."""
    return frame_of(random_bars(3, 8 * DAY + 180, wild=0.001), symbol="A-X")


def days_of(candles: pl.DataFrame, days: int = 6) -> Traded:
    return traded(candles, [ONE, TWO], COSTS, first=FIRST, days=days)


def test_a_days_return_is_that_of_the_backtest_from_the_first_bar(bars: pl.DataFrame) -> None:
    found = days_of(bars)
    for strategy in (ONE, TWO):
        equity = backtest(bars, [strategy], COSTS).equity
        expected = equity.filter(pl.col("day") >= FIRST)["return"].to_numpy()[:6]
        assert_array_equal(found.returns[strategy.id], expected)
        assert np.count_nonzero(expected) > 1


@pytest.mark.parametrize("cut", [1, 7, 180, 777, DAY - 1, DAY, DAY + 1])
@pytest.mark.parametrize("day", [3, 5])
def test_bars_to_come_never_change_a_whole_day(bars: pl.DataFrame, day: int, cut: int) -> None:
    early = days_of(bars.head(day * DAY + cut))
    late = days_of(bars)
    assert early.whole == day - 2 + (cut > DAY)
    for name, returns in early.returns.items():
        assert_array_equal(returns[: early.whole], late.returns[name][: early.whole])
    assert_array_equal(early.bars[: early.whole], late.bars[: early.whole])


def test_the_day_of_the_last_bar_is_not_over(bars: pl.DataFrame) -> None:
    assert days_of(bars.head(4 * DAY)).whole == 1
    assert days_of(bars.head(4 * DAY + 1)).whole == 2


def test_bars_are_counted_by_day(bars: pl.DataFrame) -> None:
    holed = bars.filter(pl.col("open_time") != START + timedelta(days=3, minutes=7))
    assert days_of(holed).bars.tolist() == [DAY, DAY - 1, DAY, DAY, DAY, DAY]


def test_a_market_that_ended_before_the_first_day_has_no_returns(bars: pl.DataFrame) -> None:
    found = days_of(bars.head(DAY))
    assert (found.whole, found.bars.sum()) == (0, 0)
    assert not np.any(found.returns[ONE.id])
    assert days_of(bars.clear()).whole == 0


def made(days: int, whole: int, **returns: float) -> Traded:
    named = {ONE.id: returns.get("one", 0.0), TWO.id: returns.get("two", 0.0)}
    series = {name: np.full(days, value) for name, value in named.items()}
    return Traded(series, np.full(days, 10), whole)


MARKETS = {"A-X": made(6, 6, one=0.01, two=0.03), "B-X": made(6, 6, one=0.03, two=0.07)}
POOLED = Frozen(plan(), ONE.text, (f"{ONE.id} *",))


def test_a_rule_has_the_returns_of_its_market() -> None:
    one = Frozen(plan(), TWO.text, (f"{TWO.id} B-X",))
    found = combined(one, {"B-X": MARKETS["B-X"]}, days=6)
    assert found.returns.tolist() == [0.07] * 6
    assert found.bars.tolist() == [10] * 6


def test_a_pooled_rule_has_equal_stakes_in_all_its_markets() -> None:
    found = combined(POOLED, MARKETS, days=6)
    assert found.returns.tolist() == pytest.approx([0.02] * 6)
    assert found.bars.tolist() == [20] * 6


def test_a_portfolio_has_equal_stakes_in_its_members_whatever_those_hold() -> None:
    text = f"[A-X]\n{ONE.text}\n\n[*]\n{TWO.text}"
    mixed = Frozen(plan(), text, (f"{ONE.id} A-X", f"{TWO.id} *"))
    assert combined(mixed, MARKETS, days=6).returns.tolist() == pytest.approx([0.03] * 6)


def test_a_day_counts_once_it_is_whole_in_every_market() -> None:
    late = MARKETS | {"B-X": made(6, 4, one=0.03)}
    assert combined(POOLED, late, days=6).returns.size == 4


def test_a_market_that_stays_silent_is_not_waited_for_for_ever() -> None:
    silent = MARKETS | {"B-X": made(6, 0, one=0.0)}
    found = combined(POOLED, silent, days=6)
    assert found.returns.tolist() == pytest.approx([0.005] * (6 - PATIENCE))
    assert combined(POOLED, silent, days=2).returns.size == 0
