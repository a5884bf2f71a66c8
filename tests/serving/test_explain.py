from __future__ import annotations

from typing import Any

import pytest

from core.datasets import METRICS
from serving.explain import Fact, facts
from tests.serving.nights import night, result


def explained(hold: float | None = None, **changes: Any) -> dict[str, Fact]:
    report = night([result(0)], trials=3_000)
    return {fact.name: fact for fact in facts(report, result(0, **changes), hold)}


def test_every_number_has_a_name_a_value_and_a_sentence() -> None:
    found = explained().values()
    assert len(found) >= len(METRICS)
    assert all(fact.name and fact.value for fact in found)
    assert all(fact.sentence[0].isupper() or fact.sentence[0].isdigit() for fact in found)
    assert all(fact.sentence.endswith(".") for fact in found)


def test_the_deflated_sharpe_is_explained_by_the_number_of_trials() -> None:
    fact = explained(deflated_sharpe=0.97)["Deflated Sharpe"]
    assert fact.value == "0.97"
    assert fact.sentence == (
        "Probability that the true Sharpe ratio exceeds what the luckiest of 3,000 useless "
        "strategies would show."
    )


def test_the_sharpe_is_set_beside_the_hurdle() -> None:
    assert "expected to reach 6.20" in explained()["Sharpe ratio"].sentence


@pytest.mark.parametrize(
    ("metric", "name", "said"),
    [
        ("sortino", "Sortino ratio", "No day lost"),
        ("profit_factor", "Profit factor", "No trade lost"),
        ("deflated_sharpe", "Deflated Sharpe", "too few days"),
        ("total_return", "Return", "not known"),
    ],
)
def test_a_number_that_does_not_exist_says_why(metric: str, name: str, said: str) -> None:
    fact = explained(**{metric: None})[name]
    assert fact.value == "–"
    assert said in fact.sentence


def test_nothing_at_all_can_be_explained() -> None:
    nothing = dict.fromkeys([*METRICS, "in_sample_sharpe", "out_of_sample_sharpe"])
    assert explained(**nothing)["Trades"].value == "–"


def test_buy_and_hold_is_told_where_it_is_known() -> None:
    assert "Buying and holding BTC-USDT came to −3.0 %." in explained(hold=-0.03)["Return"].sentence
    assert "Buying" not in explained()["Return"].sentence


def test_ambiguous_trades_are_told() -> None:
    assert "In 2 of them one bar touched both" in explained()["Trades"].sentence
    assert "In none of them" in explained(ambiguous_trades=0)["Trades"].sentence
