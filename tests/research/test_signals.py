"""Decisions are what the rules say, where a bar closes, and never know what comes later."""

from __future__ import annotations

import dataclasses
import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.bars import Bars
from research.expressions import (
    Arithmetic,
    Comparison,
    Cross,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Prev,
    Reading,
    Series,
    lookback,
    walk,
)
from research.indicators import values
from research.signals import Decisions, Workspace
from research.strategy import Strategy
from tests.research.markets import random_bars
from tests.research.trees import conditions, strategies

MINUTE = timedelta(minutes=1)
STEP = 60_000_000  # µs
RULES = (
    "long when crosses_above(ema(3), sma(7)) and rsi(5) < 80 exit when close < prev(lowest(4), 1) "
    "short when not (roc(2) > 0) and volume > sma(volume, 5) exit when close > open"
)


def first(bars: Bars, count: int) -> Bars:
    return Bars(*(np.ascontiguousarray(array[:count]) for array in bars))


def entries(text: str, bars: Bars, **options) -> np.ndarray:
    strategy = Strategy.parse(f"long when {text}")
    return Workspace(bars, MINUTE, **options).decisions(strategy).long_entry


def assert_equal(one: Decisions, other: Decisions, end: int | None = None) -> None:
    for mine, its in zip(one, other, strict=True):
        assert (mine is None) == (its is None)
        if mine is not None:
            np.testing.assert_array_equal(mine[:end], its[:end])


# --- what the rules say --------------------------------------------------------------------------


def number_at(node: Node, bars: Bars, i: int) -> float:
    """Evaluate a number in one bar, the slow and plain way."""
    if i < 0:
        return math.nan
    match node:
        case Number(value):
            return value
        case Series(name):
            return float(getattr(bars, name)[i])
        case Reading(name, params, source):
            return float(values(name, params, bars, source)[i])
        case Negative(operand):
            return -number_at(operand, bars, i)
        case Prev(operand, back):
            return number_at(operand, bars, i - back)
        case Arithmetic(operator, left, right):
            one, other = number_at(left, bars, i), number_at(right, bars, i)
            if operator == "/" and other == 0:
                return math.nan
            result = {
                "+": lambda: one + other,
                "-": lambda: one - other,
                "*": lambda: one * other,
                "/": lambda: one / other,
            }[operator]()
            return result if math.isfinite(result) else math.nan
    raise TypeError(node)


def holds_at(node: Node, bars: Bars, i: int) -> bool:
    """Evaluate a condition in one bar, the slow and plain way."""
    match node:
        case Comparison(operator, left, right):
            one, other = number_at(left, bars, i), number_at(right, bars, i)
            return {
                "<": one < other,
                ">": one > other,
                "<=": one <= other,
                ">=": one >= other,
            }[operator]
        case Cross(name, left, right):
            now = number_at(left, bars, i), number_at(right, bars, i)
            before = number_at(left, bars, i - 1), number_at(right, bars, i - 1)
            if name == "crosses_above":
                return now[0] > now[1] and before[0] <= before[1]
            return now[0] < now[1] and before[0] >= before[1]
        case Logic("and", left, right):
            return holds_at(left, bars, i) and holds_at(right, bars, i)
        case Logic("or", left, right):
            return holds_at(left, bars, i) or holds_at(right, bars, i)
        case Not(operand):
            return not holds_at(operand, bars, i)
    raise TypeError(node)


@given(rule=conditions(12), seed=st.integers(0, 1000))
@settings(max_examples=100)
def test_arrays_say_what_the_rule_says_bar_by_bar(rule, seed: int) -> None:
    bars = random_bars(seed, 40)
    before = lookback(rule)
    expected = [i >= before and holds_at(rule, bars, i) for i in range(40)]
    assert entries(f"{rule} on 1m", bars).tolist() == expected


def test_a_rule_of_a_coarser_timeframe_decides_on_the_last_minute_of_its_bars() -> None:
    close = np.array([1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 1, 2, 3, 4], dtype=np.float64)
    bars = Bars(np.arange(14) * STEP, *(close.copy() for _ in range(4)), np.ones(14))
    assert np.flatnonzero(entries("close > 0 on 5m", bars)).tolist() == [4, 9]
    assert np.flatnonzero(entries("close > open on 5m", bars)).tolist() == [4]
    assert np.flatnonzero(entries("close < prev(close) on 5m", bars)).tolist() == [9]


