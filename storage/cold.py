"""The cold tier: one Delta Lake table per dataset, in hive folders that any engine can read.

https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import dataset as arrow_dataset

from core.datasets import DATASETS, TIME
from core.errors import LakeUnavailable, StoreDamaged, StoreTooNew
from storage import objects
from storage.identity import VERSION
from storage.migrations import MIGRATIONS
from storage.schema import columns, parquet_rows, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.store import Store

Partition = tuple[str, ...]  # values of `Dataset.partition_by`, in order

_NAMED = re.compile(r".*/part-(?P<sha256>[0-9a-f]{64})\.zstd\.parquet", re.ASCII)
_ARROW: dict[Any, pa.DataType] = {
    pl.String(): pa.string(),
    pl.Float64(): pa.float64(),
    pl.Int64(): pa.int64(),
    pl.Boolean(): pa.bool_(),
    TIME: pa.timestamp("us", "UTC"),
}
# The files of a table by what its log looked like: reading a log costs more than most questions.
_listed: dict[str, tuple[object, list[ColdFile]]] = {}
_MOST_LISTED = 256


@dataclass(frozen=True)
class ColdFile:
    """A file that the newest version of a table consists of."""

    path: str
    partition: Partition
    rows: int

    @property
    def sha256(self) -> str | None:
        """The hash of its bytes that its name carries; None for a file of an older nightjar."""
        found = _NAMED.fullmatch(self.path)
        return found["sha256"] if found else None


def folder_of(dataset: Dataset, partition: Partition) -> str:
    """Return a partition's hive folders: `venue=…/symbol=…/interval=…/month=…`."""
    named = zip(dataset.partition_by, partition, strict=True)
    return "/".join(f"{name}={value}" for name, value in named)


def tables(store: Store) -> set[str]:
    """Return the datasets that the lake may have a table of: the names that lie in it."""
    with translating(store.lake):
        return set(DATASETS) & objects.list_folders(store.lake)


def open_table(store: Store, dataset: Dataset) -> DeltaTable | None:
    """Return a dataset's table at its newest version, None where nothing is archived.

    Raises:
        StoreTooNew: a newer nightjar wrote it.
        StoreDamaged: its log cannot be read.
        LakeUnavailable: the object store does not answer.
    """
    folder = store.lake_table(dataset.name)
    if not objects.is_remote(folder) and not Path(folder, "_delta_log").is_dir():
        return None
    with translating(folder):
        try:
            table = DeltaTable(folder, storage_options=objects.delta_options(folder))
        except TableNotFoundError:
            return None
        version, known = table.transaction_version(VERSION) or 0, MIGRATIONS[-1].version
    if version > known:
        raise StoreTooNew(folder, version=version, known=known)
    return table


def cold_files(store: Store, dataset: Dataset) -> list[ColdFile]:
    """Return the files of the newest version, by partition; none where nothing is archived."""
    folder = store.lake_table(dataset.name)
    seen = _look(folder)
    if seen is not None and (known := _listed.get(folder)) and known[0] == seen:
        return list(known[1])
    table = open_table(store, dataset)
    if table is None:
        return []
    with translating(folder):
        actions = pl.DataFrame(table.get_add_actions(flatten=True))
    found = [
        ColdFile(
            path=f"{folder}/{unquote(row['path'])}",
            partition=tuple(row[f"partition.{name}"] for name in dataset.partition_by),
            rows=row["num_records"],
        )
        for row in actions.iter_rows(named=True)
    ]
    found.sort(key=lambda file: (file.partition, file.path))
    if len(_listed) >= _MOST_LISTED:
        _listed.clear()
    _listed[folder] = (seen, found)
    return list(found)


def _look(folder: str) -> object | None:
    """Return what changes with every commit; None where only reading the log can tell."""
    if objects.is_remote(folder):
        return None
    try:
        newest = max(Path(folder, "_delta_log").glob("*.json"))
        stat = newest.stat()
    except (ValueError, OSError):
        return None
    return newest.name, stat.st_ino, stat.st_mtime_ns, MIGRATIONS[-1].version


def scan_files(con: DuckDBPyConnection, dataset: Dataset, files: Sequence[ColdFile]) -> str:
    """Return a query of the files' rows with the dataset's columns, in order, for `con` to run.

    What is on this machine is read by DuckDB itself; what is in an object store through Arrow,
    which reads only the columns and row groups that the query needs.
    """
    if files and objects.is_remote(files[0].path):
        name = f"cold_{hashlib.sha256('|'.join(f.path for f in files).encode()).hexdigest()[:16]}"
        con.register(name, _arrow_rows(dataset, files))
        return f"select {columns(dataset.columns)} from {quoted(name)}"
    types = ", ".join(f"'{name}': VARCHAR" for name in dataset.partition_by)
    options = f"hive_partitioning = true, hive_types = {{{types}}}"
    rows = parquet_rows(dataset, (file.path for file in files), options)
    return f"select {columns(dataset.columns)} from {rows}"


def arrow_schema(dataset: Dataset) -> pa.Schema:
    """Return the dataset's columns and its `month` as Delta and Arrow name their types."""
    fields = [pa.field(name, _arrow_type(dtype)) for name, dtype in dataset.columns.items()]
    return pa.schema([*fields, pa.field("month", pa.string())])


def _arrow_type(dtype: Any) -> pa.DataType:
    if isinstance(dtype, pl.List):
        return pa.list_(_arrow_type(dtype.inner))
    return _ARROW[dtype]


def _arrow_rows(dataset: Dataset, files: Sequence[ColdFile]) -> arrow_dataset.Dataset:
    """Return the files as one set of rows; a column that a file is too old for is null."""
    return arrow_dataset.FileSystemDataset.from_paths(
        [objects.key_of(file.path) for file in files],
        schema=arrow_schema(dataset),
        format=arrow_dataset.ParquetFileFormat(),
        filesystem=objects.filesystem(files[0].path),
        partitions=[_expression(dataset, file.partition) for file in files],
    )


def _expression(dataset: Dataset, partition: Partition) -> Any:
    named = list(zip(dataset.partition_by, partition, strict=True))
    expression = arrow_dataset.field(named[0][0]) == named[0][1]
    for name, value in named[1:]:
        expression &= arrow_dataset.field(name) == value
    return expression


@contextmanager
def translating(folder: str) -> Iterator[None]:
    """Raise our errors for Delta's: what cannot be reached, and what cannot be read."""
    try:
        yield
    except TableNotFoundError:
        raise
    except (DeltaError, OSError) as error:
        if objects.is_remote(folder) and isinstance(error, OSError):
            raise LakeUnavailable(folder, str(error)) from error
        raise StoreDamaged(folder, str(error)) from error
