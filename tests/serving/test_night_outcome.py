from __future__ import annotations

import json
from typing import Any

import pytest

from serving.outcome import alarm, headline, meaning, summary
from tests.serving.nights import OBJECTION, OPINIONS, candidate, luck, night, won


def worlds(good: int, bad: int, **changes: Any) -> Any:
    """Return worlds of which some did as well as a score of 6, and some did not."""
    return luck(mirrored=[7.0] * good + [5.0] * bad, **changes)


def test_no_promotion_is_said_with_how_often_luck_did_as_well() -> None:
    report = night([candidate(0, score=6.0, p_value=11 / 24)], luck=worlds(10, 13))
    assert headline(report) == (
        "Nothing promoted: luck alone did as well as tonight’s best in 10 of 23 worlds (p = 0.46)."
    )


def test_no_promotion_reads_as_a_normal_night() -> None:
    assert meaning(night()).startswith("That is a normal night.")
    assert "normal" not in meaning(night([won(0)]))


def test_promotions_are_counted_among_the_candidates() -> None:
    report = night([won(0, score=6.0, p_value=0.002), won(1), candidate(2)], luck=worlds(0, 499))
    assert headline(report) == (
        "Promoted 2 of 3 candidates. Luck alone did as well as tonight’s best in 0 of 499 worlds "
        "(p = 0.002)."
    )
    one = night([won(0)], luck=worlds(0, 1))
    assert headline(one).startswith("Promoted 1 of 1 candidate. Luck alone")
    assert "in 0 of 1 world (p" in headline(one)


PLATEAU = OBJECTION | {"name": "plateau"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"verdict": "permutation_explains", "permutation_p": 0.3},
            "beats mirrored luck (p = 0.002), but not worlds that keep the trend (p = 0.30)",
        ),
        (
            {"verdict": "held_back", "opinions": json.dumps([PLATEAU])},
            "is above luck (p = 0.002), but the second opinion “plateau” objects",
        ),
        (
            {"verdict": "held_back", "opinions": json.dumps([PLATEAU, *OPINIONS, PLATEAU])},
            "is above luck (p = 0.002), but the second opinions “plateau” and “plateau” object",
        ),
        ({"verdict": "held_back"}, "is above luck (p = 0.002), but it was held back"),
        (
            {"verdict": "not_chosen"},
            "is above luck (p = 0.002), but no more promotions were allowed",
        ),
    ],
)
def test_a_best_that_was_stopped_later_says_by_what(changes: dict[str, Any], said: str) -> None:
    report = night([candidate(0, p_value=0.002, **changes)])
    assert headline(report) == f"Nothing promoted: tonight’s best {said}."


def test_a_verdict_that_is_not_known_speaks_for_itself() -> None:
    report = night([candidate(0, verdict="something_new")])
    assert headline(report) == "Nothing promoted: its verdict is “something new”."


def test_nights_without_candidates_or_trials_have_a_headline() -> None:
    none = luck(mirrored=[])
    assert headline(night([], luck=none, trials=3_000)) == (
        "Nothing promoted: none of 3,000 trials traded often enough to be a candidate."
    )
    assert headline(night([], luck=none, trials=1)) == (
        "Nothing promoted: the only trial did not trade often enough to be a candidate."
    )
    assert headline(night([], luck=none, trials=0)) == "Nothing promoted: no strategy was tried."


def test_an_alarm_is_over_everything() -> None:
    rows = [won(0, verdict="held_back"), candidate(1)]
    report = night(rows, luck=luck(alarm=3.44))
    assert headline(report).startswith("Nothing promoted: luck does 3.4 × as well as it can")
    assert "Worlds without an edge look 3.4 × as good as luck allows" in str(alarm(report))
    assert "not to be used" in meaning(report)
    assert alarm(night()) is None


def test_the_summary_counts_what_was_done() -> None:
    rows = [candidate(0), candidate(1, symbol="ETH-USDT", members=["1 ETH-USDT"])]
    report = night(rows, luck=luck(mirrored=[1.0] * 23, permuted=[1.0]), trials=12_345)
    assert summary(report) == (
        "500 strategies were bred on 2 symbols (BTC-USDT and ETH-USDT) over the 90 days of binance "
        "before 2026-06-01 03:00 UTC: 12,345 trials, each paying 10 bps of fee per side, 5 bps of "
        "slippage per side and 1 bps of funding per 8 h held short. 2 candidates came out. The same"
        " search then ran in 23 mirrored worlds and 1 permuted world without an edge."
    )
    assert summary(night([], luck=luck(mirrored=[]))).endswith("0 candidates came out.")


def test_what_is_left_of_a_winner_is_said_at_once() -> None:
    said = meaning(night([won(0, score=9.12, shrunk=5.18)], luck=luck(mirrored=[5.0])))
    assert said.endswith("Of the best score, 9.1, 4.1 to 5.2 should be left.")
    assert meaning(night([won(0, shrunk=None)])).endswith("in which it was found.")