def test_a_cross_needs_the_bar_before() -> None:
    close = np.array([3, 1, 2, 3, 3, 2, 1, 3], dtype=np.float64)
    bars = Bars(np.arange(8) * STEP, *(close.copy() for _ in range(4)), np.ones(8))
    assert np.flatnonzero(entries("crosses_above(close, 2) on 1m", bars)).tolist() == [3, 7]
    assert np.flatnonzero(entries("crosses_below(close, 2) on 1m", bars)).tolist() == [1, 6]


def test_rules_that_were_not_given_decide_nothing() -> None:
    bars = random_bars(1, 100)
    decided = Workspace(bars, MINUTE).decisions(Strategy.parse("short when close > open on 1m"))
    assert decided.long_entry is None
    assert decided.long_exit is None
    assert decided.short_exit is None
    assert decided.short_entry.tolist() == (bars.close > bars.open).tolist()


def test_before_its_lookback_even_a_negated_rule_is_false() -> None:
    decided = entries("not rsi(14) > 200 on 1m", random_bars(1, 100))
    assert np.flatnonzero(decided).tolist() == list(range(14, 100))


def test_a_comparison_with_what_has_no_value_is_false() -> None:
    bars = random_bars(1, 50)
    for text in ("close / 0 > 1", "close / 0 <= 1", "0 / 0 < 1", "volume / (close - close) > 0"):
        assert not entries(f"{text} on 1m", bars).any()
    assert entries("not close / 0 > 1 on 1m", bars).all()


def test_numbers_alone_hold_in_every_bar() -> None:
    bars = random_bars(1, 50)
    assert entries("1 + 1 <= 2 on 1m", bars).all()
    assert entries("prev(2 * 3, 1) > 5 on 1m", bars).sum() == 49
    assert not entries("crosses_above(1, 2) on 1m", bars).any()


def test_more_lookback_than_bars_decides_nothing() -> None:
    assert not entries("close > sma(200) on 1m", random_bars(1, 100)).any()
    assert not entries("close > prev(close, 100) on 1m", random_bars(1, 100)).any()


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1d"])
def test_no_bars_decide_nothing(timeframe: str) -> None:
    assert entries(f"close > sma(2) on {timeframe}", random_bars(1, 0)).size == 0


def test_a_timeframe_finer_than_the_bars_is_refused() -> None:
    bars = random_bars(1, 10)
    coarse = Workspace(bars._replace(time=np.arange(10) * 3 * STEP), 3 * MINUTE)
    with pytest.raises(InvalidInput, match="bars of 1m or finer"):
        coarse.decisions(Strategy.parse("long when close > open on 1m"))
    with pytest.raises(InvalidInput, match="multiple"):
        coarse.decisions(Strategy.parse("long when close > open on 5m"))


# --- no look-ahead -------------------------------------------------------------------------------


@given(
    strategy=strategies(8),
    timeframe=st.sampled_from(["1m", "3m", "5m", "15m"]),
    seed=st.integers(0, 1000),
    start=st.integers(0, 14),
    data=st.data(),
)
@settings(max_examples=100)
def test_what_comes_later_changes_no_decision(
    strategy: Strategy, timeframe: str, seed: int, start: int, data: st.DataObject
) -> None:
    bars = random_bars(seed, 240, first=start)
    strategy = dataclasses.replace(strategy, timeframe=timeframe)
    whole = Workspace(bars, MINUTE).decisions(strategy)
    for cut in data.draw(st.lists(st.integers(0, 240), min_size=5, max_size=5)):
        assert_equal(Workspace(first(bars, cut), MINUTE).decisions(strategy), whole, cut)


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m"])
def test_no_cut_anywhere_changes_a_decision_before_it(timeframe: str) -> None:
    bars = random_bars(3, 300, first=7)
    strategy = Strategy.parse(f"{RULES} on {timeframe}")
    whole = Workspace(bars, MINUTE).decisions(strategy)
    assert any(array.any() for array in whole)
    for cut in range(301):
        early = Workspace(first(bars, cut), MINUTE).decisions(strategy)
        assert_equal(early, whole, cut)


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m"])
def test_with_gaps_only_the_last_bar_can_wait_for_a_later_one(timeframe: str) -> None:
    bars = random_bars(3, 300, gaps=True)
    strategy = Strategy.parse(f"{RULES} on {timeframe}")
    whole = Workspace(bars, MINUTE).decisions(strategy)
    step = strategy.step // timedelta(microseconds=1)
    for cut in range(1, 301):
        early = Workspace(first(bars, cut), MINUTE).decisions(strategy)
        assert_equal(early, whole, cut - 1)
        waits = (bars.time[cut - 1] + STEP) % step != 0  # its bucket's final minute may yet come
        if waits:
            assert not any(array is not None and array[cut - 1] for array in early)
        else:
            assert_equal(early, whole, cut)


