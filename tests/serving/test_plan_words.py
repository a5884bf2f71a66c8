from __future__ import annotations

import json
from typing import Any

import pytest

from serving.plans import Terms, plan

PLAN: dict[str, Any] = {
    "horizon_days": 90,
    "level": 0.05,
    "kill_sigma": 2.0,
    "forecast_mean": 0.002,
    "forecast_sd": 0.01,
    "symbols": ["BTC-USDT"],
}


def said(**changes: Any) -> dict[str, str]:
    return dict(plan(json.dumps(PLAN | changes)))


def test_a_plan_says_when_and_how_it_ends() -> None:
    assert said() == {
        "judged": "once, after 90 whole days (UTC)",
        "confirmed where": "its mean daily return is above 0; a useless one passes with 5 %",
        "expected": "+0.200 % a day, give or take 1.00 %; +18.0 % in 90 days",
        "stopped early": "where the sum of its returns is 2.0 standard deviations below that: "
        "−4.3 % after 10, −5.0 % after 30, −1.0 % after 90 days",
    }


def test_the_kill_line_falls_before_it_rises() -> None:
    terms = Terms(90, 0.05, 0.002, 0.01, 2.0)
    assert terms.kill_line(25) == pytest.approx(25 * 0.002 - 2 * 0.01 * 5)
    assert terms.forecast(25) == pytest.approx(0.05)


def test_a_short_plan_names_no_day_beyond_its_end() -> None:
    assert said(horizon_days=20)["stopped early"].endswith("−4.3 % after 10, −4.9 % after 20 days")


def test_a_plan_without_a_line_is_never_stopped() -> None:
    assert said(kill_sigma=None)["stopped early"] == "never"


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"horizon_days": "soon"}', "{broken"])
def test_what_is_no_plan_is_not_shown(text: str | None) -> None:
    assert plan(text) == []
