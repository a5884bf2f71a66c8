from __future__ import annotations

from typing import Any

import pytest

from core.datasets import METRICS
from serving.explain import Fact, facts
from tests.serving.nights import backtests, candidate, luck, night, won


def explained(hold: float | None = None, **changes: Any) -> dict[str, Fact]:
    row = won(0, **changes)
    (metrics,) = backtests([candidate(0)], ["BTC-USDT"]).to_dicts()
    found = facts(night([row]), row, hold=hold, metrics=metrics)
    return {fact.name: fact for fact in found}


def test_every_number_has_a_name_a_value_and_a_sentence() -> None:
    found = explained().values()
    assert len(found) >= len(METRICS)
    assert all(fact.name and fact.value for fact in found)
    assert all(fact.sentence[0].isupper() or fact.sentence[0].isdigit() for fact in found)
    assert all(fact.sentence.endswith(".") for fact in found)


def test_the_score_leaves_out_what_rose_with_the_market() -> None:
    assert "what just rose with the market scores nothing" in explained()["Score"].sentence
    assert "√" not in explained()["Score"].sentence
    mixed = explained(kind="portfolio", members=["a X", "b Y", "c Z"])["Score"]
    assert "Divided by √3" in mixed.sentence


def test_a_p_says_out_of_how_many_worlds() -> None:
    fact = explained(p_value=0.002)["p"]
    assert fact.value == "0.002"
    assert "out of 199 without an edge and this one. At most 0.005 promotes." in fact.sentence
    assert "It was not asked" in explained(permutation_p=None)["p of permuted worlds"].sentence
    assert "At most 0.05 promotes" in explained()["p of permuted worlds"].sentence


def test_what_should_be_left_is_told_only_where_it_is_known() -> None:
    fact = explained(shrunk=5.2)["What should be left"]
    assert fact.value == "5.2 to 6.9"
    assert "lean to the smaller one" in fact.sentence
    assert "What should be left" not in explained(shrunk=None)


@pytest.mark.parametrize(
    ("metric", "name", "said"),
    [
        ("p_value", "p", "not set against luck"),
        ("total_return", "Return", "not known"),
    ],
)
def test_a_number_that_does_not_exist_says_why(metric: str, name: str, said: str) -> None:
    fact = explained(**{metric: None})[name]
    assert fact.value == "–"
    assert said in fact.sentence


@pytest.mark.parametrize(
    ("metric", "name", "said"),
    [
        ("sortino", "Sortino ratio", "No day lost"),
        ("profit_factor", "Profit factor", "No trade lost"),
    ],
)
def test_a_metric_that_does_not_exist_says_why(metric: str, name: str, said: str) -> None:
    row = won(0)
    (metrics,) = backtests([row], ["BTC-USDT"]).to_dicts()
    found = {fact.name: fact for fact in facts(night([row]), row, metrics=metrics | {metric: None})}
    assert found[name].value == "–"
    assert said in found[name].sentence


def test_nothing_at_all_can_be_explained() -> None:
    row = candidate(
        0, **dict.fromkeys(["sharpe", "score", "shrunk", "trades", "max_drawdown", "members"])
    )
    report = night([candidate(0)], luck=luck(mirrored=[], hurdle=None))
    nothing = {fact.name: fact.value for fact in facts(report, row, metrics=dict.fromkeys(METRICS))}
    assert nothing["Trades"] == nothing["Score"] == nothing["Winning trades"] == "–"


def test_a_candidate_of_several_rules_has_no_metrics_of_one() -> None:
    row = won(0, kind="portfolio")
    names = {fact.name for fact in facts(night([row]), row)}
    assert "Trades" in names
    assert "Winning trades" not in names


def test_buy_and_hold_is_told_where_it_is_known() -> None:
    assert "Buying and holding the same came to −3.0 %." in explained(hold=-0.03)["Return"].sentence
    assert "Buying" not in explained()["Return"].sentence
