"""The suites of what we make ourselves: rows that break one rule, beside rows that just do not."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.datasets import NIGHTS, PROMOTIONS
from expectations.gate import gate
from expectations.suites import SUITES
from tests.expectations.rows import IDLE, MADE, MINUTE, NOW, START, frame, identifier

if TYPE_CHECKING:
    from expectations.verdict import Verdict

NAN, INF = math.nan, math.inf
SECOND = timedelta(seconds=1)

BAD_IDS = [
    ("bad_strategy_id", {"strategy_id": text})
    for text in ("", "0" * 15, "0" * 17, "G" * 16, "A" * 16, "0" * 16 + "\n", " " + "0" * 15)
]
BAD_NAMES = [("bad_name", {"symbol": "BTCUSDT"}), ("bad_name", {"venue": "../x"})]

BROKEN: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "strategies": [
        *BAD_IDS,
        ("empty_text", {"text": ""}),
        ("empty_text", {"text": " \n\t"}),
        ("empty_night", {"night": ""}),
        ("empty_night", {"night": " \t"}),
        ("unknown_timeframe", {"timeframe": "7m", "text": "long when close > 1\non 7m"}),
        ("unknown_side", {"side": "flat", "text": "exit when close > 1\non 15m"}),
        ("no_conditions", {"conditions": 0}),
        ("timeframe_mismatch", {"timeframe": "5m"}),
        ("timeframe_mismatch", {"text": "long when close > 2 on 15m"}),
        ("side_mismatch", {"side": "short"}),
        ("side_mismatch", {"side": "both"}),
        ("deleted_before_created", {"deleted_at": NOW - SECOND}),
        *(("missing_value", {name: None}) for name in ("strategy_id", "text", "created_at")),
    ],
    "backtests": [
        *BAD_IDS[:2],
        *BAD_NAMES,
        ("empty_night", {"night": ""}),
        ("window_reversed", {"start": NOW, "end": NOW}),
        ("window_reversed", {"end": START - SECOND}),
        ("lost_more_than_all", {"total_return": -1.001, "max_drawdown": 1.0}),
        ("lost_more_than_all", {"avg_trade": -1.001}),
        ("drawdown_out_of_bounds", {"max_drawdown": -0.001}),
        ("drawdown_out_of_bounds", {"max_drawdown": 1.001}),
        ("win_rate_out_of_bounds", {"win_rate": -0.001}),
        ("win_rate_out_of_bounds", {"win_rate": 1.001}),
        ("exposure_out_of_bounds", {"exposure": -0.001}),
        ("exposure_out_of_bounds", {"exposure": 1.001}),
        ("negative_profit_factor", {"profit_factor": -0.001}),
        ("negative_turnover", {"turnover": -0.001}),
        ("negative_trades", {"trades": -1, "ambiguous_trades": -1}),
        ("ambiguous_exceeds_trades", {"ambiguous_trades": 11}),
        ("active_without_trades", IDLE | {"total_return": 0.01}),
        ("active_without_trades", IDLE | {"exposure": 0.01}),
        ("not_finite", {"sharpe": NAN}),
        ("not_finite", {"sortino": INF}),
        ("not_finite", {"total_return": INF}),
        ("missing_value", {"sharpe": None}),
        ("missing_value", {"trades": None}),
    ],
    "trials": [
        *BAD_IDS[:2],
        *BAD_NAMES,
        ("empty_night", {"night": ""}),
        ("empty_text", {"text": ""}),
        ("empty_verdict", {"verdict": ""}),
        ("negative_trades", {"trades": -1}),
        ("no_days", {"daily_returns": []}),
        ("lost_more_than_all", {"daily_returns": [0.0, -1.001]}),
        ("not_a_day", {"first_day": START + MINUTE}),
        ("bad_parents", {"parents": [identifier(1), "x"]}),
        ("bad_parents", {"parents": [identifier(900)], "strategy_id": identifier(900)}),
        ("not_a_probability", {"deflated_sharpe": -0.001}),
        ("not_a_probability", {"deflated_sharpe": 1.001}),
        ("not_finite", {"daily_returns": [0.0, NAN]}),
        ("not_finite", {"daily_returns": [0.0, INF]}),
        ("not_finite", {"in_sample_sharpe": NAN}),
        ("missing_value", {"daily_returns": None}),
        ("missing_value", {"parents": None}),
        ("missing_value", {"seed": None}),
    ],
    "candidates": [
        *BAD_NAMES,
        ("bad_candidate_id", {"candidate_id": "A" * 16}),
        ("empty_night", {"night": ""}),
        ("empty_text", {"text": " "}),
        ("unknown_kind", {"kind": "basket"}),
        ("unknown_verdict", {"verdict": "lucky"}),
        ("bad_rank", {"rank": 0}),
        ("no_members", {"members": []}),
        ("bad_member", {"members": [f"{identifier(1)} BTC-USDT", identifier(2)]}),
        ("bad_member", {"members": [f"{identifier(1)} BTC-USDT "]}),
        ("bad_member", {"members": [None]}),
        ("negative_trades", {"trades": -1}),
        ("lost_more_than_all", {"total_return": -1.001}),
        ("lost_more_than_all", {"daily_returns": [-1.001]}),
        ("drawdown_out_of_bounds", {"max_drawdown": -0.001}),
        ("not_a_probability", {"p_value": -0.001}),
        ("not_a_probability", {"permutation_p": 1.001}),
        ("promoted_untested", {"verdict": "promoted", "p_value": None}),
        ("no_days", {"daily_returns": []}),
        ("not_a_day", {"first_day": START + MINUTE}),
        ("not_json", {"opinions": "{}"}),
        ("not_finite", {"score": NAN}),
        ("missing_value", {"members": None}),
        ("missing_value", {"score": None}),
    ],
    "nights": [
        ("bad_name", {"venue": "Sandbox"}),
        ("empty_night", {"night": ""}),
        ("finished_before_started", {"finished_at": NOW - SECOND}),
        ("no_days", {"days": 0}),
        ("negative_count", {"strategies": -1}),
        ("negative_count", {"trials": -1, "distinct_trials": -1, "survivors": -1, "promoted": -1}),
        ("negative_count", {"seed": -1}),
        ("more_survivors_than_trials", {"survivors": 501}),
        ("more_promoted_than_survivors", {"promoted": 4}),
        ("more_strategies_than_trials", {"distinct_trials": 501}),
        ("negative_count", {"worlds": -1}),
        ("not_a_probability", {"alpha": 1.001}),
        ("not_a_probability", {"p_value": -0.001}),
        ("not_a_hash", {"ledger": "0" * 63}),
        ("not_finite", {"null_scores": [1.0, INF]}),
        ("not_json", {"manifest": ""}),
        ("not_json", {"timings": "[]"}),
        ("not_finite", {"luck_hurdle": NAN}),
        ("missing_value", {"manifest": None}),
    ],
    "promotions": [
        *BAD_IDS[:2],
        *BAD_NAMES,
        ("empty_night", {"night": ""}),
        ("empty_text", {"text": ""}),
        ("empty_status", {"status": " "}),
        ("not_a_probability", {"deflated_sharpe": 1.001}),
        ("not_a_probability", {"permutation_p": -0.001}),
        ("unknown_kind", {"kind": ""}),
        ("no_members", {"members": []}),
        ("bad_member", {"members": ["BTC-USDT"]}),
        ("not_a_hash", {"rule_hash": "G" * 64}),
        ("not_json", {"plan": "[]"}),
        ("not_finite", {"sharpe": NAN}),
        ("missing_value", {"sharpe": None}),
    ],
    "paper": [
        *BAD_IDS[:2],
        *BAD_NAMES,
        ("empty_night", {"night": ""}),
        ("empty_night", {"paper_night": " "}),
        ("unknown_cohort", {"cohort": "lucky"}),
        ("unknown_status", {"status": "paper"}),
        ("not_a_day", {"day": START + MINUTE}),
        ("in_future", {"day": NOW}),
        ("lost_more_than_all", {"return": -1.001}),
        ("negative_equity", {"equity": -0.001}),
        ("in_future", {"day": NOW + 86_400 * SECOND, "plan": "{}"}),
        ("negative_bars", {"bars": -1}),
        ("not_json", {"plan": "[]"}),
        ("not_finite", {"return": NAN}),
        ("missing_value", {"status": None}),
    ],
}

SOUND: dict[str, list[dict[str, Any]]] = {
    "strategies": [
        {"deleted_at": NOW},
        {"side": "both", "text": "long when close > 1\nshort when close > 2\non 15m"},
        {
            "side": "short",
            "text": "short when close > 1\nexit when close > 9\non 1d",
            "timeframe": "1d",
        },
        {"strategy_id": "0123456789abcdef"},
    ],
    "backtests": [
        IDLE,
        {"total_return": -1.0, "max_drawdown": 1.0, "avg_trade": -1.0},
        {"max_drawdown": 0.0, "win_rate": 1.0, "exposure": 1.0, "ambiguous_trades": 10},
        {"win_rate": 0.0, "exposure": 0.0, "ambiguous_trades": 0, "profit_factor": 0.0},
        {"sortino": None, "profit_factor": None},
        {"start": NOW - SECOND},
    ],
    "trials": [
        {"daily_returns": [-1.0]},
        {"parents": [identifier(1), identifier(2)]},
        {"deflated_sharpe": 0.0},
        {"deflated_sharpe": 1.0},
        {"deflated_sharpe": None, "in_sample_sharpe": None, "out_of_sample_sharpe": None},
        {"trades": None, "score": None, "sharpe": None},
        {"symbol": "*"},
    ],
    "candidates": [
        {"verdict": "promoted", "p_value": 1.0},
        {"p_value": None, "permutation_p": None},
        {
            "kind": "portfolio",
            "symbol": "*",
            "members": [f"{identifier(1)} BTC-USDT", f"{identifier(2)} *"],
        },
        {"opinions": '[{"name": "spa", "p": 0.01}]'},
    ],
    "nights": [
        {"finished_at": NOW, "days": 1, "seed": 0},
        {
            **dict.fromkeys(("strategies", "trials", "distinct_trials"), 0),
            **dict.fromkeys(("survivors", "promoted"), 0),
            "symbols": [],
        },
        {"survivors": 500, "promoted": 500},
        {"luck_hurdle": None, "best_sharpe": None, "report": None},
        dict.fromkeys(NIGHTS.since),
    ],
    "promotions": [
        {"deflated_sharpe": 0.0},
        {"deflated_sharpe": 1.0},
        {"deflated_sharpe": None, "out_of_sample_sharpe": None, "luck_hurdle": None},
        dict.fromkeys(PROMOTIONS.since),
    ],
    "paper": [
        {"day": NOW - 86_400 * SECOND},
        {"return": -1.0, "equity": 0.0, "status": "killed", "bars": 0},
        {"day": NOW, "plan": "{}"},
        {"symbol": "*", "cohort": "random"},
    ],
}

CASES = [(dataset, at) for dataset, broken in BROKEN.items() for at in range(len(broken))]


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    """Judge both lists of each dataset in one batch, among enough others that it passes."""
    found = {}
    for name, (dataset, make) in MADE.items():
        if name in BROKEN:
            rows = [make(number) for number in range(10 * len(BROKEN[name]))]
            rows += [
                make(700 + at) | {"source": f"sound {at}"} | change
                for at, change in enumerate(SOUND[name])
            ]
            rows += [
                make(800 + at) | {"source": f"broken {at}"} | change
                for at, (_, change) in enumerate(BROKEN[name])
            ]
            found[name] = gate(name, frame(dataset, rows), now=NOW)
    return found


@pytest.mark.parametrize(("dataset", "at"), CASES)
def test_a_row_that_breaks_one_rule_is_quarantined_for_it_alone(
    verdicts: dict[str, Verdict], dataset: str, at: int
) -> None:
    found = dict(verdicts[dataset].quarantined.select("source", "reasons").iter_rows())
    assert found[f"broken {at}"] == [BROKEN[dataset][at][0]]


@pytest.mark.parametrize("dataset", SOUND)
def test_rows_at_the_edges_of_the_rules_are_accepted(
    verdicts: dict[str, Verdict], dataset: str
) -> None:
    accepted = set(verdicts[dataset].accepted["source"])
    assert {f"sound {at}" for at in range(len(SOUND[dataset]))} <= accepted
    assert verdicts[dataset].warnings == {}


@pytest.mark.parametrize("dataset", BROKEN)
def test_every_rule_of_one_row_has_a_row_that_breaks_it(dataset: str) -> None:
    critical = {
        rule.code
        for rule in SUITES[dataset].all_rules
        if rule.severity == "critical" and not rule.beside
    }
    assert critical == {code for code, _ in BROKEN[dataset]}


@pytest.mark.parametrize("dataset", BROKEN)
def test_the_first_row_of_a_key_is_kept(dataset: str) -> None:
    declared, make = MADE[dataset]
    rows = [make(number) for number in range(20)] + [make(3) | {"source": "again"}]
    found = gate(dataset, frame(declared, rows), now=NOW)
    assert found.quarantined["source"].to_list() == ["again"]
    assert found.reasons == {"duplicate": 1}


def test_one_text_under_two_ids_is_quarantined() -> None:
    declared, make = MADE["strategies"]
    rows = [make(number) for number in range(20)] + [make(3) | {"strategy_id": identifier(99)}]
    found = gate("strategies", frame(declared, rows), now=NOW)
    assert found.quarantined["strategy_id"].to_list() == [identifier(99)]
    assert found.reasons == {"duplicate_text": 1}


WARNED = [
    ("backtests", "implausible_sharpe", {"sharpe": 100.0}),
    ("backtests", "implausible_return", {"total_return": 10_001.0}),
    ("backtests", "drawdown_below_loss", {"total_return": -0.5, "max_drawdown": 0.4}),
    ("trials", "implausible_sharpe", {"in_sample_sharpe": -100.0}),
    ("candidates", "implausible_sharpe", {"score": 100.0}),
    ("nights", "implausible_sharpe", {"best_sharpe": 100.0}),
    ("promotions", "implausible_sharpe", {"out_of_sample_sharpe": 1e9}),
    ("promotions", "below_luck_hurdle", {"sharpe": 5.999}),
]


@pytest.mark.parametrize(("dataset", "code", "change"), WARNED)
def test_what_is_only_odd_is_a_warning(dataset: str, code: str, change: dict[str, Any]) -> None:
    declared, make = MADE[dataset]
    found = gate(dataset, frame(declared, [make(0) | change]), now=NOW)
    assert found.passed
    assert found.accepted.height == 1
    assert found.warnings == {code: 1}


def test_every_warning_has_a_row_that_earns_it() -> None:
    expected = {
        (name, rule.code)
        for name, suite in SUITES.items()
        for rule in suite.all_rules
        if rule.severity == "warning" and name in BROKEN
    }
    assert expected == {(dataset, code) for dataset, code, _ in WARNED}
