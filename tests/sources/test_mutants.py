"""Wrong answers crash nothing, and put nothing false past the gate. `make mutants` reads more."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from core.errors import SourceMalformed
from sources.registry import SOURCES
from tests.sources.mutants import Fixture, fixtures, hunt, mutate

if TYPE_CHECKING:
    import polars as pl

MUTANTS = 1_200


@pytest.fixture(scope="module")
def every() -> list[Fixture]:
    return fixtures()


def test_every_provider_and_every_dataset_of_it_is_mutated(every: list[Fixture]) -> None:
    of_providers = {fixture.name.split(" ")[0].rstrip(",") for fixture in every}
    asked = {
        name
        for name, info in SOURCES.items()
        if info.kind == "rest" and not name.startswith(("sandbox", "ccxt"))
    }
    assert asked <= of_providers


def test_a_true_answer_has_rows(every: list[Fixture]) -> None:
    assert all(fixture.read(fixture.body).height for fixture in every)


def test_no_mutant_crashes_and_none_puts_a_false_row_past_the_gate() -> None:
    outcome = hunt(MUTANTS, seed=7)
    print(outcome)
    assert outcome.crashed == []
    assert outcome.false == []
    assert outcome.mutants == MUTANTS
    assert sum(outcome.errors.values()) > MUTANTS / 2


def test_the_same_seed_makes_the_same_mutants(every: list[Fixture]) -> None:
    first, again = random.Random(3), random.Random(3)
    for fixture in every[:20]:
        assert mutate(fixture.body, first) == mutate(fixture.body, again)


def test_the_hunt_finds_a_reader_that_crashes_and_one_that_lies(
    every: list[Fixture], monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = next(fixture for fixture in every if fixture.name == "coingecko prices now")

    def lies(body: bytes) -> pl.DataFrame:
        rows = prices.read(prices.body)
        return rows if body == prices.body else rows.with_columns(price=rows["price"] * 1.01)

    def crashes(body: bytes) -> pl.DataFrame:
        if body != prices.body:
            raise KeyError("a field")
        return prices.read(body)

    def refuses(body: bytes) -> pl.DataFrame:
        if body != prices.body:
            raise SourceMalformed("coingecko", "not the true answer")
        return prices.read(body)

    found = []
    for read in (lies, crashes, refuses):
        only = [prices._replace(read=read)]
        monkeypatch.setattr("tests.sources.mutants.fixtures", lambda only=only: only)
        outcome = hunt(30)
        found.append((bool(outcome.crashed), bool(outcome.false)))
    assert found == [(False, True), (True, False), (False, False)]
