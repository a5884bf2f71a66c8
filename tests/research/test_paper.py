"""Plans of paper trading: what ends them, when, and that nothing ends them twice."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.costs import Costs
from research.paper import (
    CONFIRMED,
    KILLED,
    REJECTED,
    RUNNING,
    Frozen,
    Plan,
    first_day,
    rule_hash,
    spread_of,
    standings,
)
from research.strategy import Strategy

SINCE = datetime(2026, 3, 1, 3, tzinfo=UTC)
ONE = Strategy.parse("long when close > open\nexit when close < open\nstop 2%\non 5m")
TWO = Strategy.parse("short when rsi(14) > 70\ntimeout 1h\non 15m")

days_of_returns = st.lists(st.floats(-0.1, 0.1), max_size=40).map(np.array)


def plan(**changes: Any) -> Plan:
    given = {
        "horizon_days": 20,
        "level": 0.05,
        "kill_sigma": 2.0,
        "forecast_mean": 0.002,
        "forecast_sd": 0.02,
        "costs": Costs(),
        "symbols": ("A-X", "B-X"),
        "since": SINCE,
    }
    return Plan(**{**given, **changes})


# What ends a plan.


def test_the_forecast_is_a_line_and_the_kill_line_falls_away_from_it_like_a_root() -> None:
    one = plan()
    assert one.forecast(3).tolist() == pytest.approx([0.002, 0.004, 0.006])
    assert one.kill_line(4)[[0, 3]].tolist() == pytest.approx([0.002 - 0.04, 0.008 - 0.08])
    assert np.isneginf(plan(kill_sigma=None).kill_line(3)).all()


def test_it_is_killed_on_the_first_day_below_the_line_and_stays_so() -> None:
    returns = np.array([-0.03, -0.03, 0.09, 0.09])  # the line is -0.038, then -0.0526
    assert standings(plan(), returns) == [RUNNING, KILLED, KILLED, KILLED]
    on_the_line = np.array([plan().kill_line(1)[0]])
    assert standings(plan(), on_the_line) == [RUNNING]
    assert standings(plan(), on_the_line - 1e-9) == [KILLED]


def test_without_a_kill_line_it_runs_to_its_end() -> None:
    found = standings(plan(kill_sigma=None, horizon_days=3), np.array([-0.5, -0.5, -0.4]))
    assert found == [RUNNING, RUNNING, REJECTED]


def test_it_is_judged_on_its_last_day_by_what_came_until_then_alone() -> None:
    good = np.tile([0.03, -0.01], 10)
    assert standings(plan(), good[:19]) == [RUNNING] * 19
    assert standings(plan(), good) == [RUNNING] * 19 + [CONFIRMED]
    crash = np.append(good, -0.9)
    assert standings(plan(), crash) == [RUNNING] * 19 + [CONFIRMED, CONFIRMED]


def test_a_crash_on_the_last_day_kills_and_is_no_verdict_of_the_test() -> None:
    returns = np.append(np.tile([0.01, -0.01], 9), [0.0, -0.5])
    assert standings(plan(), returns)[-1] == KILLED


@pytest.mark.parametrize("returns", [np.zeros(20), np.tile([0.01, -0.01], 10)])
def test_what_earns_nothing_is_rejected(returns: np.ndarray) -> None:
    assert standings(plan(), returns)[-1] == REJECTED


def test_a_plan_of_no_days_stands_nowhere() -> None:
    assert standings(plan(), np.empty(0)) == []


@given(days_of_returns, st.integers(0, 40))
def test_the_future_never_changes_how_a_day_ended(returns: np.ndarray, cut: int) -> None:
    assert standings(plan(), returns)[:cut] == standings(plan(), returns[:cut])


@given(days_of_returns)
def test_what_has_ended_never_changes_again(returns: np.ndarray) -> None:
    found = standings(plan(), returns)
    ended = found[found.count(RUNNING) :]
    assert RUNNING not in ended
    assert len(set(ended)) <= 1
    assert len(found) == returns.size
    assert found.count(RUNNING) < 20


# How often it is wrong, as docs/paper.md says.


def shares(returns: np.ndarray, of: Plan) -> dict[str, float]:
    last = [standings(of, row)[-1] for row in returns]
    return {status: last.count(status) / len(last) for status in (KILLED, CONFIRMED, REJECTED)}


def test_a_useless_one_is_confirmed_as_often_as_its_level_says() -> None:
    noise = np.random.default_rng(7).normal(0, 0.02, (3_000, 90))
    found = shares(noise, plan(horizon_days=90, kill_sigma=None))
    assert found[CONFIRMED] == pytest.approx(0.05, abs=0.012)


def test_one_that_earns_its_forecast_is_killed_by_bad_luck_once_in_six_times() -> None:
    mean = 3 / np.sqrt(365) * 0.02
    returns = np.random.default_rng(8).normal(mean, 0.02, (2_000, 90))
    found = shares(returns, plan(horizon_days=90, forecast_mean=mean))
    assert found[KILLED] == pytest.approx(0.17, abs=0.025)
    assert found[CONFIRMED] == pytest.approx(0.40, abs=0.035)


def test_a_useless_one_with_a_high_forecast_is_mostly_killed_early() -> None:
    mean = 5 / np.sqrt(365) * 0.02
    noise = np.random.default_rng(9).normal(0, 0.02, (1_000, 90))
    assert shares(noise, plan(horizon_days=90, forecast_mean=mean))[KILLED] > 0.75


# The plan itself.


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"horizon_days": 0}, "horizon of at least 1 day, was 0"),
        ({"level": 0.0}, "level between 0 and 1, was 0.0"),
        ({"level": 1.0}, "level"),
        ({"kill_sigma": 0.0}, "kill_sigma above 0, was 0.0"),
        ({"kill_sigma": float("nan")}, "kill_sigma"),
        ({"forecast_mean": float("nan")}, "finite forecast"),
        ({"forecast_sd": -0.1}, "spread of at least 0"),
        ({"forecast_sd": float("inf")}, "spread"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        plan(**change)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.1, 9) | st.none())
def test_a_plan_comes_back_from_json_as_it_was(mean: float, sd: float, kill: float | None) -> None:
    one = Frozen(plan(forecast_mean=mean, forecast_sd=sd, kill_sigma=kill), "t", ("a b",))
    assert msgspec.json.decode(msgspec.json.encode(one), type=Frozen) == one


def test_the_first_day_is_the_first_that_begins_after_the_promotion() -> None:
    assert first_day(datetime(2026, 3, 1, 3, tzinfo=UTC)) == date(2026, 3, 2)
    assert first_day(datetime(2026, 3, 1, tzinfo=UTC)) == date(2026, 3, 1)
    assert first_day(datetime(2026, 2, 28, 23, 59, tzinfo=UTC)) == date(2026, 3, 1)


def test_a_single_return_has_no_spread() -> None:
    assert spread_of(np.array([0.1])) == 0.0
    assert spread_of(np.array([0.0, 2.0])) == pytest.approx(np.sqrt(2))


# What was frozen.


def portfolio(**changes: Any) -> Frozen:
    given = {
        "plan": plan(),
        "text": f"[A-X]\n{ONE.text}\n\n[*]\n{TWO.text}",
        "members": (f"{ONE.id} A-X", f"{TWO.id} *"),
    }
    return Frozen(**{**given, **changes})


def test_a_rule_is_its_text_on_its_symbol() -> None:
    one = Frozen(plan(), ONE.text, (f"{ONE.id} A-X",))
    assert one.rules() == [(ONE, "A-X")]
    assert one.stakes() == [(ONE, ("A-X",))]


def test_a_pooled_rule_has_a_stake_in_every_symbol_of_its_night() -> None:
    assert Frozen(plan(), ONE.text, (f"{ONE.id} *",)).stakes() == [(ONE, ("A-X", "B-X"))]


def test_a_portfolio_is_the_texts_under_their_symbols() -> None:
    assert portfolio().rules() == [(ONE, "A-X"), (TWO, "*")]
    assert portfolio().stakes() == [(ONE, ("A-X",)), (TWO, ("A-X", "B-X"))]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": f"[A-X]\n{ONE.text}"}, "expected 2 texts, was 1"),
        ({"text": ONE.text}, "expected 2 texts, was 0"),
        ({"text": portfolio().text.replace("2%", "3%")}, f"expected the text of {ONE.id} A-X"),
        ({"text": portfolio().text.replace("[*]", "[B-X]")}, f"expected the text of {TWO.id}"),
        ({"members": (f"{TWO.id} A-X", f"{ONE.id} *")}, "expected the text of"),
        ({"members": (f"{TWO.id} *",), "text": ONE.text}, "expected the text of"),
    ],
)
def test_a_text_that_is_not_the_members_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        portfolio(**change).rules()
    assert says in str(refused.value)


def test_the_hash_is_that_of_text_members_and_costs() -> None:
    costs = {"fee_bps": 10.0, "funding_bps": 1.0, "slippage_bps": 5.0}
    by_hand = json.dumps(["t", ["a A-X"], costs]).encode()
    assert rule_hash("t", ["a A-X"], Costs(**costs)) == hashlib.sha256(by_hand).hexdigest()


def test_the_hash_tells_every_change() -> None:
    costs = Costs(fee_bps=10, slippage_bps=5, funding_bps=1)
    found = {
        rule_hash("t", ["a"], costs),
        rule_hash("t ", ["a"], costs),
        rule_hash("t", ["b"], costs),
        rule_hash("t", ["a", "a"], costs),
        rule_hash("t", ["a"], Costs(fee_bps=9, slippage_bps=5, funding_bps=1)),
        rule_hash("t", ["a"], Costs(fee_bps=10, slippage_bps=5, funding_bps=1, perpetual=True)),
    }
    assert len(found) == 6
