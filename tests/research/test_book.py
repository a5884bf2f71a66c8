from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from core.datasets import PAPER
from research.book import COHORTS, Book, book_of
from research.metrics import sharpe
from research.paper import KILLED, RUNNING, Frozen, standings
from research.statistics.sharpe import moments, psr
from tests.research.test_paper import ONE, TWO, plan

OPENING = datetime(2026, 3, 10, tzinfo=UTC)


def followed(
    returns: list[float],
    *,
    cohort: str = "promoted",
    night: str = "2026-03-10T0300-aaaa",
    frozen: Frozen | None = None,
    symbol: str = "A-X",
) -> pl.DataFrame:
    """Return the rows of one candidate: its opening, then its days."""
    what = frozen or Frozen(plan(), ONE.text, (f"{ONE.id} A-X",))
    name: dict[str, Any] = {
        "night": night,
        "strategy_id": what.members[0].split(" ")[0],
        "venue": "sandbox",
        "symbol": symbol,
        "cohort": cohort,
        "paper_night": night,
        "source": "test",
        "ingested_at": OPENING,
    }
    opening = {"return": 0.0, "equity": 1.0, "bars": 0, "status": RUNNING}
    rows = [name | opening | {"day": OPENING, "plan": msgspec.json.encode(what).decode()}]
    statuses = standings(what.plan, np.array(returns))
    equity = np.cumprod(1 + np.array(returns))
    rows += [
        name
        | {"return": value, "equity": equity[at], "bars": 1_440, "status": statuses[at]}
        | {"day": OPENING + timedelta(days=at + 1), "plan": None}
        for at, value in enumerate(returns)
    ]
    return pl.DataFrame(rows, schema=PAPER.schema)


def book(*parts: pl.DataFrame) -> Book:
    return book_of(pl.concat([PAPER.empty(), *parts]).sample(fraction=1, shuffle=True, seed=1))


def test_an_empty_book_has_three_empty_cohorts() -> None:
    found = book()
    assert found.standings == ()
    assert [(one.cohort, one.candidates, one.days) for one in found.scorecard] == [
        (cohort, 0, 0) for cohort in COHORTS
    ]
    assert [edge.sure for edge in found.edges] == [None] * 3


def test_a_promotion_stands_beside_its_forecast_and_its_kill_line() -> None:
    (one,) = book(followed([0.01, -0.02, 0.03])).standings
    assert (one.strategy_id, one.symbol, one.kind, one.text) == (ONE.id, "A-X", "rule", ONE.text)
    assert (one.status, one.days, one.horizon_days, one.ended) == (RUNNING, 3, 20, None)
    assert one.opened == (OPENING + timedelta(days=1)).date()
    assert one.curve == pytest.approx((0.01, -0.01, 0.02))
    assert one.earned == one.curve[-1]
    assert one.forecasts == tuple(plan().forecast(20))
    assert one.kill_lines == tuple(plan().kill_line(20))
    assert (one.forecast, one.kill_line) == (one.forecasts[2], one.kill_lines[2])


def test_a_promotion_of_tonight_has_no_days_yet() -> None:
    (one,) = book(followed([])).standings
    assert (one.days, one.earned, one.forecast, one.status) == (0, 0.0, 0.0, RUNNING)


def test_a_killed_promotion_shows_what_it_had_then_and_counts_on_in_the_scorecard() -> None:
    found = book(followed([-0.03, -0.03, 0.5]))
    (one,) = found.standings
    assert (one.status, one.days, one.earned) == (KILLED, 2, pytest.approx(-0.06))
    assert one.ended == (OPENING + timedelta(days=2)).date()
    assert (found.scorecard[0].killed, found.scorecard[0].days) == (1, 3)
    assert found.scorecard[0].daily == pytest.approx(0.44 / 3)


def test_kinds_are_told_apart() -> None:
    pooled = Frozen(plan(), ONE.text, (f"{ONE.id} *",))
    both = Frozen(plan(), f"[A-X]\n{ONE.text}\n\n[*]\n{TWO.text}", (f"{TWO.id} A-X", f"{ONE.id} *"))
    found = book(
        followed([], frozen=pooled, symbol="*", night="2026-03-12T0300-aaaa"),
        followed([], frozen=both, symbol="*", night="2026-03-11T0300-aaaa"),
        followed([]),
    )
    assert [one.kind for one in found.standings] == ["pooled", "portfolio", "rule"]


def test_a_cohort_is_held_in_equal_stakes_and_openings_do_not_count() -> None:
    first = followed([0.01, 0.03, 0.02], cohort="random")
    second = followed([0.03, 0.01], cohort="random", night="2026-03-10T0300-bbbb")
    (one,) = (one for one in book(first, second).scorecard if one.cohort == "random")
    assert (one.candidates, one.days, one.running) == (2, 3, 2)
    assert one.daily == pytest.approx(0.02)
    assert one.expected == plan().forecast_mean
    assert one.sharpe == pytest.approx(sharpe(np.array([0.02, 0.02, 0.02])))


def test_an_edge_is_that_of_the_days_that_both_traded() -> None:
    rng = np.random.default_rng(4)
    good, bad = rng.normal(0.01, 0.01, 15), rng.normal(0.0, 0.01, 12)
    found = book(
        followed(good.tolist()),
        followed(bad.tolist(), cohort="rejected"),
        followed(bad.tolist(), cohort="random", night="2026-03-10T0300-bbbb"),
    )
    edges = {(edge.better, edge.than): edge for edge in found.edges}
    ahead = good[:12] - bad
    one = edges["promoted", "rejected"]
    assert (one.days, one.daily) == (12, pytest.approx(ahead.mean()))
    assert one.sure == pytest.approx(psr(moments(ahead)))
    assert one.sure > 0.9
    same = edges["rejected", "random"]
    assert (same.daily, same.sure) == (0.0, 0.5)


def test_a_verdict_is_counted_where_it_is_the_last() -> None:
    short = Frozen(plan(horizon_days=4), ONE.text, (f"{ONE.id} A-X",))
    found = book(
        followed([0.02, 0.03, 0.02, 0.03], frozen=short),
        followed([0.02, -0.02, 0.02, -0.02], frozen=short, night="2026-03-11T0300-aaaa"),
    )
    card = found.scorecard[0]
    assert (card.confirmed, card.rejected, card.running, card.killed) == (1, 1, 0, 0)
    assert [one.status for one in found.standings] == ["rejected", "confirmed"]
    assert {one.ended for one in found.standings} == {(OPENING + timedelta(days=4)).date()}
