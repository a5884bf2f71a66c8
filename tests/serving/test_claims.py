from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from serving.claims import claims
from storage.lake import sql
from storage.store import Store
from tests.serving.nights import night

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["2026-06-01", "o'clock", "`id`", "$HOME", 'a"b', "back\\slash", "!!", "{brace}"]


def test_every_query_runs_on_a_store(tmp_path: Path) -> None:
    store = Store(home=tmp_path, lake=str(tmp_path / "lake"))
    for claim in claims(night()):
        assert sql(claim.query, store=store).columns, claim.says


def test_every_query_names_its_night_or_its_window() -> None:
    for claim in claims(night()):
        assert "'2026-06-01" in claim.query, claim.says


def test_no_two_claims_say_the_same() -> None:
    says = [claim.says for claim in claims(night())]
    assert len(says) == len(set(says))


def test_promotions_can_be_found_again() -> None:
    commands = [claim.command for claim in claims(night())]
    assert any(
        command.startswith('nightjar sql "select')
        and "from promotions where night = '2026-06-01'" in command
        for command in commands
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_command_gives_the_shell_the_query_itself(name: str) -> None:
    for claim in claims(night(night=name)):
        assert shlex.split(claim.command) == ["nightjar", "sql", claim.query]
