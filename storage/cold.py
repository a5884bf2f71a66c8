"""The cold tier: one Delta Lake table per dataset, in hive folders that any engine can read.

https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from core.errors import StoreDamaged, StoreUnwritable
from storage.files import sync
from storage.schema import columns, literal, parquet_rows, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.datasets import Dataset
    from storage.store import Store

_GROUP = 16_384  # rows
Partition = tuple[str, ...]  # values of `Dataset.partition_by`, in order


@dataclass(frozen=True)
class ColdFile:
    """A file that the newest version of a table consists of."""

    path: str
    partition: Partition
    rows: int


def folder_of(dataset: Dataset, partition: Partition) -> str:
    """Return a partition's hive folders: `venue=…/symbol=…/interval=…/month=…`."""
    named = zip(dataset.partition_by, partition, strict=True)
    return "/".join(f"{name}={value}" for name, value in named)


def cold_files(store: Store, dataset: Dataset) -> list[ColdFile]:
    """Return the files of the newest version, by partition; none where nothing is archived."""
    folder = store.lake_table(dataset.name)
    if not DeltaTable.is_deltatable(folder):
        return []
    with _translating(folder):
        actions = pl.DataFrame(DeltaTable(folder).get_add_actions(flatten=True))
    found = [
        ColdFile(
            path=f"{folder}/{row['path']}",
            partition=tuple(row[f"partition.{name}"] for name in dataset.partition_by),
            rows=row["num_records"],
        )
        for row in actions.iter_rows(named=True)
    ]
    return sorted(found, key=lambda file: (file.partition, file.path))


def select_files(dataset: Dataset, files: Sequence[ColdFile]) -> str:
    """Return a query of the files' rows with the dataset's columns, in order."""
    types = ", ".join(f"'{name}': VARCHAR" for name in dataset.partition_by)
    options = f"hive_partitioning = true, hive_types = {{{types}}}"
    rows = parquet_rows(dataset, (file.path for file in files), options)
    return f"select {columns(dataset.columns)} from {rows}"


def replace_partition(
    store: Store, dataset: Dataset, partition: Partition, rows: pl.DataFrame
) -> None:
    """Make `rows` all that the partition holds: one commit, on disk when this returns."""
    folder = store.lake_table(dataset.name)
    named = list(zip(dataset.partition_by, partition, strict=True))
    month = partition[dataset.partition_by.index("month")]
    try:
        write_deltalake(
            folder,
            rows.with_columns(pl.lit(month).alias("month")),
            mode="overwrite",
            schema_mode="merge",  # a table from before a column gets it
            predicate=" and ".join(f"{quoted(name)} = {literal(value)}" for name, value in named),
            partition_by=list(dataset.partition_by),
            writer_properties=_properties(dataset),
        )
        _sync(Path(folder), folder_of(dataset, partition))
    except (DeltaError, OSError) as error:
        raise StoreUnwritable(folder, str(error)) from error


def _properties(dataset: Dataset) -> WriterProperties:
    """Return how files are written: rows that hold lists in small groups.

    A month of trials is some hundred MB; one night of it is read without the others.
    """
    lists = any(isinstance(dtype, pl.List) for dtype in dataset.columns.values())
    return WriterProperties(compression="ZSTD", max_row_group_size=_GROUP if lists else None)


def vacuum(store: Store, dataset: Dataset) -> int:
    """Delete the files that the newest version does not name; return how many.

    Then anyone's `read_parquet` over the folders reads the newest version.
    """
    folder = store.lake_table(dataset.name)
    if not DeltaTable.is_deltatable(folder):
        return 0
    with _translating(folder):
        table = DeltaTable(folder)
        everything = {"retention_hours": 0, "enforce_retention_duration": False, "full": True}
        if not table.vacuum(dry_run=True, **everything):  # type: ignore[arg-type]
            return 0
        return len(table.vacuum(dry_run=False, **everything))  # type: ignore[arg-type]


def _sync(table: Path, partition: str) -> None:
    """Flush the new files, the log's newest entry, and every folder with a new name in it."""
    log, inner = table / "_delta_log", table / partition
    folders = [log, inner, *inner.parents[: len(Path(partition).parts)], table.parent]
    for path in [*inner.iterdir(), max(log.glob("*.json")), *folders]:
        sync(path)


@contextmanager
def _translating(folder: str) -> Iterator[None]:
    try:
        yield
    except DeltaError as error:
        raise StoreDamaged(folder, str(error)) from error
