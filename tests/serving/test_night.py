from __future__ import annotations

import math
from dataclasses import make_dataclass
from typing import Any

import polars as pl
import pytest

from core.errors import ContractBroken
from serving.night import (
    best,
    change,
    cost,
    curve,
    funnel,
    headline,
    meaning,
    misses,
    nearest,
    scores,
    silent,
    summary,
    winners,
)
from tests.serving.nights import frame, night, result


def won(number: int, **changes: Any) -> dict[str, Any]:
    return result(
        number, **({"verdict": "promoted", "sharpe": 7.5, "deflated_sharpe": 0.97} | changes)
    )


def test_no_promotion_is_said_plainly() -> None:
    report = night([result(n, sharpe=5.1 - n) for n in range(3)], trials=3_000)
    assert headline(report) == (
        "Nothing promoted. The best of 3,000 trials reached Sharpe 5.1; "
        "luck alone was expected to reach 6.2."
    )


def test_no_promotion_reads_as_a_good_outcome() -> None:
    assert meaning(night()).startswith("That is a normal, good outcome.")
    assert "normal" not in meaning(night([won(0)]))


def test_one_promotion_is_singular() -> None:
    report = night([won(0), result(1)], trials=3_000)
    assert headline(report) == (
        "1 strategy promoted on BTC-USDT. It reached Sharpe 7.5; "
        "luck alone was expected to reach 6.2 in 3,000 trials."
    )


def test_several_promotions_are_plural() -> None:
    report = night([won(0), won(1, sharpe=8.25), result(2)])
    assert headline(report).startswith("2 strategies promoted. The best reached Sharpe 8.2; ")


def test_one_strategy_on_two_markets_is_one_strategy() -> None:
    report = night([won(0), won(0, symbol="ETH-USDT")])
    assert headline(report).startswith("1 strategy promoted on 2 markets. The best reached")


def test_a_best_beyond_luck_that_failed_says_what_it_failed() -> None:
    report = night([result(0, sharpe=7.0, verdict="fails_out_of_sample")], trials=10)
    assert headline(report) == (
        "Nothing promoted. The best of 10 trials reached Sharpe 7.0, where luck alone was "
        "expected to reach 6.2, but it gained nothing in the holdout, the last days of the window."
    )


def test_a_best_just_below_the_hurdle_is_told_apart_from_it() -> None:
    report = night([result(0, sharpe=6.17)])
    assert "reached Sharpe 6.17; luck alone was expected to reach 6.20." in headline(report)


def test_a_single_trial_is_the_only_one() -> None:
    assert "The only trial reached Sharpe 1.5" in headline(night([result(0)]))


@pytest.mark.parametrize("sharpe", [None, math.nan, math.inf, -math.inf])
def test_a_sharpe_that_is_no_number_is_not_the_best(sharpe: float | None) -> None:
    report = night([result(0, sharpe=sharpe), result(1, sharpe=0.5)])
    assert scores(report).tolist() == [0.5]
    assert silent(report) == 1
    found = best(report)
    assert found is not None
    assert found["sharpe"] == 0.5


def test_nights_without_trades_or_trials_have_a_headline() -> None:
    still = [result(0, trades=0), result(1, trades=0)]
    assert headline(night(still)) == "Nothing promoted. None of 2 trials traded."
    assert headline(night(still[:1])) == "Nothing promoted. The only trial never traded."
    assert headline(night([])) == "Nothing promoted. No strategy was tried."


def test_the_summary_counts_what_was_done() -> None:
    rows = [result(n, symbol=symbol) for n in range(3) for symbol in ("BTC-USDT", "ETH-USDT")]
    assert summary(night(rows)) == (
        "3 strategies × 2 symbols (BTC-USDT and ETH-USDT) were traded over the 90 days of "
        "binance before 2026-06-01 03:00 UTC: 6 trials, each paying 10 bps of fee per side, "
        "5 bps of slippage per side and 1 bps of funding per 8 h held short."
    )


