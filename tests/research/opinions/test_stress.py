"""Winners run again: dearer, luckier inside a bar, and without what was filled in."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from core.errors import InvalidInput
from research.bars import Bars
from research.costs import Costs
from research.evaluate import evaluate
from research.market import Market
from research.metrics import sharpe
from research.opinions import Leg, Winner, legs_of
from research.opinions.replay import replay, trades_of, variants
from research.opinions.stress import ambiguous_bars, doubled_costs, doubtful_bars
from research.strategy import Strategy
from tests.research.markets import candles_of, random_bars
from tests.research.opinions.scenes import CHEAP, DAY, TREND, market, shifted, winner_of


def marks(of: Market, *bars: int) -> np.ndarray:
    found = np.zeros(of.bars.time.size, np.bool_)
    found[list(bars)] = True
    return found


def test_a_replay_adds_legs_by_their_stakes(trends: dict[str, Market]) -> None:
    legs = legs_of([(TREND, "*"), (TREND, "A-USDT")], sorted(trends))
    ran = replay(legs, trends, CHEAP)
    alone = {name: evaluate(of, [TREND], CHEAP, detrend=True) for name, of in trends.items()}
    expected = alone["A-USDT"].returns[0] * (1 / 6 + 1 / 2)
    expected = expected + (alone["B-USDT"].returns[0] + alone["C-USDT"].returns[0]) / 6
    assert ran.returns == pytest.approx(expected, abs=1e-15)
    counts = {name: int(one.metrics["trades"][0]) for name, one in alone.items()}
    assert ran.trades == sum(counts.values()) + counts["A-USDT"]


def test_a_symbol_listed_later_earned_nothing_before(trends: dict[str, Market]) -> None:
    bars = Bars(*(values[20 * DAY :] for values in trends["A-USDT"].bars))
    both = {"A-USDT": trends["A-USDT"], "L-USDT": market(bars, "L-USDT")}
    ran = replay([Leg(TREND, name, 0.5) for name in both], both, CHEAP)
    alone = evaluate(trends["A-USDT"], [TREND], CHEAP).returns[0]
    assert ran.returns.size == 45
    assert ran.returns[:20] == pytest.approx(alone[:20] / 2, abs=1e-15)
    rows = variants([TREND], [Leg(TREND, "L-USDT", 1.0)], both, CHEAP)
    assert rows.shape == (1, 25)


def test_doubled_costs_are_what_the_engine_makes_of_them(trends: dict[str, Market]) -> None:
    opinion = doubled_costs(winner_of(TREND, trends), trends, CHEAP)
    dear = replay(legs_of([(TREND, "*")], sorted(trends)), trends, Costs(fee_bps=2, slippage_bps=1))
    assert opinion.value == min(sharpe(dear.returns), sharpe(dear.detrended))
    assert opinion.agrees is True


def test_what_earns_only_at_half_the_costs_is_held_back(trends: dict[str, Market]) -> None:
    only = {"A-USDT": trends["A-USDT"]}
    for fee in range(1, 60):
        costs = Costs(fee_bps=fee, slippage_bps=0.5)
        winner = winner_of(TREND, only, costs)
        opinion = doubled_costs(winner, only, costs)
        if not opinion.agrees:
            break
    assert winner.detrended.mean() > 0
    assert opinion.agrees is False
    assert opinion.value is not None
    assert opinion.value <= 0.0


def test_costs_that_cannot_be_doubled_are_as_dear_as_can_be(trends: dict[str, Market]) -> None:
    costs = Costs(fee_bps=6000, slippage_bps=6000)
    opinion = doubled_costs(winner_of(TREND, trends, costs), trends, costs)
    assert opinion.agrees is False


def test_a_rule_that_loses_less_than_the_market_still_loses() -> None:
    # A market that falls fast for six hours and slowly for six: long in the slow ones only.
    slow = np.tile(np.repeat([-4e-5, -1e-5], DAY // 4), 20)
    bars = shifted(random_bars(3, 10 * DAY, wild=1e-6), np.exp(np.cumsum(slow[: 10 * DAY])))
    falling = {"A-USDT": market(bars, "A-USDT")}
    rule = Strategy.parse("long when roc(30) > -0.06\nexit when roc(30) < -0.06\non 1m")
    winner = winner_of(rule, falling)
    assert winner.returns.mean() < 0 < winner.detrended.mean()
    assert doubled_costs(winner, falling, CHEAP).agrees is False


def test_ambiguous_bars_are_counted_and_never_hold_back() -> None:
    wild = {"A-USDT": market(random_bars(4, 5 * DAY, wild=0.004), "A-USDT")}
    tight = Strategy.parse("long when close > open\nstop 0.3% target 0.3%\non 1m")
    winner = winner_of(tight, wild)
    opinion = ambiguous_bars(winner, wild, CHEAP)
    trades = trades_of(winner.legs[0], wild, CHEAP)
    assert opinion.agrees is None
    assert opinion.value is not None
    assert opinion.value > 0
    assert f"{int(trades['ambiguous'].sum()):,} of its {trades.size:,} trades" in opinion.sentence


def test_a_rule_without_levels_has_no_ambiguous_bars(trends: dict[str, Market]) -> None:
    assert ambiguous_bars(winner_of(TREND, trends), trends, CHEAP).value == 0.0


def test_the_share_resting_on_doubtful_bars_by_hand() -> None:
    # Two trades of one bar each: +10 % and then +5 %.
    rows = [(100.0,) * 4] * 2 + [(100, 110, 100, 110)] + [(110.0,) * 4] * 3
    rows += [(110, 115.5, 110, 115.5)] + [(115.5,) * 4] * 2
    candles = candles_of(rows)
    # Volume says when: the close of the bar before each rise.
    volume = np.ones(9)
    volume[[1, 5]] = 9.0
    of = {"A-USDT": Market.of(candles.with_columns(volume=pl.Series(volume)), "A-USDT")}
    rule = Strategy.parse("long when volume > 5\nexit when volume < 5\non 1m")
    free = Costs(fee_bps=0, slippage_bps=0)
    winner = Winner((Leg(rule, "A-USDT", 1.0),), np.zeros(2), np.zeros(2))
    trades = trades_of(winner.legs[0], of, free)
    assert trades["return"].tolist() == pytest.approx([0.1, 0.05])
    assert trades["entry_bar"].tolist() == [2, 6]
    assert trades["exit_bar"].tolist() == [3, 7]
    total = np.log(1.1) + np.log(1.05)

    def share(*bars: int) -> float | None:
        return doubtful_bars(winner, of, free, {"A-USDT": marks(of["A-USDT"], *bars)}).value

    assert share() == 0.0
    assert share(0, 1, 4, 5, 8) == 0.0  # no position there
    assert share(2) == pytest.approx(np.log(1.1) / total)  # entered there
    assert share(7) == pytest.approx(np.log(1.05) / total)  # left there
    assert share(3, 6) == pytest.approx(1.0)


def test_over_a_fifth_on_doubtful_bars_is_held_back(trends: dict[str, Market]) -> None:
    winner = winner_of(TREND, trends)
    every = {name: np.ones(of.bars.time.size, np.bool_) for name, of in trends.items()}
    opinion = doubtful_bars(winner, trends, CHEAP, every)
    assert opinion.value == pytest.approx(1.0)
    assert opinion.agrees is False
    assert doubtful_bars(winner, trends, CHEAP, {}).agrees is True


def test_a_loss_rests_on_doubtful_bars_only_where_they_earned(trends: dict[str, Market]) -> None:
    only = {"A-USDT": trends["A-USDT"]}
    costs = Costs(fee_bps=100)
    winner = winner_of(TREND, only, costs)
    assert doubtful_bars(winner, only, costs, {}).value == 0.0
    trades = trades_of(winner.legs[0], only, costs)
    best = int(trades["return"].argmax())
    assert trades["return"][best] > 0
    inside = (int(trades["entry_bar"][best]) + int(trades["exit_bar"][best])) // 2
    marked = {"A-USDT": marks(only["A-USDT"], inside)}
    opinion = doubtful_bars(winner, only, costs, marked)
    assert (opinion.value, opinion.agrees) == (1.0, False)


def test_marks_that_do_not_fit_the_bars_are_refused(trends: dict[str, Market]) -> None:
    with pytest.raises(InvalidInput, match="marks for A-USDT"):
        doubtful_bars(winner_of(TREND, trends), trends, CHEAP, {"A-USDT": np.zeros(3, np.bool_)})


def test_a_leg_without_a_market_is_refused(trends: dict[str, Market]) -> None:
    with pytest.raises(InvalidInput, match="was 'X-USDT'"):
        replay([Leg(TREND, "X-USDT", 1.0)], trends, CHEAP)
