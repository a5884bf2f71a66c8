from __future__ import annotations

from serving.checks import check, in_order, rank


def test_an_unknown_verdict_speaks_for_itself() -> None:
    assert check("crowded_trade").label == "crowded trade"
    assert "crowded trade" in check("crowded_trade").why
    assert check(None).label == check("").label == "no verdict"


def test_unknown_verdicts_come_first() -> None:
    assert in_order(["not_above_luck", "z", "too_few_days", "a"]) == [
        "a",
        "z",
        "too_few_days",
        "not_above_luck",
    ]
    assert rank("z") < rank("too_few_days") < rank("survivor")
