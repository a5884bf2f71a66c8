from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.settings import Settings
from tasks.nightly import Night, Question, ask

if TYPE_CHECKING:
    import pytest

AS_OF = datetime(2026, 3, 11, tzinfo=UTC)


def question(**changes: object) -> Question:
    settings = Settings()
    given = {
        "as_of": AS_OF,
        "venue": "sandbox",
        "symbols": (),
        "interval": "1m",
        "days": 10,
        "strategies": 5,
        "generations": 2,
        "seed": 1,
        "costs": settings.costs,
        "vetting": settings.vetting,
        "workers": 1,
    }
    return Question(**{**given, **changes})


def night(asked: Question) -> Night:
    return Night("n", asked, ("A-B",), {}, AS_OF)


def test_what_nobody_said_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_STRATEGIES", "77")
    asked = ask(as_of=None, venue=None, symbols=None, strategies=None, days=None, seed=None)
    assert (asked.venue, asked.strategies, asked.days) == ("sandbox", 77, 90)
    assert asked.as_of.second == asked.as_of.microsecond == 0
    assert asked.start == asked.as_of - timedelta(days=90)


def test_what_was_said_is_over_the_settings() -> None:
    asked = ask(as_of=AS_OF, venue="binance", symbols=["A-B"], strategies=3, days=4, seed=0)
    assert (asked.as_of, asked.venue, asked.symbols) == (AS_OF, "binance", ("A-B",))
    assert (asked.strategies, asked.days, asked.seed) == (3, 4, 0)


def test_luck_is_decided_by_seed_and_moment_alone() -> None:
    luck = night(question()).luck
    assert luck == night(question(days=20, workers=8)).luck
    assert luck != night(question(seed=2)).luck
    assert luck != night(question(as_of=AS_OF + timedelta(days=1))).luck
    assert 0 <= luck < 2**63
