"""All opinions together, and what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from core.errors import InvalidInput
from research.opinions import Ledger, Leg, Opinion, Winner, dissenting, legs_of, second_opinions
from research.opinions.replay import replay
from research.strategy import Strategy
from tests.research.opinions.scenes import CHEAP, NEEDLE, TREND, winner_of

if TYPE_CHECKING:
    from research.market import Market

HOLDING = ["doubled_costs", "plateau", "doubtful_bars", "deflated_sharpe_2014"]
ON_A_YEAR = ["superior_ability", "step_down"]
REPORTED = ["effective_trials", "overfitting", "track_record", "haircut", "ambiguous_bars"]
REPORTED += ["months", "symbols"]


def beside_noise(winner: Winner, tried: int = 200) -> Ledger:
    noise = np.random.default_rng(0).normal(0.0, winner.detrended.std(), (winner.days, tried))
    return Ledger(np.column_stack((winner.detrended, noise)), 2 * tried)


def test_every_opinion_is_asked_in_one_order(trends: dict[str, Market]) -> None:
    winner = winner_of(TREND, trends)
    found = second_opinions(winner, beside_noise(winner), trends, CHEAP, doubtful={})
    assert [one.name for one in found] == [*HOLDING, *ON_A_YEAR, *REPORTED]
    assert [one.name for one in found if one.agrees is not None] == HOLDING
    assert dissenting(found) == []
    for one in found:
        assert one.sentence.endswith(".")
        assert not one.sentence[0].islower()
        assert one.value is not None
        assert np.isfinite(one.value)


def test_opinions_are_the_same_again_and_survive_a_message(trends: dict[str, Market]) -> None:
    winner = winner_of(TREND, trends)
    first, second = (
        second_opinions(winner, beside_noise(winner), trends, CHEAP, seed=3) for _ in range(2)
    )
    assert first == second
    sent = msgspec.json.encode(first)
    assert msgspec.json.decode(sent, type=list[Opinion]) == first


def test_what_was_not_given_is_not_asked(trends: dict[str, Market]) -> None:
    only = {"A-USDT": trends["A-USDT"]}
    winner = winner_of(TREND, only)
    names = [one.name for one in second_opinions(winner, beside_noise(winner), only, CHEAP)]
    assert "doubtful_bars" not in names
    assert "symbols" not in names


def test_a_needle_is_held_back_by_name(echo: dict[str, Market]) -> None:
    winner = winner_of(NEEDLE, echo)
    found = second_opinions(winner, beside_noise(winner), echo, CHEAP)
    assert "plateau" in [one.name for one in dissenting(found)]


def test_a_portfolio_is_judged_as_a_whole(trends: dict[str, Market]) -> None:
    slower = Strategy.parse(TREND.text.replace("15m", "30m"))
    legs = legs_of([(TREND, "A-USDT"), (slower, "*")], sorted(trends))
    assert [leg.stake for leg in legs] == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])
    ran = replay(legs, trends, CHEAP)
    winner = Winner(legs, ran.returns, ran.detrended, rules=2)
    found = second_opinions(winner, beside_noise(winner), trends, CHEAP, doubtful={})
    assert [one.name for one in found] == [*HOLDING, *ON_A_YEAR, *REPORTED]


@pytest.mark.parametrize(
    "call",
    [
        lambda: Winner((), np.zeros(5), np.zeros(5)),
        lambda: Winner((Leg(TREND, "A-USDT", 0.5),), np.zeros(5), np.zeros(5)),
        lambda: Winner((Leg(TREND, "A-USDT", 1.0),), np.zeros(5), np.zeros(4)),
        lambda: Winner((Leg(TREND, "A-USDT", 1.0),), np.zeros(1), np.zeros(1)),
        lambda: Winner((Leg(TREND, "A-USDT", 1.0),), np.zeros(5), np.zeros(5), rules=0),
        lambda: Ledger(np.zeros((5, 0)), 10),
        lambda: Ledger(np.zeros(5), 10),
        lambda: Ledger(np.zeros((5, 3)), 2),
    ],
)
def test_inputs_that_say_nothing_are_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
