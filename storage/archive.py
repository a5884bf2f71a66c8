"""The archive: rows go from hot to cold once they are old enough, whole months or on request days.

For each partition: read it whole from both tiers, commit it to cold, read the commit back, and
only then delete it from hot. Whatever is interrupted is simply run again: until the last step the
rows are in hot, and after the commit they are in both tiers, where readers see each key once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from core.clock import floor_to, month_of, month_span, require_utc, to_micros
from core.datasets import dataset_named
from core.errors import StoreDamaged
from storage import lock, objects
from storage.cold import cold_files, folder_of, scan_files
from storage.files import content_sha256
from storage.freezing import replace_partition
from storage.hot_file import in_memory, opened, reading
from storage.migrations import has_table
from storage.schema import columns, literal, quoted, same_key
from storage.scrub import damage_of, recorded
from storage.tiers import union
from storage.vacuum import vacuum_unless_read

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
    store: Store,
    dataset: str,
    *,
    now: datetime,
    hot_days: int | None = None,
    whole_months: bool = True,
) -> list[Archived]:
    """Move the months that ended more than `hot_days` ago from hot to cold.

    Months that an interrupted run, or another program, left in several files become one again.
    Files that nothing names any more are deleted, unless somebody reads at this moment: then the
    next run deletes them.

    Args:
        store: whose tiers.
        dataset: whose rows.
        now: when this happens.
        hot_days: how long rows stay hot; default is the dataset's own, which may be for ever.
        whole_months: leave the rows of a month hot until all of it is old enough; otherwise each
            day goes as soon as it is.

    Raises:
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
        StoreDamaged: a file of the lake is not what was written; nothing leaves hot.
        LakeTaken: another desk writes to this lake.
    """
    declared = dataset_named(dataset)
    days = declared.hot_days if hot_days is None else hot_days
    if days is None:
        return []
    before = _cut(require_utc(now) - timedelta(days=days), whole_months=whole_months)
    patience = lock.Patience(store.lock_wait)
    with lock.one_writer(store, f"archiving {dataset}", patience):
        done = [
            _archive_partition(store, declared, partition, before, now)
            for partition in _old_partitions(store, declared, before)
        ]
        vacuum_unless_read(store, declared, now=now)
    return done


def _cut(moment: datetime, *, whole_months: bool) -> datetime:
    return month_of(moment) if whole_months else floor_to(moment, timedelta(days=1))


def _old_partitions(store: Store, dataset: Dataset, before: datetime) -> list[Partition]:
    """Return the partitions with rows to move, and those that lie in more than one file."""
    time = quoted(dataset.time_column)
    parts = [
        f"strftime({time}, '%Y-%m')" if name == "month" else quoted(name)
        for name in dataset.partition_by
    ]
    held = [file.partition for file in cold_files(store, dataset)]
    found = {partition for partition in held if held.count(partition) > 1}
    with reading(store) as con:
        if has_table(con, dataset.name):
            found.update(
                con.execute(
                    f"select distinct {', '.join(parts)} from hot.{quoted(dataset.name)} "
                    f"where {time} < make_timestamptz({to_micros(before)})"
                ).fetchall()
            )
    return sorted(found)


def _archive_partition(
    store: Store, dataset: Dataset, partition: Partition, before: datetime, now: datetime
) -> Archived:
    _check_files(store, dataset, partition)
    rows = _gather(store, dataset, partition, before)
    freeze(store, dataset, partition, rows)
    left = _leave_hot(store, dataset, partition, rows, now)
    return Archived(partition=folder_of(dataset, partition), rows=left)


def freeze(store: Store, dataset: Dataset, partition: Partition, rows: pl.DataFrame) -> None:
    """Make `rows`, sorted by key, all that a partition of cold holds, in one file; read it back.

    For who holds the write lock.
    """
    if _holds(store, dataset, partition, rows):
        return
    replace_partition(store, dataset, partition, rows)
    if not _holds(store, dataset, partition, rows):
        folder = f"{store.lake_table(dataset.name)}/{folder_of(dataset, partition)}"
        raise StoreDamaged(folder, f"it was read back, and is not the {rows.height} rows sent")


def partition_condition(dataset: Dataset, partition: Partition) -> str:
    """Return the SQL condition that says of a row that it belongs to the partition."""
    parts = []
    for name, value in zip(dataset.partition_by, partition, strict=True):
        if name == "month":
            start, end = month_span(value)
            time = quoted(dataset.time_column)
            parts.append(f"{time} >= make_timestamptz({to_micros(start)})")
            parts.append(f"{time} < make_timestamptz({to_micros(end)})")
        else:
            parts.append(f"{quoted(name)} = {literal(value)}")
    return " and ".join(parts)


def files_of(store: Store, dataset: Dataset, partition: Partition) -> list[ColdFile]:
    """Return the files that hold a partition: one, or several until the archive has run."""
    return [file for file in cold_files(store, dataset) if file.partition == partition]


def _check_files(store: Store, dataset: Dataset, partition: Partition) -> None:
    """Raise `StoreDamaged` where a file about to be rewritten is not what was written.

    Otherwise a flipped bit would get a new file and a new hash, and never be found.
    """
    files = files_of(store, dataset, partition)
    if not files:
        return
    known = recorded(store)
    for file in files:
        if damage := damage_of(file, known.get(store.in_lake(file.path))):
            raise damage


def _gather(store: Store, dataset: Dataset, partition: Partition, before: datetime) -> pl.DataFrame:
    """Return what the partition shall hold, sorted by key: all of cold, and of hot what is old."""
    files, time = files_of(store, dataset, partition), quoted(dataset.time_column)
    cut = f"make_timestamptz({to_micros(before)})"
    where = partition_condition(dataset, partition)
    with reading(store) as con:
        query = union(con, dataset, files, f"{where} and {time} < {cut}")
        if files:  # rows that went to cold when it was asked to keep less hot
            query += f" union all ({scan_files(con, dataset, files)} where {time} >= {cut})"
        once = f"qualify row_number() over (partition by {columns(dataset.key)} "
        once += "order by ingested_at desc) = 1"
        rows: pl.DataFrame = con.sql(f"from ({query}) {once} order by {columns(dataset.key)}").pl()
    return dataset.conform(rows)


def _holds(store: Store, dataset: Dataset, partition: Partition, rows: pl.DataFrame) -> bool:
    """Read the partition back: does it hold exactly `rows`, in at most one file?"""
    files = files_of(store, dataset, partition)
    if rows.is_empty() or not files:
        return rows.is_empty() and not files
    if len(files) > 1:
        return False
    with in_memory() as con:
        query = f"from ({scan_files(con, dataset, files)}) order by {columns(dataset.key)}"
        found: pl.DataFrame = con.sql(query).pl()
    return content_sha256(found) == content_sha256(rows)


def _leave_hot(
    store: Store, dataset: Dataset, partition: Partition, rows: pl.DataFrame, now: datetime
) -> int:
    """Delete from hot what cold holds, and record the new files' hashes, in one transaction."""
    hashes = [
        (dataset.name, store.in_lake(f.path), f.rows, objects.sha256(f.path), now)
        for f in files_of(store, dataset, partition)
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
        if hashes:
            con.executemany("insert into hot.files values (?, ?, ?, ?, ?)", hashes)
    return int(left[0][0])
