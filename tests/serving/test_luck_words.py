from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.luck import (
    chance_of,
    describe,
    describe_permuted,
    describe_power,
    hurdle_words,
    left,
    levels,
    lines,
    spread_of,
)
from tests.serving.nights import candidate, luck, night, won


def test_the_picture_of_the_worlds_is_told_in_words() -> None:
    scores = [4.0, 5.0, 6.0, 8.0]
    report = night([candidate(0, score=6.0, p_value=0.6)], luck=luck(mirrored=scores))
    assert describe(report) == (
        "In 4 worlds without an edge the best scores go from 4.0 to 8.0, half of them below 5.5. "
        "Tonight’s best score is 6.00; luck did as well in 2 of 4 worlds: p = (1 + 2) / (1 + 4) = "
        "0.60, where at most 0.005 promotes."
    )


def test_worlds_that_ended_early_say_why() -> None:
    stopped = luck(mirrored=[9.0] * 3 + [1.0], stop_after=3)
    assert "luck had done as well 3 times" in describe(night(luck=stopped))
    assert "luck had done" not in describe(night(luck=luck(mirrored=[1.0, 9.0], stop_after=3)))


def test_worlds_in_which_nothing_traded_are_counted_apart() -> None:
    worlds = luck(mirrored=[4.0, -math.inf, -math.inf])
    assert "In 2 worlds nothing traded often enough" in describe(night(luck=worlds))
    nothing = describe(night(luck=luck(mirrored=[-math.inf])))
    assert nothing.startswith("Tonight’s best score is 6.00; luck did as well in 0 of 1 world")


def test_a_night_without_candidates_searched_no_world() -> None:
    report = night([], luck=luck(mirrored=[], hurdle=None, smallest=None))
    assert "no world was searched" in describe(report)
    assert describe_permuted(report) is hurdle_words(report) is None
    assert lines(report) == []
    assert describe(night([candidate(0)], luck=luck(mirrored=[5.0]))).startswith("In the one world")


def test_permuted_worlds_are_told_where_there_were_any() -> None:
    rows = [won(0, permutation_p=0.02)]
    said = describe_permuted(night(rows, luck=luck(permuted=[1.0] * 48 + [99.0])))
    assert said is not None
    assert "counts 49 permuted worlds" in said
    assert "They did as well in 1: p = 0.02, where at most 0.05 promotes." in said
    assert describe_permuted(night(rows)) is None


def test_the_hurdle_says_how_seldom_luck_passes_it() -> None:
    assert "8.50, is what luck passes on one night in 200" in str(hurdle_words(night()))


def test_what_a_night_can_find_has_a_sentence_for_each_number() -> None:
    found = {line.name: line for line in lines(night())}
    assert found["Smallest edge that is found"].value == "10.2"
    assert "four nights of five" in found["Smallest edge that is found"].sentence
    assert found["Hurdle of luck"].value == "8.5"
    assert found["What chance adds or takes"].value == "± 2.0"
    assert found["False promotions"].value == "at most 1.8 nights a year"
    assert "What should be left of the best" not in found


def test_a_winner_says_what_should_be_left_of_it() -> None:
    worlds = luck(mirrored=[4.0, 6.0, -math.inf])
    line = lines(night([won(0, score=12.1, shrunk=11.9)], luck=worlds))[-1]
    assert (line.name, line.value) == ("What should be left of the best", "7.1 to 11.9")
    assert "The same search finds 5.0 on average where there is nothing; less that, 7.1." in (
        line.sentence
    )
    assert "those that truly earn 11.9 show 12.1 on average" in line.sentence


def test_what_is_left_is_never_below_nothing_nor_above_the_score() -> None:
    assert luck(mirrored=[9.0]).cautious(8.0) == 0.0
    assert luck(mirrored=[-3.0]).cautious(8.0) == 8.0
    assert luck(mirrored=[]).cautious(8.0) == 8.0
    assert left(luck(mirrored=[5.0]), won(0, score=8.6, shrunk=0.0)) == "0.0 to 3.6"
    assert left(luck(), candidate(0, shrunk=None)) == "–"


def test_the_table_of_a_year_has_the_level_of_the_night() -> None:
    found = levels(0.005)
    assert [level.alpha for level in found] == [0.05, 0.01, 0.005, 0.002]
    assert [level.measured for level in found] == [14.8, 1.6, None, 0.4]
    assert [level.tonight for level in found] == [False, False, True, False]
    assert found[0].most == pytest.approx(18.25)
    assert [level.tonight for level in levels(0.01)] == [False, True, False]


@given(st.floats(0, 30), st.floats(0, 30), st.integers(2, 3_650))
def test_a_better_rule_is_never_found_less_often(one: float, other: float, days: int) -> None:
    low, high = sorted((one, other))
    assert chance_of(low, 8.0, days) <= chance_of(high, 8.0, days)
    assert chance_of(8.0, 8.0, days) == pytest.approx(0.5)


def test_the_mark_of_the_picture_is_where_four_of_five_are_found() -> None:
    # Φ⁻¹(0.8) = 0.8416 standard errors above the hurdle.
    assert chance_of(8.5 + 0.8416212 * spread_of(90), 8.5, 90) == pytest.approx(0.8)
    assert "23 % at 6" not in describe_power(night())
    assert "77 % at 10" in describe_power(night())
