from __future__ import annotations

import os
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.errors import InvalidInput, NothingStored, StoreDamaged
from storage import stages
from storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pl.DataFrame({"strategy_id": ["a", "b"], "returns": [[0.1], [0.2, 0.3]]})


@pytest.fixture
def place(tmp_path: Path) -> Store:
    return Store(home=tmp_path, lake=str(tmp_path / "lake"))


def test_a_stage_comes_back_as_it_was_kept(place: Store) -> None:
    receipt = stages.write(place, "night", "trials", FRAME)
    assert (receipt.dataset, receipt.rows, receipt.path) == (
        "trials",
        2,
        "nights/night/trials.parquet",
    )
    assert stages.read(place, receipt).equals(FRAME)
    assert stages.write(place, "night", "trials", FRAME) == receipt


def test_a_missing_and_a_damaged_stage_are_told_apart(place: Store) -> None:
    receipt = stages.write(place, "night", "trials", FRAME)
    path = place.home / receipt.path
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(StoreDamaged):
        stages.read(place, receipt)
    path.unlink()
    with pytest.raises(NothingStored, match="trials"):
        stages.read(place, receipt)


@pytest.mark.parametrize("night", ["", ".", "..", "a/b", "a\\b", "a\0b"])
def test_a_name_that_would_leave_the_folder_is_refused(place: Store, night: str) -> None:
    with pytest.raises(InvalidInput, match="name of a night"):
        stages.write(place, night, "trials", FRAME)


def test_only_the_last_nights_stay(place: Store) -> None:
    for age, night in enumerate(("third", "second", "first")):
        stages.write(place, night, "trials", FRAME)
        os.utime(place.home / stages.FOLDER / night, (1_000 - age, 1_000 - age))
    assert stages.sweep(place, nights=2) == 1
    assert sorted(p.name for p in (place.home / stages.FOLDER).iterdir()) == ["second", "third"]
    assert stages.sweep(place, nights=2) == 0


def test_where_a_stage_has_got_to_is_kept_until_it_is_dropped(place: Store) -> None:
    assert stages.kept(place, "night", "search") is None
    stages.keep(place, "night", "search", b"here")
    stages.keep(place, "night", "search", b"further")
    assert stages.kept(place, "night", "search") == b"further"
    stages.drop(place, "night", "search")
    stages.drop(place, "night", "search")
    assert stages.kept(place, "night", "search") is None


def test_a_night_is_forgotten_with_all_its_stages_and_no_other(place: Store) -> None:
    kept = stages.write(place, "kept", "trials", FRAME)
    gone = stages.write(place, "gone", "trials", FRAME)
    stages.keep(place, "gone", "search", b"half way")
    for _ in range(2):
        stages.forget(place, "gone")
    assert stages.kept(place, "gone", "search") is None
    with pytest.raises(NothingStored):
        stages.read(place, gone)
    assert stages.read(place, kept).equals(FRAME)
