"""Verdicts: each check refuses what it should, in the order that keeps the holdout honest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from research.metrics import sharpe
from research.statistics import deflated_sharpe, luck_hurdle, moments
from research.vetting import SCHEMA, VERDICTS, held_out_days, vet

RULES: dict[str, Any] = {
    "trials": 500,
    "holdout": 1 / 3,
    "min_trades": 30,
    "min_deflated_sharpe": 0.95,
}


def wave(mean: float, days: int, size: float = 0.01) -> np.ndarray:
    """Return returns that swing around `mean`."""
    return mean + size * np.where(np.arange(days) % 2 == 0, 1.0, -1.0)


def parts(inside: float, outside: float) -> np.ndarray:
    """Return 60 days of one mean and 30 of another."""
    return np.concatenate((wave(inside, 60), wave(outside, 30)))


GOOD = parts(0.006, 0.006)
TRIALS = {
    ("good", "A-B"): (GOOD, 40),
    ("rare", "A-B"): (GOOD, 29),
    ("late", "A-B"): (parts(-0.001, 0.03), 40),
    ("luck", "A-B"): (parts(0.002, 0.002), 40),
    ("once", "A-B"): (parts(0.012, -0.0001), 40),
}


def verdicts(given: dict[tuple[str, str], tuple[np.ndarray, int]], **rules: Any) -> dict[str, str]:
    returns = {name: series for name, (series, _) in given.items()}
    trades = {name: count for name, (_, count) in given.items()}
    frame = vet(returns, trades, **(RULES | rules)).frame
    return dict(frame.select("strategy_id", "verdict").iter_rows())


def test_each_check_gives_the_verdict_named_after_it() -> None:
    assert verdicts(TRIALS) == {
        "good": "survivor",
        "rare": "too_few_trades",
        "late": "fails_in_sample",
        "luck": "not_above_luck",
        "once": "fails_out_of_sample",
    }


def test_a_good_holdout_cannot_save_a_strategy() -> None:
    # Its Sharpe ratio over the whole window is far above luck, all of it from the holdout.
    late = TRIALS["late", "A-B"][0]
    assert sharpe(late) > luck_hurdle(500, 90)
    assert deflated_sharpe(moments(late), 500) > 0.95
    assert verdicts({("late", "A-B"): (late, 40)})["late"] == "fails_in_sample"


def test_only_the_sign_of_the_holdout_decides() -> None:
    barely = parts(0.012, 0.0001)
    assert verdicts({("x", "A-B"): (barely, 40)})["x"] == "survivor"


def test_scores_are_those_of_the_parts_and_of_the_whole() -> None:
    series = np.random.default_rng(2).normal(0.002, 0.01, 90)
    vetting = vet({("x", "A-B"): series}, {("x", "A-B"): 40}, **RULES)
    (row,) = vetting.frame.iter_rows(named=True)
    assert row["in_sample_sharpe"] == sharpe(series[:60])
    assert row["out_of_sample_sharpe"] == sharpe(series[60:])
    assert row["deflated_sharpe"] == deflated_sharpe(moments(series), 500)
    assert vetting.frame.schema == SCHEMA


def test_the_hurdle_counts_every_trial_and_every_day() -> None:
    vetting = vet({("x", "A-B"): GOOD}, {("x", "A-B"): 40}, **RULES)
    assert (vetting.trials, vetting.days) == (500, 90)
    assert vetting.luck_hurdle == luck_hurdle(500, 90) == pytest.approx(6.147, abs=1e-3)


def test_more_trials_make_the_same_strategy_luck() -> None:
    one = {("x", "A-B"): (parts(0.0035, 0.0035), 40)}
    assert verdicts(one, trials=10)["x"] == "survivor"
    assert verdicts(one, trials=10_000)["x"] == "not_above_luck"


def test_counts_name_every_verdict_and_rows_are_sorted() -> None:
    returns = {name: series for name, (series, _) in TRIALS.items()}
    trades = {name: count for name, (_, count) in TRIALS.items()}
    vetting = vet(dict(reversed(returns.items())), trades, **RULES)
    assert tuple(vetting.counts) == VERDICTS
    assert vetting.counts == {verdict: int(verdict != "too_few_days") for verdict in VERDICTS}
    assert vetting.frame["strategy_id"].is_sorted()
    assert vetting.survivors["strategy_id"].to_list() == ["good"]


def test_a_short_series_is_held_out_over_the_same_last_days() -> None:
    # Of 90 days the last 30 are held out, so 40 days leave 10 to be judged by.
    short = np.concatenate((wave(-0.01, 10), wave(0.02, 30)))
    both = {("long", "A-B"): (GOOD, 40), ("short", "C-B"): (short, 40)}
    assert verdicts(both)["short"] == "fails_in_sample"
    alone = vet({("short", "C-B"): short}, {("short", "C-B"): 40}, **RULES)
    assert alone.frame["in_sample_sharpe"][0] > 0


@pytest.mark.parametrize("days", [1, 2, 3, 31])
def test_too_few_days_have_no_scores(days: int) -> None:
    trials = {("short", "A-B"): GOOD[:days], ("long", "A-B"): GOOD}
    vetting = vet(trials, dict.fromkeys(trials, 40), **RULES)
    row = vetting.frame.row(1, named=True)
    assert row["verdict"] == "too_few_days"
    assert row["in_sample_sharpe"] is row["out_of_sample_sharpe"] is row["deflated_sharpe"] is None


def test_no_trials_make_an_empty_vetting() -> None:
    nothing = vet({}, {}, **RULES)
    assert nothing.frame.height == nothing.days == nothing.luck_hurdle == 0


def test_a_strategy_that_never_traded_fails_without_a_warning() -> None:
    assert verdicts({("x", "A-B"): (np.zeros(90), 0)})["x"] == "too_few_trades"
    assert verdicts({("x", "A-B"): (np.zeros(90), 99)})["x"] == "fails_in_sample"


@pytest.mark.parametrize(
    ("days", "share", "expected"), [(90, 1 / 3, 30), (5, 0.5, 3), (9, 0.01, 1)]
)
def test_the_holdout_is_a_rounded_share_of_the_days(days: int, share: float, expected: int) -> None:
    assert held_out_days(days, share) == expected


def test_useless_strategies_survive_on_almost_no_night() -> None:
    rng = np.random.default_rng(7)
    nights = 20
    survivors = 0
    for _ in range(nights):
        drawn = rng.standard_t(5, (500, 90)) * 0.01
        returns = {(str(i), "A-B"): series for i, series in enumerate(drawn)}
        survivors += vet(returns, dict.fromkeys(returns, 40), **RULES).counts["survivor"]
        best = max(sharpe(series) for series in drawn)
        assert best == pytest.approx(luck_hurdle(500, 90), abs=3)
    assert survivors == 0


def test_a_strong_edge_among_many_useless_strategies_survives_alone() -> None:
    rng = np.random.default_rng(8)
    drawn = rng.normal(0, 0.01, (500, 90))
    drawn[123] += 14 / math.sqrt(365) * 0.01
    returns = {(f"{i:03}", "A-B"): series for i, series in enumerate(drawn)}
    vetting = vet(returns, dict.fromkeys(returns, 40), **RULES)
    assert vetting.survivors["strategy_id"].to_list() == ["123"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"holdout": 0.0}, "holdout between 0 and 1"),
        ({"holdout": 1.0}, "holdout between 0 and 1"),
        ({"trials": 0}, "trials to count every one of 1, was 0"),
        ({"trades": {}}, "same trials"),
        ({"trades": {("x", "A-B"): 1, ("y", "A-B"): 1}}, r"was \('y', 'A-B'\) in one"),
        ({"daily_returns": {("x", "A-B"): np.array([0.1, np.nan])}}, "finite"),
    ],
)
def test_what_cannot_be_vetted_is_refused(changed: dict[str, Any], message: str) -> None:
    trial = ("x", "A-B")
    arguments = RULES | {"daily_returns": {trial: GOOD}, "trades": {trial: 40}} | changed
    with pytest.raises(InvalidInput, match=message):
        vet(**arguments)
