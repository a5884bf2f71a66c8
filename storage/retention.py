"""What is kept, and for how long: rows that their dataset keeps no longer leave both tiers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from core.clock import floor_to, month_span, require_utc, to_micros
from core.datasets import dataset_named
from storage import lock
from storage.cold import cold_files, folder_of
from storage.freezing import replace_partition
from storage.hot_file import opened
from storage.schema import quoted

if TYPE_CHECKING:
    from datetime import datetime

    from core.datasets import Dataset
    from storage.cold import Partition
    from storage.store import Store


class Expired(msgspec.Struct, frozen=True):
    """What a dataset no longer keeps: rows that left hot, rows and months that left cold."""

    dataset: str
    hot_rows: int = 0
    cold_rows: int = 0
    partitions: tuple[str, ...] = ()


def expire(store: Store, dataset: str, *, now: datetime) -> Expired:
    """Remove the rows that are older than the dataset's `keep_days`; nothing where it has none.

    Hot rows go by the day, cold ones by the month once all of it is too old, so that a row is
    kept for at least `keep_days`. An interrupted run is completed by the next one.

    Raises:
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
        LakeTaken: another desk writes to this lake.
    """
    declared = dataset_named(dataset)
    if declared.keep_days is None:
        return Expired(dataset)
    oldest = require_utc(now) - timedelta(days=declared.keep_days)
    before = floor_to(oldest, timedelta(days=1))
    with lock.one_writer(store, f"expiring {dataset}", lock.Patience(store.lock_wait)):
        held = cold_files(store, declared)
        files = [file for file in held if _ended(declared, file.partition, before)]
        for partition in sorted({file.partition for file in files}):
            replace_partition(store, declared, partition, declared.empty())
        hot_rows = _expire_hot(store, declared, before, now) if store.hot_path.exists() else 0
    return Expired(
        dataset,
        hot_rows=hot_rows,
        cold_rows=sum(file.rows for file in files),
        partitions=tuple(sorted({folder_of(declared, file.partition) for file in files})),
    )


def _ended(dataset: Dataset, partition: Partition, before: datetime) -> bool:
    _, end = month_span(partition[dataset.partition_by.index("month")])
    return end <= before


def _expire_hot(store: Store, dataset: Dataset, before: datetime, now: datetime) -> int:
    """Delete old hot rows, and the catalogue's hashes of files that are no more."""
    there = [store.in_lake(file.path) for file in cold_files(store, dataset)]
    with opened(store, now=now) as con:
        gone = con.execute(
            f"delete from hot.{quoted(dataset.name)} "
            f"where {quoted(dataset.time_column)} < make_timestamptz({to_micros(before)})"
        ).fetchall()
        con.execute(
            "delete from hot.files where dataset = ? and not list_contains(?::varchar[], path)",
            [dataset.name, there],
        )
    return int(gone[0][0])