@given(strategy=strategies(6), seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_after_the_warmup_it_does_not_matter_where_history_starts(
    strategy: Strategy, seed: int
) -> None:
    assume(not {"obv", "ad"} & {getattr(p, "name", "") for r in strategy.rules() for p in walk(r)})
    strategy = dataclasses.replace(strategy, timeframe="1m")
    start = 150
    bars = random_bars(seed, start + strategy.warmup + 100)
    whole = Workspace(bars, MINUTE).decisions(strategy)
    later = Bars(*(np.ascontiguousarray(array[start:]) for array in bars))
    cut = Workspace(later, MINUTE).decisions(strategy)
    for mine, its in zip(whole, cut, strict=True):
        if mine is not None:
            different = mine[start + strategy.warmup :] != its[strategy.warmup :]
            assert different.sum() <= 2  # a value may lie within the tolerance of its threshold


# --- what is kept --------------------------------------------------------------------------------


def test_what_strategies_share_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(name: str, params: tuple, bars: Bars, source: str | None = None) -> np.ndarray:
        asked.append((name, params, bars.time.size))
        return values(name, params, bars, source)

    monkeypatch.setattr("research.signals.values", counted)
    workspace = Workspace(random_bars(1, 300), MINUTE)
    for rule in ("ema(9) > ema(21)", "ema(9) > ema(30)", "crosses_above(ema(9), ema(21))"):
        for timeframe in ("1m", "5m"):
            workspace.decisions(Strategy.parse(f"long when {rule} on {timeframe}"))
    assert len(asked) == len(set(asked)) == 6


@pytest.mark.parametrize("memory", [0, 3_000, 10**9])
def test_memory_bounds_what_is_kept_and_changes_nothing(memory: int) -> None:
    bars = random_bars(1, 300)
    workspace = Workspace(bars, MINUTE, memory=memory)
    for _ in range(2):
        for period in (3, 5, 9):
            strategy = Strategy.parse(f"long when close > ema({period}) and rsi(5) < 60 on 1m")
            fresh = Workspace(bars, MINUTE).decisions(strategy)
            assert_equal(workspace.decisions(strategy), fresh)
            kept = sum(array.nbytes for array in workspace._kept._arrays.values())
            assert kept == workspace._kept._bytes <= memory


def test_decisions_belong_to_the_caller() -> None:
    workspace = Workspace(random_bars(1, 100), MINUTE)
    strategy = Strategy.parse("long when close > sma(5) exit when close > sma(5) on 1m")
    decided = workspace.decisions(strategy)
    before = decided.long_entry.copy()
    assert before.any()
    decided.long_entry[:] = False
    np.testing.assert_array_equal(decided.long_exit, before)
    np.testing.assert_array_equal(workspace.decisions(strategy).long_entry, before)


def test_values_and_bars_of_a_timeframe_can_be_looked_at() -> None:
    workspace = Workspace(random_bars(1, 100), MINUTE)
    bars = workspace.bars("5m")
    assert bars.time.size == 20
    shown = workspace.values("5m", Reading("sma", (5,)))
    np.testing.assert_array_equal(shown, values("sma", (5,), bars))
    with pytest.raises(ValueError, match="read-only"):
        shown[0] = 1
