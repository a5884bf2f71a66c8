from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from serving.candidates import change, curve, hold, members, objections, opinions, place, why
from serving.night import BENCHMARK
from tests.serving.nights import OBJECTION, OPINIONS, candidate, luck, night

PORTFOLIO = {"kind": "portfolio", "symbol": "*", "members": ["aa BTC-USDT", "bb *"]}


def market(symbol: str, *values: float) -> pl.DataFrame:
    rows = [(symbol, date(2026, 1, day), value) for day, value in enumerate(values, start=1)]
    return pl.DataFrame(rows, schema=BENCHMARK, orient="row")


def test_a_candidate_says_where_it_trades() -> None:
    assert place(candidate(0)) == "BTC-USDT"
    assert place(candidate(0, kind="pooled", symbol="*")) == "all symbols"
    assert place(candidate(0, kind="pooled", symbol="*"), 6) == "all 6 symbols"
    assert place(candidate(0, **PORTFOLIO), 6) == "portfolio of 2"


def test_members_are_a_strategy_and_a_symbol_each() -> None:
    assert members(candidate(0, **PORTFOLIO)) == [("aa", "BTC-USDT"), ("bb", "*")]
    assert members(candidate(0, members=None)) == []


def test_equity_is_made_of_daily_returns() -> None:
    first = datetime(2026, 2, 27, tzinfo=UTC)
    line = curve(candidate(0, daily_returns=[0.1, None, -0.5], first_day=first))
    assert line.days == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    assert line.values == pytest.approx([1.1, 1.1, 0.55])
    assert change(line) == pytest.approx(-0.45)
    assert change(curve(candidate(0, first_day=None))) is None
    assert curve(candidate(0, daily_returns=[])).values == []


def test_a_rule_is_compared_with_holding_its_own_symbol() -> None:
    benchmark = pl.concat([market("BTC-USDT", 1.0, 1.5), market("ETH-USDT", 1.0, 9.0)])
    held = hold(candidate(0), benchmark, ["BTC-USDT", "ETH-USDT"])
    assert held.values == [1.0, 1.5]


def test_a_portfolio_is_compared_with_holding_its_stakes() -> None:
    benchmark = pl.concat([market("BTC-USDT", 1.0, 2.0), market("ETH-USDT", 1.0, 4.0)])
    held = hold(candidate(0, **PORTFOLIO), benchmark, ["BTC-USDT", "ETH-USDT"])
    # Half in BTC alone, a quarter each in BTC and ETH by the rule on all symbols.
    assert held.values == pytest.approx([1.0, 0.75 * 2.0 + 0.25 * 4.0])


def test_days_on_which_a_market_is_missing_are_not_compared() -> None:
    benchmark = pl.concat([market("BTC-USDT", 1.0, 2.0, 3.0), market("ETH-USDT", 1.0, math.nan)])
    held = hold(candidate(0, kind="pooled", symbol="*", members=["a *"]), benchmark, ["BTC-USDT"])
    assert held.values == [1.0, 2.0, 3.0]
    both = candidate(0, kind="pooled", symbol="*", members=["a *"])
    assert hold(both, benchmark, ["BTC-USDT", "ETH-USDT"]).values == [1.0]
    assert hold(both, benchmark.clear(), ["BTC-USDT"]).values == []


def test_objections_come_first_and_reports_last() -> None:
    row = candidate(0, opinions=json.dumps([*reversed(OPINIONS), OBJECTION]))
    assert [one.agrees for one in opinions(row)] == [False, True, None]
    assert [one.stance for one in opinions(row)] == ["objects", "agrees", "only reported"]
    assert [one.title for one in objections(row)] == ["superior predictive ability"]


def test_an_opinion_needs_no_more_than_a_name() -> None:
    (one,) = opinions(candidate(0, opinions='[{"name": "deflated_sharpe_2014", "agrees": null}]'))
    assert (one.title, one.value, one.bar) == ("deflated Sharpe 2014", None, None)
    assert one.sentence == ""


@pytest.mark.parametrize("text", [None, "", "[]", "{broken", '{"name": 1}', "[3]"])
def test_opinions_that_cannot_be_read_are_none(text: str | None) -> None:
    assert opinions(candidate(0, opinions=text)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"p_value": 0.46}, "luck alone does as well too often: p = 0.46, and at most 0.005 prom"),
        (
            {"verdict": "permutation_explains", "permutation_p": 0.12},
            "the trend of the market: p = 0.12 among them, and at most 0.05 promotes",
        ),
        (
            {"verdict": "held_back", "opinions": json.dumps([OBJECTION])},
            "it is above luck, but the second opinion “superior predictive ability” objects",
        ),
        ({"verdict": "held_back"}, "a second opinion objects to it"),
        ({"verdict": "not_chosen"}, "a better one does the same, or all places"),
        ({"verdict": None}, "it has no verdict"),
    ],
)
def test_who_was_not_promoted_is_told_why_with_numbers(changes: dict[str, Any], said: str) -> None:
    row = candidate(0, **changes)
    assert said in why(night([row]), row)


def test_under_an_alarm_all_are_held_back_by_it() -> None:
    row = candidate(0, verdict="held_back", opinions=json.dumps([OBJECTION]))
    assert "too good to be true" in why(night([row], luck=luck(alarm=2.0)), row)