def test_costs_may_be_a_mapping_or_an_object() -> None:
    costs = make_dataclass("Costs", ["fee_bps", "slippage_bps"])(7, 2.5)
    assert cost(night(costs=costs), "fee_bps") == 7.0
    assert cost(night(costs=costs), "funding_bps") is None
    assert cost(night(costs={"fee_bps": 3}), "fee_bps") == 3.0
    assert "7 bps of fee per side and 2.50 bps of slippage" in summary(night(costs=costs))


def test_the_funnel_follows_the_order_of_the_checks() -> None:
    ended = ["not_above_luck", "too_few_trades", "too_few_trades", "promoted", "a_new_check", None]
    steps = funnel(night([result(n, verdict=verdict) for n, verdict in enumerate(ended)]))
    assert [(step.verdict, step.failed, step.left) for step in steps] == [
        ("", 1, 5),
        ("a_new_check", 1, 4),
        ("too_few_trades", 2, 2),
        ("not_above_luck", 1, 1),
    ]
    assert steps[1].label == "a new check"


def test_the_funnel_ends_with_the_promoted_whatever_their_verdict() -> None:
    results = frame([result(0, verdict="survivor"), result(1, verdict="too_few_trades")])
    steps = funnel(night(results.to_dicts(), promoted=results.head(1)))
    assert [step.verdict for step in steps] == ["too_few_trades"]
    assert steps[-1].left == 1


def test_the_nearest_misses_met_the_most_checks() -> None:
    rows = [
        result(0, verdict="too_few_trades", deflated_sharpe=0.99, sharpe=9.0),
        result(1, verdict="not_above_luck", deflated_sharpe=0.5),
        result(2, verdict="not_above_luck", deflated_sharpe=0.8),
        result(3, verdict="fails_out_of_sample", deflated_sharpe=0.96),
        result(4, verdict="not_above_luck", deflated_sharpe=math.nan),
        result(5, verdict="not_above_luck", trades=0, deflated_sharpe=0.9),
        won(6),
    ]
    assert misses(night(rows), 4)["strategy_id"].to_list() == [f"{n:016x}" for n in (3, 2, 1, 4)]
    assert misses(night(rows), 9).height == 5
    assert nearest(frame(rows), 1)["strategy_id"].to_list() == [f"{3:016x}"]


def test_winners_are_ranked_by_how_little_luck_explains_them() -> None:
    report = night([won(0, deflated_sharpe=0.96), won(1, deflated_sharpe=0.99), won(2)])
    assert winners(report)["deflated_sharpe"].to_list() == [0.99, 0.97, 0.96]


def test_a_curve_is_in_order_and_without_days_that_have_no_number() -> None:
    rows = pl.DataFrame(
        {"day": [3, 1, 2], "equity": [1.3, 1.1, math.nan]},
        schema={"day": pl.Int32, "equity": pl.Float64},
    ).with_columns(pl.col("day").cast(pl.Date))
    line = curve(rows)
    assert line.values == [1.1, 1.3]
    assert change(line) == pytest.approx(0.3)
    assert change(curve(rows.clear())) is None


def test_a_frame_that_lacks_a_column_is_refused() -> None:
    with pytest.raises(ContractBroken, match=r"report's results.*verdict"):
        night(results=frame([result(0)]).drop("verdict"))


def test_a_frame_of_the_wrong_type_is_refused() -> None:
    wrong = frame([result(0)]).with_columns(sharpe=pl.lit("much"))
    with pytest.raises(ContractBroken, match="report's results"):
        night(results=wrong)


def test_a_frame_without_columns_stands_for_no_rows() -> None:
    report = night(promoted=pl.DataFrame(), equity=pl.DataFrame(), gates=pl.DataFrame())
    assert report.promoted.columns == report.results.columns
    assert report.gates.is_empty()


def test_what_the_search_dropped_is_charged_and_said() -> None:
    rows = [result(number) for number in range(3)]
    assert "dropped" not in summary(night(rows, trials=3))
    said = summary(night(rows, trials=1_237))
    assert "scored and dropped 1,234 more" in said
    assert "charged for all 1,237" in said
