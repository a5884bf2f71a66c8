"""A check of what lies in the store: files that changed by themselves, in every tier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.datasets import DATASETS
from core.errors import StoreDamaged
from storage import objects
from storage.cold import cold_files, tables
from storage.hot_file import reading
from storage.migrations import has_table

if TYPE_CHECKING:
    from storage.cold import ColdFile
    from storage.store import Store

CHANGED = "its SHA-256 is not the one that was recorded"


def scrub(store: Store) -> list[StoreDamaged]:
    """Return the files of the lake that are not what was written, each with what is wrong.

    Every file is read and hashed: Parquet readers return a flipped bit without a word. What it
    should be is in its name, and in the catalogue for what an older nightjar wrote.
    """
    known = recorded(store)
    files = [file for name in sorted(tables(store)) for file in cold_files(store, DATASETS[name])]
    found = (damage_of(file, known.get(store.in_lake(file.path))) for file in files)
    return [damage for damage in found if damage is not None]


def recorded(store: Store) -> dict[str, str]:
    """Return the hashes that the catalogue keeps, by path inside the lake."""
    with reading(store) as con:
        if not has_table(con, "files"):
            return {}
        return dict(con.execute("select path, sha256 from hot.files").fetchall())


def listed_rows(store: Store) -> list[tuple[str, str, int]]:
    """Return dataset, path inside the lake, and rows of every file that the catalogue lists."""
    with reading(store) as con:
        if not has_table(con, "files"):
            return []
        return con.execute("select dataset, path, rows from hot.files").fetchall()


def damage_of(file: ColdFile, known: str | None) -> StoreDamaged | None:
    """Return what is wrong with a file of the lake, None where it is what was written."""
    expected = file.sha256 or known
    if expected is None:
        return None if objects.exists(file.path) else StoreDamaged(file.path, objects.GONE)
    try:
        actual = objects.sha256(file.path)
    except StoreDamaged as damage:
        return damage
    return None if actual == expected else StoreDamaged(file.path, CHANGED)
