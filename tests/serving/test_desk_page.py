"""The page of the desk: whole in itself, whatever the book holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

import nightjar
from core.datasets import PAPER
from research.book import book_of
from research.paper import Frozen
from serving.deskpage import DRAWN, render_desk
from storage import hot
from storage.store import default_store
from tests.research.test_book import OPENING, followed
from tests.research.test_paper import ONE, plan
from tests.serving.test_book import paper
from tests.serving.test_report import check_whole

if TYPE_CHECKING:
    from research.book import Book


@pytest.fixture
def book() -> Book:
    return book_of(paper())


def test_the_page_draws_each_promotion_against_its_plan(book: Book) -> None:
    page = check_whole(render_desk(book, venue="binance", made_at=OPENING))
    assert "2 promotions on paper: 1 killed, 1 running." in page.text
    assert page.tags.count("svg") == 2
    assert page.text.count("stop 2%") == 2
    assert "+1.50 %" in page.text
    assert "promoted against random" in page.text
    assert "Sandbox" not in page.text


def test_the_page_says_where_markets_are_not_real(book: Book) -> None:
    page = check_whole(render_desk(book, venue="sandbox", made_at=OPENING))
    assert "These are not real markets" in page.text


def test_the_page_of_an_empty_desk_is_whole() -> None:
    page = check_whole(render_desk(book_of(PAPER.empty()), venue="binance", made_at=OPENING))
    assert "Nothing is promoted." in page.text
    assert "no two days yet" in page.text
    assert "svg" not in page.tags


def test_a_promotion_of_tonight_is_drawn_as_its_plan_alone() -> None:
    page = check_whole(render_desk(book_of(followed([])), venue="binance", made_at=OPENING))
    assert page.tags.count("svg") == 1
    assert "running after 0 days" in page.html


def test_texts_stay_texts_on_the_page() -> None:
    hostile = Frozen(plan(), "<script>alert(1)</script>", (f"{ONE.id} A-X",))
    page = check_whole(
        render_desk(book_of(followed([0.1], frozen=hostile)), venue="x", made_at=OPENING)
    )
    assert "<script>alert(1)</script>" in page.text


def test_only_the_newest_are_drawn() -> None:
    many = [followed([], night=f"2026-03-10T0300-{number:04}") for number in range(DRAWN + 3)]
    page = check_whole(render_desk(book_of(pl.concat(many)), venue="x", made_at=OPENING))
    assert page.tags.count("svg") == DRAWN
    assert "3 older are in the table above." in page.text


def test_the_page_is_opened_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    hot.put(default_store(), PAPER.name, paper(), now=OPENING)
    assert nightjar.run(["desk", "--open"]) == 0
    page = default_store().reports / "desk-sandbox.html"
    assert opened == [page.as_uri()]
    assert "1 killed" in page.read_text()


def test_another_venue_has_a_book_of_its_own(capsys) -> None:
    hot.put(default_store(), PAPER.name, paper(), now=OPENING)
    assert nightjar.run(["desk", "--venue", "binance", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["standings"] == []
