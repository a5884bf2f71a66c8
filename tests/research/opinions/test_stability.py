"""From which months and symbols a return came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from research.opinions import Leg, Winner
from research.opinions.stability import months, symbols
from tests.research.opinions.scenes import AGAINST, CHEAP, TREND, winner_of

if TYPE_CHECKING:
    from research.market import Market


def of_days(returns: np.ndarray) -> Winner:
    return Winner((Leg(TREND, "A-USDT", 1.0),), returns, returns)


def test_days_fall_into_their_months(trends: dict[str, Market]) -> None:
    # 45 days from the first of January: 31 that earn, then 14 that lose.
    opinion = months(of_days(np.array([0.01] * 31 + [-0.01] * 14)), trends)
    assert opinion.value == 0.5
    assert (opinion.bar, opinion.agrees) == (None, None)
    assert "earned in 1 of 2 calendar months" in opinion.sentence
    assert f"2026-02, brought {0.99**14 - 1:+.1%}" in opinion.sentence


def test_a_shorter_record_ends_with_its_market(trends: dict[str, Market]) -> None:
    opinion = months(of_days(np.array([0.01] * 14)), trends)
    assert opinion.value == 1.0
    assert "1 of 1 calendar months; the worst, 2026-02" in opinion.sentence


def test_a_total_loss_is_a_number(trends: dict[str, Market]) -> None:
    opinion = months(of_days(np.array([0.5] * 40 + [-1.0] * 5)), trends)
    assert "-100.0%" in opinion.sentence


def test_symbols_are_counted_each_alone(trends: dict[str, Market]) -> None:
    opinion = symbols(winner_of(TREND, trends), trends, CHEAP)
    assert opinion is not None
    assert opinion.value == 1.0
    assert opinion.agrees is None
    # The second and third symbol trade against their trends.
    legs = (
        Leg(TREND, "A-USDT", 1 / 3),
        *(Leg(AGAINST, name, 1 / 3) for name in ("B-USDT", "C-USDT")),
    )
    mixed = symbols(Winner(legs, np.zeros(45), np.zeros(45)), trends, CHEAP)
    assert mixed is not None
    assert mixed.value == pytest.approx(1 / 3)
    assert "1 of 3 symbols" in mixed.sentence


def test_a_single_symbol_is_not_compared_with_itself(trends: dict[str, Market]) -> None:
    assert symbols(of_days(np.zeros(45)), trends, CHEAP) is None
