"""Cold made again from landing, as far as landing still has what went there.

A file that comes out byte for byte as it was is put back in its place. Otherwise it leaves the
lake, and the batches that landing has of its month are judged and merged again by the next
collection; what landing has no more is a gap from then on, and is asked for again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from core.errors import NothingStored, StoreDamaged
from core.receipts import Receipt
from storage import hot, landing, lock, objects, quarantine
from storage.archive import files_of, partition_condition
from storage.care.rebuild import FOLDER
from storage.cold import scan_files
from storage.files import replacing
from storage.freezing import parquet_bytes, replace_partition
from storage.hot_file import in_memory, opened, reading
from storage.migrations import has_table
from storage.schema import columns, quoted
from storage.store import Store

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.cold import ColdFile, Partition


def restore_file(store: Store, dataset: Dataset, file: ColdFile, *, now: datetime) -> bool:
    """Make a file of the lake again from landing, byte for byte; return whether it could be.

    The accepted rows of landing's batches are merged in a store beside this one, by the same
    rules. If they give a file with the hash that the name carries, it is that file.
    """
    if file.sha256 is None:
        return False
    parts = _accepted(store, dataset, file.partition)
    with TemporaryDirectory(prefix="nightjar-") as folder:
        beside = Store(Path(folder), f"{folder}/lake", store.lock_wait)
        for batch, settled_at, rows in parts:
            hot.merge(beside, dataset.name, rows, batch=batch, now=settled_at)
        again = _hot_rows(beside, dataset)
    data = parquet_bytes(dataset, again)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        return False
    keep_aside(store, file.path, now)
    objects.put(file.path, data)
    return True


def drop_file(store: Store, dataset: Dataset, file: ColdFile, *, now: datetime) -> list[str]:
    """Take a damaged file out of the lake; return the landed batches that are pending again."""
    patience = lock.Patience(store.lock_wait)
    with lock.one_writer(store, f"dropping {file.path}", patience):
        others = [kept for kept in files_of(store, dataset, file.partition) if kept != file]
        rows = dataset.empty()
        if others:
            with in_memory() as con:
                query = f"from ({scan_files(con, dataset, others)})"
                rows = dataset.conform(con.sql(f"{query} order by {columns(dataset.key)}").pl())
        replace_partition(store, dataset, file.partition, rows)
        keep_aside(store, file.path, now)
        batches = [batch for batch, _, _ in _accepted(store, dataset, file.partition)]
        with opened(store, now=now) as con:
            con.execute("delete from hot.files where path = ?", [store.in_lake(file.path)])
            _unsettle(con, batches)
    return batches


def unsettle(store: Store, batches: list[str], *, now: datetime) -> None:
    """Make landed batches pending again, so that the next collection judges and merges them."""
    patience = lock.Patience(store.lock_wait)
    with lock.one_writer(store, "unsettling batches", patience), opened(store, now=now) as con:
        _unsettle(con, batches)


def keep_aside(store: Store, path: str, now: datetime) -> None:
    """Copy a damaged file of the lake to `damaged/`; nothing where it is gone."""
    try:
        data = objects.read(path)
    except (NothingStored, OSError):  # gone, or its place on the disk cannot be read
        return
    with replacing(store.home / FOLDER / f"{now:%Y%m%dT%H%M%S}-{Path(path).name}") as temporary:
        temporary.write_bytes(data)


def landed_rows(store: Store, dataset: Dataset, partition: Partition) -> int:
    """Return how many keys of a partition the batches of landing have, however they are settled."""
    found = [dataset.empty().select(dataset.key)]
    for path in sorted((store.landing / dataset.name).glob("*.parquet")):
        batch = path.relative_to(store.home).as_posix()
        try:
            rows = landing.read_batch(store, Receipt(dataset.name, batch, rows=0, source=""))
        except StoreDamaged:
            continue
        found.append(_within(dataset, partition, rows).select(dataset.key))
    return pl.concat(found).unique().height


def _unsettle(con: DuckDBPyConnection, batches: list[str]) -> None:
    con.execute("delete from hot.batches where list_contains(?::varchar[], batch)", [batches])


def _hot_rows(store: Store, dataset: Dataset) -> pl.DataFrame:
    with reading(store) as con:
        if not has_table(con, dataset.name):
            return dataset.empty()
        named = f"select {columns(dataset.columns)} from hot.{quoted(dataset.name)}"
        return dataset.conform(con.sql(f"{named} order by {columns(dataset.key)}").pl())


def _accepted(
    store: Store, dataset: Dataset, partition: Partition
) -> list[tuple[str, datetime, pl.DataFrame]]:
    """Return what the merged batches of landing gave a partition, in the order of merging.

    That is a batch's rows without those that quarantine has of it.
    """
    held = quarantine.read(store, dataset.name)
    found = []
    for batch, settled_at in _merged(store, dataset):
        try:
            rows = landing.read_batch(store, Receipt(dataset.name, batch, rows=0, source=""))
        except StoreDamaged:
            continue
        rows = _within(dataset, partition, rows)
        own = held.filter(batch=batch).select(*dataset.key, "ingested_at")
        rows = rows.join(own, on=own.columns, how="anti", maintain_order="left", nulls_equal=True)
        if rows.height:
            found.append((batch, settled_at, rows))
    return found


def _within(dataset: Dataset, partition: Partition, rows: pl.DataFrame) -> pl.DataFrame:
    with in_memory() as con:
        con.register("landed", rows)
        query = f"from landed where {partition_condition(dataset, partition)}"
        return dataset.conform(con.sql(query).pl())


def _merged(store: Store, dataset: Dataset) -> list[tuple[str, datetime]]:
    with reading(store) as con:
        if not has_table(con, "batches"):
            return []
        rows = con.execute(
            "select batch, settled_at from hot.batches where dataset = ? and state = 'merged' "
            "order by settled_at, batch",
            [dataset.name],
        ).fetchall()
    return [row for row in rows if (store.home / row[0]).is_file()]
