"""Deleting the files of the lake that no table names any more, when nobody can miss them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.clock import require_utc
from core.errors import StoreBusy
from storage import identity, lock, objects
from storage.cold import cold_files, open_table

if TYPE_CHECKING:
    from datetime import datetime

    from core.datasets import Dataset
    from storage.store import Store

# Readers on other machines, of a lake that is not under NIGHTJAR_HOME, have this long to finish.
GRACE = timedelta(hours=1)
_PATIENCE = 0.2  # seconds: a vacuum never keeps anything waiting


def vacuum_unless_read(store: Store, dataset: Dataset, *, now: datetime) -> int | None:
    """Delete what the newest version does not name; return how many files, None if put off.

    Only for who holds the write lock. It is put off while somebody on this machine reads. In a
    lake that other machines may read too, a file stays for an hour after it was written. After
    it, anyone's `read_parquet` over the folders reads the newest version.
    """
    try:
        with lock.hot_alone(store, lock.Patience(_PATIENCE)):
            return _vacuum(store, dataset, now)
    except StoreBusy:
        return None


def _vacuum(store: Store, dataset: Dataset, now: datetime) -> int:
    folder = store.lake_table(dataset.name)
    table = open_table(store, dataset)
    if table is None:
        return 0
    identity.require_ours(store, folder, table)
    named = {file.path for file in cold_files(store, dataset)}
    log = f"{folder}/_delta_log/"
    gone = [
        file
        for file in objects.list_files(folder)
        if file.path not in named
        and (objects.is_leftover(file.path) or not file.path.startswith(log))
        and (store.owns_lake or file.modified < require_utc(now) - GRACE)
    ]
    for file in gone:
        objects.delete(file.path)
    return len(gone)
