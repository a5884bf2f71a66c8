from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import nightjar
from core.datasets import PAPER
from research.book import book_of
from serving.book import NOTHING, book_markdown, scorecard_rows, standing_rows, verdicts
from storage import hot
from storage.store import default_store
from tests.research.test_book import OPENING, followed

if TYPE_CHECKING:
    from research.book import Book

NOISE = np.random.default_rng(6).normal(0, 0.005, 10).tolist()


def paper() -> pl.DataFrame:
    """Return a promotion that runs, one that was killed, and both other cohorts."""
    return pl.concat(
        [
            followed([0.01, -0.005, 0.01]),
            followed([-0.05, 0.0], night="2026-03-11T0300-bbbb"),
            followed(NOISE, cohort="rejected"),
            followed(NOISE[::-1], cohort="random"),
        ]
    )


@pytest.fixture
def book() -> Book:
    return book_of(paper())


def test_a_promotion_is_a_row_with_its_forecast_and_its_kill_line(book: Book) -> None:
    killed, running = standing_rows(book)
    assert running[1:] == [
        *("A-X", "2026-03-10", "3 of 20", "+1.50 %", "+0.60 %", "−6.33 %", "running"),
    ]
    assert killed[3:] == ["1 of 20", "−5.00 %", "+0.20 %", "−3.80 %", "killed 2026-03-11"]


def test_the_scorecard_names_every_cohort(book: Book) -> None:
    rows = scorecard_rows(book)
    assert [row[:3] for row in rows] == [
        ["promoted", "2", "3"],
        ["rejected", "1", "10"],
        ["random", "1", "10"],
    ]
    assert all(row[4] == "+0.200 %" for row in rows)


def test_each_comparison_is_a_sentence(book: Book) -> None:
    said = verdicts(book)
    assert [one.split(":")[0] for one in said] == [
        "promoted against rejected",
        "promoted against random",
        "rejected against random",
    ]
    assert "over 3 days, better with probability 0." in said[0]


def test_what_cannot_be_compared_yet_is_not(book: Book) -> None:
    assert verdicts(book_of(followed([0.01]))) == []


def test_the_markdown_shows_both_tables(book: Book) -> None:
    text = book_markdown(book)
    assert text.count("\n| ---") == 2
    assert "killed 2026-03-11" in text
    assert "- promoted against rejected" in text
    assert "Nothing is promoted." in book_markdown(book_of(PAPER.empty()))


def test_the_command_shows_the_book_to_people_and_programs(capsys) -> None:
    hot.put(default_store(), PAPER.name, paper(), now=OPENING)
    assert nightjar.run(["desk"]) == 0
    said = capsys.readouterr().out
    assert "killed 2026-03-11" in said
    assert "promoted against random" in said
    assert nightjar.run(["desk", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in found["standings"]] == ["killed", "running"]
    assert found["standings"][1]["curve"] == pytest.approx([0.01, 0.005, 0.015])
    assert [one["cohort"] for one in found["scorecard"]] == ["promoted", "rejected", "random"]
    assert len(found["edges"]) == 3


def test_a_desk_that_promoted_nothing_shows_what_it_compares(capsys) -> None:
    hot.put(default_store(), PAPER.name, followed(NOISE, cohort="random"), now=OPENING)
    assert nightjar.run(["desk"]) == 0
    said = capsys.readouterr().out
    assert "Nothing is promoted." in said
    assert "random" in said


def test_an_empty_desk_says_how_it_is_filled(capsys) -> None:
    assert nightjar.run(["desk"]) == 0
    assert " ".join(capsys.readouterr().out.split()) == NOTHING
