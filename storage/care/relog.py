"""A table's log made again from its files, where the log itself cannot be read any more.

The catalogue knows which files the table consisted of, and their names say what their bytes were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltalake import Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

from core.errors import StoreUnwritable
from storage import identity, lock, objects
from storage.care.problems import Loss
from storage.care.rebuild import FOLDER
from storage.care.restore import keep_aside
from storage.cold import ColdFile, arrow_schema, scan_files
from storage.files import replacing
from storage.hot_file import in_memory
from storage.scrub import damage_of, recorded

if TYPE_CHECKING:
    from datetime import datetime

    from core.datasets import Dataset
    from storage.cold import Partition
    from storage.store import Store


def make_log_again(store: Store, dataset: Dataset, *, now: datetime) -> str:
    """Make a table's log anew of the files that the catalogue lists; say what was done.

    Where the catalogue has none (hot was lost too), the table gets every file that is what its
    name says. Files that are damaged are left out, and lie where they are.

    Where no file is sound either, the table starts over, and what was in it is a loss.
    """
    folder = store.lake_table(dataset.name)
    files = _files(store, dataset)
    if not files:
        return _start_over(store, folder, now)
    with lock.one_writer(store, f"mending {folder}", lock.Patience(store.lock_wait)):
        _log_aside(store, folder, now)
        try:
            create_table_with_add_actions(
                folder,
                Schema.from_arrow(arrow_schema(dataset)),
                [_add(folder, dataset, file) for file in files],
                partition_by=list(dataset.partition_by),
                storage_options=objects.delta_options(folder),
                commit_properties=identity.take_over(store, folder),
            )
        except (DeltaError, OSError) as error:
            raise StoreUnwritable(folder, str(error)) from error
    rows = sum(file.rows for file in files)
    return f"a new log of {len(files)} files with {rows:,} rows, each file's SHA-256 checked"


def _start_over(store: Store, folder: str, now: datetime) -> str:
    """Set aside all that is left of a table of which nothing can be read."""
    with lock.one_writer(store, f"mending {folder}", lock.Patience(store.lock_wait)):
        for file in objects.list_files(folder):
            if file.path.endswith(".zstd.parquet"):
                keep_aside(store, file.path, now)
        _log_aside(store, folder, now)
    return Loss("no sound file of it is left; it starts over: collect its rows again")


def _files(store: Store, dataset: Dataset) -> list[ColdFile]:
    """Return the sound files of a table without its log."""
    folder = store.lake_table(dataset.name)
    known = recorded(store)
    there = [file.path for file in objects.list_files(folder) if file.path.endswith(".parquet")]
    listed = [path for path in there if store.in_lake(path) in known]
    found = []
    for path in listed or there:
        file = ColdFile(path, partition_of(dataset, path), rows=0)
        if "_delta_log" in path or damage_of(file, known.get(store.in_lake(path))):
            continue
        with in_memory() as con:
            query = f"select count(*) from ({scan_files(con, dataset, [file])})"
            [(rows,)] = con.execute(query).fetchall()
        found.append(ColdFile(path, file.partition, rows))
    return found


def partition_of(dataset: Dataset, path: str) -> Partition:
    """Return the partition that a path's hive folders name."""
    values = dict(part.split("=", 1) for part in path.split("/") if "=" in part)
    return tuple(unquote(values.get(name, "")) for name in dataset.partition_by)


def _add(folder: str, dataset: Dataset, file: ColdFile) -> AddAction:
    return AddAction(
        path=file.path.removeprefix(f"{folder}/"),
        size=len(objects.read(file.path)),
        partition_values=dict(zip(dataset.partition_by, file.partition, strict=True)),
        modification_time=0,
        data_change=True,
        stats=f'{{"numRecords": {file.rows}}}',
    )


def _log_aside(store: Store, folder: str, now: datetime) -> None:
    """Copy the log to `damaged/`, and delete it: newest entry first, so that none is half there."""
    log = f"{folder}/_delta_log"
    name = f"{now:%Y%m%dT%H%M%S}-{folder.rsplit('/', 1)[-1]}-log"
    entries = objects.list_files(log)
    for entry in entries:
        target = store.home / FOLDER / name / entry.path.removeprefix(f"{log}/").replace("/", "-")
        with replacing(target) as temporary:
            temporary.write_bytes(objects.read(entry.path))
    for entry in sorted(entries, reverse=True):
        objects.delete(entry.path)
