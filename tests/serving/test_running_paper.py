from __future__ import annotations

import polars as pl

from serving.running import COHORT, RUN, scorecard, standings


def run(status: str | None, number: int = 0) -> tuple[object, ...]:
    return ("2026-05-01", f"{number:016x}", "BTC-USDT", 12, 1.02, status)


def test_promotions_are_counted_by_how_they_stand() -> None:
    rows = [run("running"), run("killed", 1), run("running", 2), run(None, 3)]
    frame = pl.DataFrame(rows, schema=dict(RUN), orient="row")
    assert standings(frame) == "4 promotions: 1 killed, 2 running, 1 unknown"
    assert standings(frame.clear()) == ""


def test_the_promoted_stand_first_on_the_scorecard() -> None:
    rows = [
        ("random", 20, 560, -0.0011, -1.8),
        ("something", 1, 1, None, None),
        ("rejected", 20, 560, -0.0004, -0.6),
        ("promoted", 1, 28, 0.0021, 3.2),
    ]
    found = scorecard(pl.DataFrame(rows, schema=dict(COHORT), orient="row"))
    assert [one.name for one in found] == ["promoted", "rejected", "random", "something"]
    assert (found[0].candidates, found[0].days) == ("1 candidate", "28 days")
    assert (found[0].mean_day, found[0].sharpe) == ("+0.210 %", "3.20")
    assert (found[-1].what, found[-1].sharpe) == ("something", "–")
