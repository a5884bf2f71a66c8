"""Strategies are read in any spelling and written in one."""

from __future__ import annotations

import pickle
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.market import INTERVALS
from research.expressions import (
    Arithmetic,
    Comparison,
    Cross,
    Logic,
    Negative,
    Not,
    Number,
    Prev,
    Reading,
    Series,
    depth,
)
from research.strategy import Side, Strategy, format_percent
from tests.research.trees import conditions, numerics, strategies

EXAMPLE = """\
long when crosses_above(ema(12), ema(26)) and rsi(14) < 70
exit when crosses_below(ema(12), ema(26)) or rsi(14) > 80
stop 2% target 5% trail 3% timeout 1d
on 15m"""
CLOSE, OPEN = Series("close"), Series("open")
UP = Comparison(">", CLOSE, OPEN)


def rule(condition: str) -> str:
    """Return a condition in its canonical spelling."""
    return str(Strategy.parse(f"long when {condition} on 1h").long.entry)


def test_the_example_is_read_as_it_is_meant() -> None:
    fast, slow, rsi = Reading("ema", (12,)), Reading("ema", (26,)), Reading("rsi", (14,))
    assert Strategy.parse(EXAMPLE) == Strategy(
        timeframe="15m",
        long=Side(
            entry=Logic(
                "and",
                Cross("crosses_above", fast, slow),
                Comparison("<", rsi, Number(70)),
            ),
            exit=Logic(
                "or",
                Cross("crosses_below", fast, slow),
                Comparison(">", rsi, Number(80)),
            ),
        ),
        stop=0.02,
        target=0.05,
        trail=0.03,
        timeout=timedelta(days=1),
    )


def test_the_example_is_written_as_it_was_read() -> None:
    strategy = Strategy.parse(EXAMPLE)
    assert str(strategy) == strategy.text == EXAMPLE
    assert strategy.id == sha256(EXAMPLE.encode()).hexdigest()[:16] == "5c86f0ac9d759489"
    assert (strategy.side, strategy.conditions) == ("long", 4)
    assert strategy.step == timedelta(minutes=15)


@given(strategies())
@settings(max_examples=200)
def test_every_strategy_is_read_back_as_it_was_written(strategy: Strategy) -> None:
    again = Strategy.parse(strategy.text)
    assert again == strategy
    assert again.text == strategy.text
    assert again.id == strategy.id


@given(strategies())
def test_no_spelling_of_space_case_or_comment_changes_a_strategy(strategy: Strategy) -> None:
    loud = "# mine\n\t" + strategy.text.upper().replace(" ", " \r\n # why not?\n ") + "\n\n"
    assert Strategy.parse(loud) == strategy
    tight = strategy.text
    for sign in "()+*/<>,%":
        tight = tight.replace(f" {sign}", sign).replace(f"{sign} ", sign)
    assert Strategy.parse(tight) == strategy


@given(conditions())
def test_parentheses_that_say_nothing_go(condition) -> None:
    assert rule(f"(({condition}))") == str(condition)


@given(st.floats(0.0001, 0.9999))
def test_percentages_lose_no_digit(fraction: float) -> None:
    text = f"long when close > open stop {format_percent(fraction)} on 1h"
    assert Strategy.parse(text).stop == fraction


@given(numerics())
def test_equal_trees_hash_alike(tree) -> None:
    again = Strategy.parse(f"long when {tree} > 0 on 1h").long.entry.left
    assert again == tree
    assert hash(again) == hash(tree)


