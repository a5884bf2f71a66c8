"""Checks of what lies in the store: files that changed by themselves, keys that come twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets import DATASETS
from core.errors import StoreDamaged
from storage.cold import cold_files, select_files
from storage.files import file_sha256
from storage.hot_file import reading
from storage.migrations import has_table
from storage.schema import columns, quoted
from storage.tiers import union

if TYPE_CHECKING:
    from core.datasets import Dataset
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


def check_invariants(store: Store) -> list[str]:
    """Return every key that a tier, or the tables readers see, hold more than once; none is right.

    No index enforces this: it is how the writers are made, and this proves it of a store.
    """
    breaches = []
    with reading(store) as con:
        for dataset in DATASETS.values():
            files = cold_files(store, dataset)
            tiers = {"the view": union(con, dataset, files)}
            if files:
                tiers["cold"] = select_files(dataset, files)
            if has_table(con, dataset.name):
                tiers["hot"] = f"from hot.{quoted(dataset.name)}"
            for tier, query in tiers.items():
                rows = con.execute(_repeated(dataset, query)).fetchall()
                breaches += [f"{dataset.name}: {tier} has {key} {n} times" for *key, n in rows]
    return breaches


def _repeated(dataset: Dataset, query: str) -> str:
    key = columns(dataset.key)
    return f"select {key}, count(*) from ({query}) group by {key} having count(*) > 1 limit 10"


def _damage(path: str, expected: str | None) -> StoreDamaged | None:
    if not Path(path).exists():
        return StoreDamaged(path, "the lake's log names it, and it is not there")
    if expected is not None and file_sha256(Path(path)) != expected:
        return StoreDamaged(path, "its SHA-256 is not the one that was recorded")
    return None
