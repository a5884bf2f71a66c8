"""A wrong text is refused where it is wrong, with what was expected there."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import StrategySyntaxError
from research.strategy import Strategy
from tests.research.trees import strategies


def error_of(text: str) -> StrategySyntaxError:
    with pytest.raises(StrategySyntaxError) as caught:
        Strategy.parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "expected", "was"),
    [
        # clauses
        ("", 1, 1, "'long when' or 'short when'", "the end of the text"),
        ("# nothing\n", 2, 1, "'long when' or 'short when'", "the end of the text"),
        ("lon when close > open", 1, 1, "did you mean long?", "'lon'"),
        ("close > open on 1h", 1, 1, "one of long, short, exit", "'close'"),
        ("exit when close > open on 1h", 1, 1, "before 'exit when'", "'exit'"),
        ("long close > open on 1h", 1, 6, "'when' after 'long'", "'close'"),
        ("long when close > open", 1, 23, "'on' and a timeframe", "the end of the text"),
        ("long when close > open\n", 2, 1, "'on' and a timeframe", "the end of the text"),
        ("stop 2% on 1h", 1, 14, "'long when' or 'short when'", "the end of the text"),
        ("long when close > open on 7m", 1, 27, "a timeframe of 1m, 3m", "'7m'"),
        ("long when close > open on", 1, 26, "a timeframe of 1m, 3m", "the end of the text"),
        ("long when close > open on 1h on 1h", 1, 30, "'on' only once", "'on'"),
        ("long when close > 1 on 1h\nlong when close > 2", 2, 1, "'long' only once", "'long'"),
        ("long when close > open stop 2% on 1h stop 3%", 1, 38, "only once", "'stop'"),
        ("long when close > 1 exit when 1 > 2 exit when 1 > 3 on 1h", 1, 37, "once", "'exit'"),
        ("long when close > open timeout 1h timeout 1h on 1h", 1, 35, "once", "'timeout'"),
        ("long when close > open 5 on 1h", 1, 24, "an operator, or one of", "'5'"),
        ("long when close > open close > 1 on 1h", 1, 24, "one of long", "'close'"),
        # levels and durations
        ("long when close > open stop 2 on 1h", 1, 31, "'%' after 2", "'on'"),
        ("long when close > open stop on 1h", 1, 29, "a stop from 0.01% to 99.99%", "'on'"),
        ("long when close > open stop 0% on 1h", 1, 29, "a stop from 0.01%", "0%"),
        ("long when close > open stop 100% on 1h", 1, 29, "to 99.99%", "100%"),
        ("long when close > open stop 1e999999999% on 1h", 1, 29, "to 99.99%", "1e999999999%"),
        ("long when close > open stop 1e-99999999% on 1h", 1, 29, "0.01%", "1e-99999999%"),
        ("long when close > open stop -2% on 1h", 1, 29, "a stop from", "'-'"),
        ("long when close > open target 1001% on 1h", 1, 31, "to 1000%", "1001%"),
        ("target 150% on 1h short when close < open", 1, 8, "to 99.99%", "150%"),
        ("long when close > open timeout 30s on 1h", 1, 32, "whole minutes from 1m", "'30s'"),
        ("long when close > open timeout 90s on 1h", 1, 32, "whole minutes", "'90s'"),
        ("long when close > open timeout 53w on 1h", 1, 32, "to 365d", "'53w'"),
        ("long when close > open timeout 5 on 1h", 1, 32, "a timeout of", "'5'"),
        ("long when close > open timeout 1.5h on 1h", 1, 32, "a duration such as 15m", "'1.5h'"),
        # names
        ("long when emma(9) > 1 on 1h", 1, 11, "did you mean ema?", "'emma'"),
        ("long when clos > 1 on 1h", 1, 11, "did you mean close?", "'clos'"),
        ("long when cross_above(close, 1) on 1h", 1, 11, "crosses_above?", "'cross_above'"),
        ("long when xyzzy > 1 on 1h", 1, 11, "a series, an indicator", "'xyzzy'"),
        ("long when close > when on 1h", 1, 19, "a number, a series", "'when'"),
        ("long when\n  exit when close > 1 on 1h", 2, 3, "a number, a series", "'exit'"),
        # arguments
        ("long when ema(1) > 1 on 1h", 1, 15, "from 2 to 10000 for period of ema", "1"),
        ("long when ema(2.5) > 1 on 1h", 1, 15, "a whole number from 2", "2.5"),
        ("long when ema(-3) > 1 on 1h", 1, 15, "a whole number from 2", "-3"),
        ("long when ema(10001) > 1 on 1h", 1, 15, "to 10000", "10001"),
        ("long when ema(12, 26) > 1 on 1h", 1, 17, "')' (ema takes period)", "','"),
        ("long when ema(12 > 1 on 1h", 1, 18, "')' (ema takes period)", "'>'"),
        ("long when ema(12,) > 1 on 1h", 1, 17, "')' (ema takes period)", "','"),
        ("long when ema(rsi(14)) > 1 on 1h", 1, 15, "a whole number", "'rsi'"),
        ("long when ema(rsi) > 1 on 1h", 1, 15, "a whole number", "'rsi'"),
        ("long when ema(close, ) > 1 on 1h", 1, 22, "a whole number", "')'"),
        ("long when atr(close, 9) > 1 on 1h", 1, 15, "period of atr", "'close'"),
        ("long when obv(3) > 1 on 1h", 1, 15, "')' (obv takes nothing)", "'3'"),
        ("long when macd(26, 12) > 0 on 1h", 1, 20, "fast below slow", "26 and 12"),
        ("long when macd(40) > 0 on 1h", 1, 16, "fast below slow", "40 and 26"),
        ("long when bbands_upper(20, 11) > 0 on 1h", 1, 28, "for deviations", "11"),
        ("long when prev(close, 0) > 1 on 1h", 1, 23, "bars from 1 to 10000", "'0'"),
        ("long when prev(close, 1.5) > 1 on 1h", 1, 23, "a whole number of bars", "'1.5'"),
        ("long when prev(close, open) > 1 on 1h", 1, 23, "a whole number of bars", "'open'"),
        ("long when prev(close > 1, 1) > 1 on 1h", 1, 16, "a number", "close > 1"),
        ("long when crosses_above(close) on 1h", 1, 30, "what crosses_above compares", "')'"),
        ("long when crosses_above on 1h", 1, 25, "'('", "'on'"),
        ("long when crosses_above(close, open, low) on 1h", 1, 36, "')' or an operator", "','"),
        # types
        ("long when rsi(14) on 1h", 1, 11, "a condition such as", "the number rsi(14)"),
        ("long when 1 on 1h", 1, 11, "a condition such as", "the number 1"),
        ("long when not close on 1h", 1, 15, "a condition", "the number close"),
        ("long when close > 1 and rsi(14) on 1h", 1, 25, "a condition", "the number rsi(14)"),
        ("long when rsi(14) or close > 1 on 1h", 1, 11, "a condition", "the number rsi(14)"),
        ("long when (close > 1) + 2 > 3 on 1h", 1, 11, "a number", "the condition close > 1"),
        ("long when -(close > 1) > 3 on 1h", 1, 12, "a number", "the condition close > 1"),
        ("long when crosses_above(close > 1, 2) on 1h", 1, 25, "a number", "close > 1"),
        ("long when close + not open > 1 on 1h", 1, 19, "a number", "not open > 1"),
        ("long when 1 < close < 2 on 1h", 1, 21, "comparisons do not chain", "'<'"),
        # signs and numbers
        ("long when close = open on 1h", 1, 17, "<, >, <= or >=", "'='"),
        ("long when close == open on 1h", 1, 17, "<, >, <= or >=", "'=='"),
        ("long when close > 1 && open > 1 on 1h", 1, 21, "and", "'&&'"),
        ("long when close > 1 || open > 1 on 1h", 1, 21, "or", "'||'"),
        ("long when close > $5 on 1h", 1, 19, "a word, a number or one of", "'$'"),
        ("long when close > 1.2.3 on 1h", 1, 19, "a number such as", "'1.2.3'"),
        ("long when close > 12abc on 1h", 1, 19, "a number such as", "'12abc'"),
        ("long when close > 15m on 1h", 1, 19, "a number, a series", "'15m'"),
        ("long when close > 1e300 on 1h", 1, 19, "from 1e-12 to 1e+15", "'1e300'"),
        ("long when close > 1e-300 > on 1h", 1, 19, "from 1e-12 to 1e+15", "'1e-300'"),
        ("long when close > ٣ on 1h", 1, 19, "a word, a number", "'٣'"),
        ("long when (close > 1 on 1h", 1, 22, "')' or an operator", "'on'"),
        ("long when close > 1) on 1h", 1, 20, "an operator, or one of", "')'"),
        ("long when close > on 1h", 1, 19, "a number, a series", "'on'"),
        ("long when close > 1 and\n\n  and open > 1 on 1h", 3, 3, "a number", "'and'"),
        ("long when close > 1 # fine\r\n\tand $ on 1h", 2, 6, "a word", "'$'"),
    ],
)
def test_an_error_says_where_what_was_expected_and_what_was_there(
    text: str, line: int, column: int, expected: str, was: str
) -> None:
    error = error_of(text)
    assert (error.line, error.column) == (line, column)
    assert expected in error.expected
    assert was in error.was
    assert str(error).startswith(f"line {line}, column {column}: expected ")


HOSTILE = [
    "long when " + "(" * 10_000,
    "long when " + "(" * 9_000 + "close > 1" + ")" * 9_000 + " on 1h",
    "long when " + "not " * 4_000 + "close > 1 on 1h",
    "long when close > " + "-" * 10_000 + "1 on 1h",
    "long when close > " + "1+" * 9_000 + "1 on 1h",
    "long when " + "close > 1 and " * 1_300 + "close > 1 on 1h",
    "long when " + "1 or 1 and 1 < 1 + 1 * (" * 800,
    "long when " + "prev(" * 3_000,
    "long when " + "crosses_above(" * 1_400,
    "long when " + "(" * 150 + "close > 1" + ")" * 150 + " on 1h",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_nesting_is_refused_from_a_small_stack(text: str) -> None:
    outcome: list[str] = []

    def deep(frames: int) -> None:
        if frames:
            deep(frames - 1)
        else:
            outcome.append(error_of(text).expected)

    thread = threading.Thread(target=deep, args=(400,))  # as far down as a worker's task may be
    thread.start()
    thread.join()
    assert outcome
    assert "at most 64 levels" in outcome[0]


def test_a_text_beyond_reason_is_refused_unread() -> None:
    error = error_of("#" * 20_001)
    assert error.expected == "a text of at most 20000 characters"
    assert error.was == "20001 characters"


def test_a_text_whose_canonical_form_is_beyond_reason_is_refused() -> None:
    wide = "+".join(["(" + "+".join(["macd_signal"] * 30) + ")"] * 30)
    error = error_of(f"long when {wide} > 1 on 1h")
    assert "20000 characters" in error.expected


def test_a_long_word_is_not_repeated_in_full() -> None:
    assert len(str(error_of("x" * 19_000))) < 300


@given(st.text(max_size=200))
@settings(max_examples=150)
def test_any_text_is_a_strategy_or_an_error_of_ours(text: str) -> None:
    _check_read_or_refused(text)


@given(strategies(), st.data())
@settings(max_examples=150)
def test_a_damaged_strategy_is_a_strategy_or_an_error_of_ours(
    strategy: Strategy, data: st.DataObject
) -> None:
    words = strategy.text.replace("(", " ( ").replace(",", " , ").split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at : at + 1] = data.draw(
            st.sampled_from([[], [words[at]] * 2, ["and"], [")"], ["("], ["1"], ["close"], ["on"]])
        )
    _check_read_or_refused(" ".join(words))


def _check_read_or_refused(text: str) -> None:
    try:
        strategy = Strategy.parse(text)
    except StrategySyntaxError as error:
        place = error.line, error.column
    else:
        assert Strategy.parse(strategy.text) == strategy
        return
    lines = text.split("\n")
    assert 1 <= place[0] <= len(lines)
    assert 1 <= place[1] <= len(lines[place[0] - 1]) + 1