@pytest.mark.parametrize(
    ("spelt", "canonical"),
    [
        ("close>open", "close > open"),
        ("CLOSE > Open", "close > open"),
        ("close > 070.500", "close > 70.5"),
        ("close > .5", "close > 0.5"),
        ("close > 5.", "close > 5"),
        ("close > 1e3", "close > 1000"),
        ("close > 1E-3", "close > 0.001"),
        ("close > 0.0", "close > 0"),
        ("(close) > ((open))", "close > open"),
        ("close > -(2)", "close > -2"),
        ("close > - -2", "close > --2"),
        ("-(close + open) > 0", "-(close + open) > 0"),
        ("(-close) * open > 0", "-close * open > 0"),
        ("-(close * open) > 0", "-(close * open) > 0"),
        ("(close - open) - low > 0", "close - open - low > 0"),
        ("close - (open - low) > 0", "close - (open - low) > 0"),
        ("close + (open + low) > 0", "close + (open + low) > 0"),
        ("(close * open) + low > 0", "close * open + low > 0"),
        ("close * (open + low) > 0", "close * (open + low) > 0"),
        ("close / (open / low) > 0", "close / (open / low) > 0"),
        ("(close > open) and (open > low)", "close > open and open > low"),
        (
            "close > 1 or (close > 2 and close > 3)",
            "close > 1 or close > 2 and close > 3",
        ),
        (
            "(close > 1 or close > 2) and close > 3",
            "(close > 1 or close > 2) and close > 3",
        ),
        ("not (close > 1)", "not close > 1"),
        ("not not close > 1", "not not close > 1"),
        ("not (close > 1 and open > 1)", "not (close > 1 and open > 1)"),
        ("(not close > 1) and open > 1", "not close > 1 and open > 1"),
        ("ema > 1", "ema(20) > 1"),
        ("ema() > 1", "ema(20) > 1"),
        ("ema(12.0) > 1", "ema(12) > 1"),
        ("ema(close) > 1", "ema(20) > 1"),
        ("ema(close, 12) > 1", "ema(12) > 1"),
        ("ema(volume, 12) > 1", "ema(volume, 12) > 1"),
        ("highest(high, 9) > 1", "highest(9) > 1"),
        ("highest(close, 9) > 1", "highest(close, 9) > 1"),
        ("macd(8, 21) > 0", "macd(8, 21, 9) > 0"),
        ("bbands_upper(20, 2.50) > 0", "bbands_upper(20, 2.5) > 0"),
        ("bbands_upper > 0", "bbands_upper(20, 2) > 0"),
        ("obv() > 0", "obv > 0"),
        ("prev(close) > 0", "prev(close, 1) > 0"),
        ("prev(prev(close, 2), 3) > 0", "prev(prev(close, 2), 3) > 0"),
    ],
)
def test_a_condition_has_one_spelling(spelt: str, canonical: str) -> None:
    assert rule(spelt) == canonical
    assert rule(canonical) == canonical


@pytest.mark.parametrize(
    ("spelt", "canonical"),
    [
        ("stop 2.00%", "stop 2%"),
        ("stop 2 %", "stop 2%"),
        ("stop .5%", "stop 0.5%"),
        ("target 250%", "target 250%"),
        ("timeout 24h", "timeout 1d"),
        ("timeout 90m", "timeout 90m"),
        ("timeout 2W", "timeout 14d"),
        ("timeout 1d trail 3% target 5% stop 2%", "stop 2% target 5% trail 3% timeout 1d"),
        ("stop 2%\ntimeout 1d\n", "stop 2% timeout 1d"),
    ],
)
def test_an_exit_has_one_spelling(spelt: str, canonical: str) -> None:
    text = Strategy.parse(f"long when close > open\n{spelt} on 1h").text
    assert text == f"long when close > open\n{canonical}\non 1h"


@pytest.mark.parametrize(("spelt", "canonical"), [("60m", "1h"), ("24h", "1d"), ("15M", "15m")])
def test_a_timeframe_has_one_spelling(spelt: str, canonical: str) -> None:
    assert Strategy.parse(f"long when close > open on {spelt}").timeframe == canonical


@pytest.mark.parametrize("timeframe", INTERVALS)
def test_every_interval_is_a_timeframe(timeframe: str) -> None:
    assert Strategy.parse(f"long when close > open on {timeframe}").timeframe == timeframe


def test_clauses_may_come_in_any_order_and_exits_belong_to_the_side_before() -> None:
    strategy = Strategy.parse(
        "on 1h stop 2% short when close < open exit when close > low "
        "timeout 2h long when close > open exit when close < high"
    )
    assert strategy.text == (
        "long when close > open\nexit when close < high\n"
        "short when close < open\nexit when close > low\n"
        "stop 2% timeout 2h\non 1h"
    )
    assert strategy.side == "both"


def test_one_side_may_have_a_signal_to_leave_on_and_the_other_none() -> None:
    text = "long when close > open\nshort when close < open\nexit when close > low\non 1h"
    strategy = Strategy.parse(text)
    assert strategy.long.exit is None
    assert strategy.short.exit == Comparison(">", CLOSE, Series("low"))
    assert strategy.text == text


def test_different_rules_have_different_ids() -> None:
    ids = {Strategy.parse(f"long when rsi({n}) < 30 on {t}").id for n in (7, 14) for t in INTERVALS}
    assert len(ids) == 2 * len(INTERVALS)


