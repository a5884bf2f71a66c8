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
        (0.97, "0.97"),
        (0.9999, "above 0.99"),
        (1.0, "1.00"),
        (0.0001, "below 0.01"),
        (0.0, "0.00"),
        (None, "–"),
    ],
)
def test_a_probability_is_never_rounded_to_certainty(value: float | None, said: str) -> None:
    assert words.probability(value) == said


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
