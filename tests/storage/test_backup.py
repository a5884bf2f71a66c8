"""A copy of the store is shown to be one, and is a store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

from core.errors import InvalidInput, StoreDamaged, StoreUnwritable
from storage import hot
from storage.archive import archive
from storage.care import backup as copying
from storage.care.backup import backup
from storage.care.doctor import doctor
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, candles
from tests.storage.test_doctor import bars, fill

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_copy_is_a_store_of_its_own(store: Store, tmp_path: Path) -> None:
    whole = fill(store)
    made = backup(store, tmp_path / "copies", now=NOW)
    assert Path(made.path).name == "20260601T000000Z"
    assert {count.table: count.rows for count in made.counts}["candles"] == whole.height
    assert made.files == sum(path.is_file() for path in Path(made.path).rglob("*"))
    shutil.rmtree(store.home)
    shutil.copytree(made.path, store.home)  # as a person restores it
    assert_frame_equal(bars(store), whole)
    assert doctor(store, now=NOW).findings == ()
    later = NOW + MINUTE
    hot.put(store, "candles", candles([3], close=7, ingested_at=later), now=later)
    assert [part.rows for part in archive(store, "candles", now=NOW, hot_days=0)] == [1, 120]


def test_a_lake_elsewhere_is_copied_and_one_in_a_bucket_is_not(bucket: str, tmp_path: Path) -> None:
    for name, lake in {"a": str(tmp_path / "shared"), "b": bucket}.items():
        store = Store(tmp_path / name, lake, lock_wait=20.0)
        fill(store)
        made = Path(backup(store, tmp_path / "copies" / name, now=NOW).path)
        assert (made / "lake" / "candles").is_dir() == ("://" not in lake)


def test_a_copy_that_is_not_equal_or_not_whole_is_not_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    folder = tmp_path / "copies"
    real: Callable[[Path, Path], object] = shutil.copy2

    def flipped(source: Path, target: Path) -> None:
        real(source, target)
        if target.suffix == ".parquet":
            target.write_bytes(b"x" + target.read_bytes()[1:])

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    for fault, error in ((flipped, StoreDamaged), (full, StoreUnwritable)):
        with monkeypatch.context() as broken:
            broken.setattr(copying.shutil, "copy2", fault)
            with pytest.raises(error):
                backup(store, folder, now=NOW)
        assert list(folder.glob("*")) == []
    backup(store, folder, now=NOW)
    with pytest.raises(InvalidInput, match="expected a new folder"):
        backup(store, folder, now=NOW)
    with pytest.raises(InvalidInput, match="outside of"):
        backup(store, store.home / "copies", now=NOW)
