from __future__ import annotations

from serving.checks import CHECKS, ENDINGS, check, ending, in_order, nearness
from tasks import ledger, weigh


def test_every_verdict_of_the_night_has_its_words() -> None:
    given = {
        *(weigh.PROMOTED, weigh.NOT_CHOSEN, weigh.HELD_BACK),
        *(weigh.NOT_ABOVE_LUCK, weigh.PERMUTATION_EXPLAINS),
    }
    assert given == set(CHECKS)
    assert {ledger.DISCARDED, ledger.NOT_PROVEN, ledger.BEHIND, ledger.ELSEWHERE} == set(ENDINGS)


def test_an_unknown_verdict_speaks_for_itself() -> None:
    assert check("crowded_trade").label == ending("crowded_trade") == "crowded trade"
    assert "crowded trade" in check("crowded_trade").why
    assert check(None).label == check("").label == ending(None) == "no verdict"


def test_trials_are_counted_from_the_first_look_to_promotion() -> None:
    verdicts = ["promoted", "not_above_luck", "z", "not_proven", "a", "held_back"]
    assert in_order(verdicts) == [
        *("a", "z", "not_proven", "not_above_luck", "held_back", "promoted")
    ]


def test_the_nearest_to_a_promotion_is_what_got_furthest() -> None:
    order = ["promoted", "not_chosen", "held_back", "permutation_explains", "not_above_luck"]
    assert [nearness(verdict) for verdict in order] == [0, 1, 2, 3, 4]
    assert nearness("z") == nearness(None) > nearness("not_above_luck")