def test_warmup_is_of_the_slowest_part() -> None:
    def warmup(condition: str) -> int:
        return Strategy.parse(f"long when {condition} on 1h").warmup

    assert warmup("close > open") == 0
    assert warmup("close > sma(200)") == 199
    assert warmup("close > prev(highest(20), 3)") == 22
    assert warmup("crosses_above(close, sma(200))") == 200
    assert warmup("sma(9) > sma(50) and close > sma(20)") == 49
    assert warmup("ema(20) > 0") == 19 + 93  # (1 - 2/21)**93 < 1e-4
    assert warmup("rsi(14) > 50") == 14 + 125  # (1 - 1/14)**125 < 1e-4
    both = Strategy.parse("long when close > sma(9) exit when close < sma(99) on 1h")
    assert both.warmup == 98


def test_conditions_are_counted_on_all_sides() -> None:
    text = (
        "long when close > open and not (rsi(14) > 70 or crosses_above(close, open)) "
        "exit when close < low short when close < open on 1h"
    )
    assert Strategy.parse(text).conditions == 5


def test_a_strategy_survives_the_way_to_another_process() -> None:
    strategy = Strategy.parse(EXAMPLE)
    again = pickle.loads(pickle.dumps(strategy))
    assert (again, again.id, hash(again)) == (strategy, strategy.id, hash(strategy))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Strategy("15m"), "rules for long or short"),
        (lambda: Strategy("7m", Side(UP)), "interval"),
        (lambda: Strategy("1h", Side(UP), stop=1.0), "a stop from 0.01% to 99.99%"),
        (lambda: Strategy("1h", Side(UP), trail=0.0), "a trail from"),
        (lambda: Strategy("1h", Side(UP), target=float("nan")), "a target from 0.01% to 1000%"),
        (lambda: Strategy("1h", None, Side(UP), target=1.5), "a target from 0.01% to 99.99%"),
        (
            lambda: Strategy("1h", Side(UP), timeout=timedelta(0)),
            "a timeout of whole minutes from 1m",
        ),
        (lambda: Strategy("1h", Side(UP), timeout=timedelta(days=366)), "to 365d"),
        (lambda: Strategy("1h", Side(UP), timeout=timedelta(seconds=90)), "whole minutes"),
        (lambda: Number(-1.0), "0 or a number"),
        (lambda: Number(float("nan")), "0 or a number"),
        (lambda: Number(float("inf")), "0 or a number"),
        (lambda: Series("price"), "one of open high low close volume"),
        (lambda: Reading("rsi", (1,)), "for period of rsi, was 1"),
        (lambda: Reading("ema", (9,), "close"), "no input close for ema"),
        (lambda: Reading("atr", (9,), "close"), "no input close for atr"),
        (lambda: Reading("ema", (9,), "price"), "one of open"),
        (lambda: Prev(CLOSE, 0), "1 to 10000 bars"),
        (lambda: Prev(UP, 1), "a number, was close > open"),
        (lambda: Negative(UP), "a number"),
        (lambda: Arithmetic("%", CLOSE, OPEN), r"one of \+ - \* /"),
        (lambda: Comparison("==", CLOSE, OPEN), "one of < >"),
        (lambda: Comparison("<", CLOSE, UP), "a number"),
        (lambda: Cross("crosses", CLOSE, OPEN), "one of crosses_above"),
        (lambda: Logic("and", UP, CLOSE), "a condition, was close"),
        (lambda: Not(CLOSE), "a condition"),
    ],
)
def test_what_could_not_be_written_cannot_be_made(make, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        make()


def test_a_tree_may_be_as_deep_as_its_text_can_be_read_and_no_deeper() -> None:
    tree = UP
    while depth(tree) < 64:
        tree = Logic("and", UP, tree)  # the most parentheses a level can need
    strategy = Strategy("1h", Side(tree))
    assert Strategy.parse(strategy.text) == strategy
    with pytest.raises(InvalidInput, match="at most 64 levels"):
        Not(tree)


def test_zero_has_no_sign() -> None:
    assert str(Number(-0.0)) == str(Number(0.0)) == "0"


def test_a_tree_may_not_be_wider_than_a_text_may_be_long() -> None:
    tree = UP
    for _ in range(11):
        tree = Logic("or", tree, tree)
    with pytest.raises(InvalidInput, match="at most 20000 characters"):
        Strategy("1h", Side(tree))
