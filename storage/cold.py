"""The cold tier: one Delta Lake table per dataset, in hive folders that any engine can read.

https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
from deltalake import DeltaTable

from storage.schema import columns, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.datasets import Dataset
    from storage.store import Store

Partition = tuple[str, ...]  # values of `Dataset.partition_by`, in order


@dataclass(frozen=True)
class ColdFile:
    """A file that the newest version of a table consists of."""

    path: str
    partition: Partition
    rows: int


def cold_files(store: Store, dataset: Dataset) -> list[ColdFile]:
    """Return the files of the newest version, by partition; none where nothing is archived."""
    folder = store.lake_table(dataset.name)
    if not DeltaTable.is_deltatable(folder):
        return []
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
    paths = ", ".join(literal(file.path) for file in files)
    types = ", ".join(f"'{name}': VARCHAR" for name in dataset.partition_by)
    return (
        f"select {columns(dataset.columns)} from read_parquet([{paths}], "
        f"hive_partitioning = true, hive_types = {{{types}}})"
    )
