from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import words


def test_counts_have_thousands_apart_and_a_true_minus() -> None:
    assert words.count(1_234_567) == "1,234,567"
    assert words.count(-5) == "−5"
    assert words.count(None) == "–"


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 strategies"), (1, "1 strategy"), (3_000, "3,000 strategies")]
)
def test_a_noun_agrees_with_its_count(number: int, said: str) -> None:
    assert words.plural(number, "strategy", "strategies") == said


def test_a_noun_without_a_plural_takes_an_s() -> None:
    assert words.plural(2, "trial") == "2 trials"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (-0.001, "0.00"),
        (-1.239, "−1.24"),
    ],
)
def test_a_number_that_is_none_or_endless_is_still_text(value: float | None, said: str) -> None:
    assert words.decimal(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.034, "+3.4 %"), (-0.5, "−50.0 %"), (0.0, "0.0 %"), (None, "–")]
)
def test_a_signed_percentage_shows_its_direction(value: float | None, said: str) -> None:
    assert words.percent(value, signed=True) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.4583, "0.46"),
        (1.0, "1.00"),
        (0.002, "0.002"),
        (3 / 599, "0.00501"),
        (0.00001, "below 0.0001"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_a_p_keeps_the_digits_that_matter(value: float | None, said: str) -> None:
    assert words.odds(value) == said


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (12.5, 7.94, "7.9 to 12.5"),
        (7.94, 7.91, "7.9"),
        (None, 7.0, "7.0"),
        (7.0, None, "7.0"),
        (None, None, "–"),
    ],
)
def test_two_estimates_are_written_as_what_lies_between(
    first: float | None, second: float | None, said: str
) -> None:
    assert words.between(first, second) == said


def test_a_small_chance_is_told_in_nights() -> None:
    assert words.once(0.005) == "one night in 200"
    assert words.once(0.0002) == "one night in 5,000"
    assert words.once(0.0) == "no night"


@pytest.mark.parametrize(
    ("value", "said"), [(0.05, "5 %"), (0.005, "0.5 %"), (0.002, "0.2 %"), (1 / 3, "33.3 %")]
)
def test_a_level_has_no_needless_digits(value: float, said: str) -> None:
    assert words.share(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (312.4, "about 310"),
        (1_249.0, "about 1,200"),
        (4.26, "about 4.3"),
        (1.0, "about 1.0"),
        (None, "–"),
        (math.inf, "∞"),
    ],
)
def test_a_rough_count_has_two_digits(value: float | None, said: str) -> None:
    assert words.about(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (0.9871, "0.987"),
        (12.34, "12.3"),
        (0.05, "0.05"),
        (10.0, "10"),
        (1_234.0, "1,234"),
        (-0.00123, "−0.00123"),
        (0.00000123, "0.000001"),
        (None, "–"),
        (math.inf, "∞"),
    ],
)
def test_a_number_of_unknown_size_has_three_digits(value: float | None, said: str) -> None:
    assert words.figure(value) == said


def test_a_sentence_begins_large_and_is_else_left_alone() -> None:
    assert words.capitalised("p of BTC") == "P of BTC"
    assert words.capitalised("") == ""


@given(st.integers(1, 10**9), st.data())
def test_only_a_whole_series_is_a_hundred_percent_complete(
    expected: int, data: st.DataObject
) -> None:
    held = data.draw(st.integers(0, expected))
    said = words.completeness(held, expected)
    assert said.startswith("100") == (held == expected)


def test_completeness_of_nothing_is_not_a_number() -> None:
    assert words.completeness(0, 0) == "–"


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ((5.1, 6.2), ("5.1", "6.2")),
        ((6.21, 6.24), ("6.21", "6.24")),
        ((6.2001, 6.2002), ("6.2", "6.2")),
        ((None, 6.2), ("–", "6.2")),
    ],
)
def test_two_numbers_get_the_digits_that_tell_them_apart(
    pair: tuple[float | None, float], said: tuple[str, str]
) -> None:
    assert words.apart(*pair) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.0 s"),
        (3.24, "3.2 s"),
        (60, "1 min"),
        (95, "1 min 35 s"),
        (7_200, "2 h"),
        (7_320, "2 h 2 min"),
        (90_000, "1 d 1 h"),
        (None, "–"),
    ],
)
def test_a_duration_is_told_in_the_two_units_that_matter(value: float | None, said: str) -> None:
    assert words.seconds(value) == said


@pytest.mark.parametrize(("value", "said"), [(10.0, "10"), (2.5, "2.50"), (0, "0"), (None, "–")])
def test_basis_points_have_no_needless_digits(value: float | None, said: str) -> None:
    assert words.bps(value) == said


def test_a_moment_is_told_to_the_minute_in_utc() -> None:
    assert words.moment(datetime(2026, 6, 1, 3, 0, 59, tzinfo=UTC)) == "2026-06-01 03:00 UTC"
    assert words.moment(None) == "–"


def test_a_list_ends_with_and_or_with_how_many_more() -> None:
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(list("abcdef"), most=2) == "a, b and 4 more"
