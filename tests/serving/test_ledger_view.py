from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import nightjar
from storage import ledger
from storage.store import default_store
from tests.storage.samples import NOW, rows_of
from tests.storage.test_ledger import MONDAY, TUESDAY, hurt, trials

if TYPE_CHECKING:
    from storage.store import Store


@pytest.fixture
def store() -> Store:
    """Return the store of the command line, with two nights in its ledger."""
    found = default_store()
    ledger.append(found, MONDAY, trials(MONDAY), now=NOW)
    ledger.append(found, TUESDAY, trials(TUESDAY, 3), now=NOW)
    return found


def test_a_whole_ledger_is_said_and_ends_with_0(store: Store, capsys) -> None:
    assert nightjar.run(["ledger", "verify"]) == 0
    assert capsys.readouterr().out == "The ledger is whole: 2 nights, 8 trials.\n"
    assert nightjar.run(["ledger", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"whole": True, "nights": 2, "faults": []}


def test_a_broken_ledger_names_the_night_and_ends_with_1(store: Store, capsys) -> None:
    hurt(store, "update hot.trials set score = 9 where night = ?", TUESDAY)
    assert nightjar.run(["ledger", "verify"]) == 1
    said = capsys.readouterr().out
    assert f"{TUESDAY}: expected trials of digest" in said
    assert "The ledger is broken at 1 night of 2 nights, 8 trials." in said
    assert nightjar.run(["ledger", "verify", "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["night"], fault["kind"]) == (TUESDAY, "changed")


def test_nights_from_before_the_chain_are_named_and_end_with_0(store: Store, capsys) -> None:
    hurt(store, "delete from hot.ledger where night = ?", TUESDAY)
    hurt(store, "update hot.trials set text = null where night = ?", TUESDAY)
    assert nightjar.run(["ledger", "verify"]) == 0
    assert f"{TUESDAY}: 3 trials are from before" in capsys.readouterr().out


def test_the_ledger_is_shown_night_by_night(store: Store, capsys) -> None:
    assert nightjar.run(["ledger", "show"]) == 0
    said = capsys.readouterr().out
    last = ledger.contents(store)["chain"][-1]
    assert MONDAY in said
    assert said.rstrip().endswith(last)
    assert nightjar.run(["ledger", "show", "--json"]) == 0
    nights = json.loads(capsys.readouterr().out)
    assert [(row["sequence"], row["night"], row["rows"]) for row in nights] == [
        (1, MONDAY, 5),
        (2, TUESDAY, 3),
    ]
    assert nights[-1]["chain"] == last


def test_an_empty_ledger_says_how_to_begin(capsys) -> None:
    assert nightjar.run(["ledger", "show"]) == 0
    assert "nightjar nightly" in capsys.readouterr().out
    assert nightjar.run(["ledger", "verify"]) == 0
    assert "whole: 0 nights" in capsys.readouterr().out


def test_hashes_of_nights_outside_the_chain_are_dashes(store: Store, capsys) -> None:
    older = rows_of(ledger.TRIALS, 2).with_columns(text=None)
    from storage import hot

    hot.put(store, "trials", ledger.TRIALS.conform(older), now=NOW)
    assert nightjar.run(["ledger", "show"]) == 0
    assert "–" in capsys.readouterr().out
