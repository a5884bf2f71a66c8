"""The archive: whole months go from hot to cold once they are old enough.

For each partition: read it whole from both tiers, commit it to cold, read the commit back, and
only then delete it from hot. Whatever is interrupted is simply run again: until the last step the
rows are in hot, and after the commit they are in both tiers, where readers see each key once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.clock import require_utc, to_micros
from core.datasets import dataset_named
from core.errors import StoreDamaged
from storage import lock
from storage.cold import cold_files, folder_of, replace_partition, select_files, vacuum
from storage.files import content_sha256, file_sha256
from storage.hot_file import in_memory, opened, reading
from storage.migrations import has_table
from storage.schema import columns, literal, quoted, same_key
from storage.tiers import union

if TYPE_CHECKING:
    import polars as pl

    from core.datasets import Dataset
    from storage.cold import ColdFile, Partition
    from storage.store import Store


class Archived(msgspec.Struct, frozen=True):
    """One partition that left hot: its folder in the lake, and how many rows left."""

    partition: str
    rows: int


def archive(
    store: Store, dataset: str, *, now: datetime, hot_days: int | None = None
) -> list[Archived]:
    """Move the months that ended more than `hot_days` ago from hot to cold.

    Args:
        store: whose tiers.
        dataset: whose rows.
        now: when this happens.
        hot_days: how long rows stay hot; default is the dataset's own, which may be for ever.

    Raises:
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
        StoreDamaged: a file of the lake is not what was written; nothing leaves hot.
    """
    declared = dataset_named(dataset)
    days = declared.hot_days if hot_days is None else hot_days
    if days is None:
        return []
    before = _month_start(require_utc(now) - timedelta(days=days))
    patience = lock.Patience(store.lock_wait)
    with lock.one_writer(store, f"archiving {dataset}", patience):
        done = [
            _archive_partition(store, declared, partition, now)
            for partition in _old_partitions(store, declared, before)
        ]
        _clean(store, declared)
    return done


def _month_start(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def _old_partitions(store: Store, dataset: Dataset, before: datetime) -> list[Partition]:
    time = quoted(dataset.time_column)
    parts = [
        f"strftime({time}, '%Y-%m')" if name == "month" else quoted(name)
        for name in dataset.partition_by
    ]
    with reading(store) as con:
        if not has_table(con, dataset.name):
            return []
        return con.execute(
            f"select distinct {', '.join(parts)} from hot.{quoted(dataset.name)} "
            f"where {time} < make_timestamptz({to_micros(before)}) order by all"
        ).fetchall()


def _archive_partition(
    store: Store, dataset: Dataset, partition: Partition, now: datetime
) -> Archived:
    where = _condition(dataset, partition)
    _check_files(store, dataset, partition)
    rows = _gather(store, dataset, partition, where)
    if not _holds(store, dataset, partition, rows):
        replace_partition(store, dataset, partition, rows)
        if not _holds(store, dataset, partition, rows):
            folder = f"{store.lake_table(dataset.name)}/{folder_of(dataset, partition)}"
            raise StoreDamaged(folder, f"it was read back, and is not the {rows.height} rows sent")
    left = _leave_hot(store, dataset, partition, rows, now)
    return Archived(partition=folder_of(dataset, partition), rows=left)


def _condition(dataset: Dataset, partition: Partition) -> str:
    """Return the condition that says of a row that it belongs to the partition."""
    parts = []
    for name, value in zip(dataset.partition_by, partition, strict=True):
        if name == "month":
            start = datetime.strptime(value, "%Y-%m").replace(tzinfo=UTC)
            end = _month_start(start + timedelta(days=31))
            time = quoted(dataset.time_column)
            parts.append(f"{time} >= make_timestamptz({to_micros(start)})")
            parts.append(f"{time} < make_timestamptz({to_micros(end)})")
        else:
            parts.append(f"{quoted(name)} = {literal(value)}")
    return " and ".join(parts)


def _files_of(store: Store, dataset: Dataset, partition: Partition) -> list[ColdFile]:
    return [file for file in cold_files(store, dataset) if file.partition == partition]


def _check_files(store: Store, dataset: Dataset, partition: Partition) -> None:
    """Raise `StoreDamaged` where a file about to be rewritten is not what was written.

    Otherwise a flipped bit would get a new file and a new hash, and never be found.
    """
    files = _files_of(store, dataset, partition)
    if not files:
        return
    with reading(store) as con:
        known = dict(con.execute("select path, sha256 from hot.files").fetchall())
    for file in files:
        expected = known.get(store.in_lake(file.path))
        if expected is not None and file_sha256(Path(file.path)) != expected:
            raise StoreDamaged(file.path, "its SHA-256 is not the one that was recorded")


def _gather(store: Store, dataset: Dataset, partition: Partition, where: str) -> pl.DataFrame:
    """Return what the partition shall hold: the rows of both tiers, sorted by key."""
    with reading(store) as con:
        query = union(con, dataset, _files_of(store, dataset, partition), where)
        rows: pl.DataFrame = con.sql(f"from ({query}) order by {columns(dataset.key)}").pl()
    return dataset.conform(rows)


def _holds(store: Store, dataset: Dataset, partition: Partition, rows: pl.DataFrame) -> bool:
    """Read the partition back: does it hold exactly `rows`?"""
    files = _files_of(store, dataset, partition)
    if not files:
        return False
    query = f"from ({select_files(dataset, files)}) order by {columns(dataset.key)}"
    with in_memory() as con:
        found: pl.DataFrame = con.sql(query).pl()
    return content_sha256(found) == content_sha256(rows)


def _leave_hot(
    store: Store, dataset: Dataset, partition: Partition, rows: pl.DataFrame, now: datetime
) -> int:
    """Delete from hot what cold holds, and record the new files' hashes, in one transaction."""
    hashes = [
        (dataset.name, store.in_lake(f.path), f.rows, file_sha256(Path(f.path)), now)
        for f in _files_of(store, dataset, partition)
    ]
    with opened(store, now=now) as con:
        con.register("archived", rows.select(*dataset.key, "ingested_at"))
        left = con.execute(
            f"delete from hot.{quoted(dataset.name)} as h using archived a "
            f"where {same_key(dataset, 'h', 'a')} and h.ingested_at <= a.ingested_at"
        ).fetchall()
        con.unregister("archived")
        old = f"{dataset.name}/{folder_of(dataset, partition)}/"
        con.execute("delete from hot.files where starts_with(path, ?)", [old])
        con.executemany("insert into hot.files values (?, ?, ?, ?, ?)", hashes)
    return int(left[0][0])


def _clean(store: Store, dataset: Dataset) -> None:
    """Vacuum while nobody reads, so that no reader loses a file under its hands."""
    with lock.hot_alone(store, lock.Patience(store.lock_wait)):
        vacuum(store, dataset)
