"""Who of the candidates goes on: odds first, then who behaves alike, then second opinions."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from core.settings import Settings
from research.factory import Found, Job
from research.hunt import PORTFOLIO, RULE, Candidate, Member
from research.worlds import MIRRORED
from tasks import weigh
from tasks.judge import Judgement
from tasks.weigh import NOT_ABOVE_LUCK, NOT_CHOSEN, PERMUTATION_EXPLAINS, text_of

RNG = np.random.default_rng(1)


def night(**vetting: object) -> SimpleNamespace:
    terms = Settings().vetting.model_copy(update=vetting)
    return SimpleNamespace(question=SimpleNamespace(vetting=terms))


def judgement(p: list[float], second: list[float | None]) -> Judgement:
    worlds = tuple(Found(Job(MIRRORED, at), (("x", "A-B", 1.0 * at),), 5) for at in range(1, 30))
    return Judgement(worlds, (), tuple(p), tuple(second), None)


def test_both_kinds_of_worlds_must_be_beaten() -> None:
    said = judgement([0.004, 0.005, 0.005, 0.006], [0.05, 0.06, None, 0.01])
    assert weigh._by_odds(night(), said) == [
        NOT_CHOSEN,
        PERMUTATION_EXPLAINS,
        PERMUTATION_EXPLAINS,
        NOT_ABOVE_LUCK,
    ]


@pytest.mark.parametrize(("most", "expected"), [(10, [0, 3]), (1, [0]), (0, [])])
def test_of_those_that_behave_alike_the_best_is_chosen(most: int, expected: list[int]) -> None:
    one, other = RNG.normal(0, 1, (2, 90))
    returns = [one, one + 0.01 * other, other, -one]
    verdicts = [NOT_CHOSEN, NOT_CHOSEN, NOT_ABOVE_LUCK, NOT_CHOSEN]
    assert weigh._unalike(night(max_promotions=most), verdicts, returns) == expected


def test_a_portfolio_is_written_rule_by_rule() -> None:
    rules = (Member("a", "long when close > 1\non 1m", "A-B"), Member("b", "text", "*"))
    mixed = Candidate("p", PORTFOLIO, "*", rules, 9, 1.0, b"")
    assert text_of(mixed) == "[A-B]\nlong when close > 1\non 1m\n\n[*]\ntext"
    assert text_of(Candidate("a", RULE, "A-B", rules[:1], 9, 1.0, b"")) == rules[0].text


def test_what_is_said_of_a_candidate_follows_from_its_daily_returns() -> None:
    one = Candidate("a", RULE, "A-B", (Member("a", "text", "A-B"),), 9, 1.5, b"")
    earned = np.array([0.1, -0.5, 0.2])
    row = weigh._candidate(one, 0, earned, judgement([0.5], [None]), [])
    assert row["rank"] == 1
    assert row["total_return"] == pytest.approx(1.1 * 0.5 * 1.2 - 1)
    assert row["max_drawdown"] == pytest.approx(0.5)
    assert (row["p_value"], row["permutation_p"], row["opinions"]) == (0.5, None, "[]")
