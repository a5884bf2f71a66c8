from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pytest

from serving import charts, luckcharts
from serving.luck import chance_of
from serving.style import ACCENT, MUTED
from tests.serving.nights import worlds
from tests.serving.pages import Page

NONE = np.array([])


def drawn(scores: list[float], others: list[float] | None = None, **changes: Any) -> str:
    values: dict[str, Any] = {"best": 5.6, "hurdle": 8.4}
    chart = luckcharts.worlds(np.array(scores), np.array(others or []), **(values | changes))
    return charts.svg(chart, "worlds")


def test_the_real_best_and_the_hurdle_are_drawn_and_labelled() -> None:
    svg = drawn(worlds(23))
    assert "tonight’s best: 5.6" in svg
    assert "hurdle of luck: 8.4" in svg
    assert 'stroke-dasharray="5,4"' in svg
    assert ACCENT not in svg


def test_the_promoted_are_marked_in_the_accent_colour() -> None:
    assert "promoted: 13.5" in drawn(worlds(), promoted=[13.5])
    several = drawn(worlds(), promoted=[9.1, 13.5])
    assert "2 promoted, the best 13.5" in several
    assert ACCENT in several
    assert "tonight’s best" not in several


def test_permuted_worlds_are_an_outline_of_their_own() -> None:
    def outlines(svg: str) -> int:
        return len(re.findall(rf'<path[^>]*stroke="{MUTED}"[^>]*stroke-width="1"', svg))

    assert outlines(drawn(worlds(), worlds(99, seed=3))) == outlines(drawn(worlds())) + 1


@pytest.mark.parametrize("count", [1, 2, 10, 499])
def test_few_and_many_worlds_can_be_drawn(count: int) -> None:
    svg = drawn(worlds(count))
    assert len(svg) < 40_000
    assert "tonight’s best" in svg


@pytest.mark.parametrize(
    ("scores", "others", "changes"),
    [
        ([], [], {"best": None, "hurdle": None}),
        ([], [], {"best": None, "hurdle": 8.4}),
        ([5.0, 5.0, 5.0], [], {"hurdle": None}),
        ([5.0], [4.0], {"best": -3.0, "hurdle": float("inf")}),
        ([-500.0, 900.0], [], {}),
        ([5.0, 6.0], [1.0], {"promoted": [60.0]}),
    ],
)
def test_odd_worlds_can_be_drawn(
    scores: list[float], others: list[float], changes: dict[str, Any]
) -> None:
    page = Page(drawn(scores, others, **changes))
    assert page.badly_nested == []
    assert page.loads == []


def test_the_same_worlds_give_the_same_bytes() -> None:
    assert drawn(worlds()) == drawn(worlds())


def test_labels_turn_inwards_at_the_right_edge() -> None:
    plane = luckcharts._Plane((0.0, 10.0), 5.0)

    def side(x: float) -> str:
        return str(plane.label(x, 1.0, "text")[1].mark.align)

    assert (side(1.0), side(9.0)) == ("left", "right")


def test_counts_are_whole_numbers_up_to_the_highest_bar() -> None:
    assert luckcharts._counts(3) == [0, 1, 2, 3]
    assert luckcharts._counts(23) == [0, 10, 20]
    assert luckcharts._counts(138) == [0, 50, 100]
    assert luckcharts._counts(0) == [0]


@pytest.mark.parametrize("days", [2, 90, 3_650])
def test_the_power_is_drawn_with_its_mark(days: int) -> None:
    chance = partial(chance_of, hurdle=8.4, days=days)
    smallest = 8.4 + 0.8416212 * (365 / days) ** 0.5
    svg = charts.svg(luckcharts.power(chance, hurdle=8.4, smallest=smallest), "power")
    assert f"80 % at {smallest:.1f}" in svg
    assert "true annual Sharpe ratio of a rule" in svg
