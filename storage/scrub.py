"""A check of what lies in the store: files that changed by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets import DATASETS
from core.errors import StoreDamaged
from storage.cold import cold_files
from storage.files import file_sha256
from storage.hot_file import reading
from storage.migrations import has_table

if TYPE_CHECKING:
    from storage.store import Store


def scrub(store: Store) -> list[StoreDamaged]:
    """Return the files of the lake that are not what was written, each with what is wrong.

    Every file is read and hashed: Parquet readers return a flipped bit without a word.
    """
    with reading(store) as con:
        known: dict[str, str] = {}
        if has_table(con, "files"):
            known = dict(con.execute("select path, sha256 from hot.files").fetchall())
    files = [file for dataset in DATASETS.values() for file in cold_files(store, dataset)]
    found = (_damage(file.path, known.get(store.in_lake(file.path))) for file in files)
    return [damage for damage in found if damage is not None]


def _damage(path: str, expected: str | None) -> StoreDamaged | None:
    if not Path(path).exists():
        return StoreDamaged(path, "the lake's log names it, and it is not there")
    if expected is not None and file_sha256(Path(path)) != expected:
        return StoreDamaged(path, "its SHA-256 is not the one that was recorded")
    return None
