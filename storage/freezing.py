"""Writing to the cold tier: whole partitions, one Delta commit each.

A file's name carries the SHA-256 of its bytes, and the same rows make the same bytes. It is on
disk before the commit that names it, and the commit is on disk before anybody relies on it.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions
from pyarrow import parquet

from core.errors import StoreUnwritable
from storage import identity, objects
from storage.cold import arrow_schema, folder_of, open_table
from storage.files import sync

if TYPE_CHECKING:
    from core.datasets import Dataset
    from storage.cold import Partition
    from storage.store import Store

_GROUP = 16_384  # rows


def replace_partition(
    store: Store, dataset: Dataset, partition: Partition, rows: pl.DataFrame
) -> None:
    """Make `rows` all that the partition holds: one commit, on disk when this returns.

    No rows leave no partition.

    Raises:
        LakeTaken: another desk writes to this lake.
        StoreUnwritable: the file or the commit could not be written; a rerun finds out which.
    """
    folder = store.lake_table(dataset.name)
    table = open_table(store, dataset)
    if rows.is_empty() and table is None:
        return
    identity.require_ours(store, folder, table)
    adds = [] if rows.is_empty() else [_add(folder, dataset, partition, rows)]
    _commit(store, dataset, table, partition, adds)
    if not objects.is_remote(folder):
        _sync(Path(folder), folder_of(dataset, partition))


def own(store: Store, dataset: Dataset) -> bool:
    """Make a dataset's table this desk's, and stop what another one has under way in it.

    Return whether there is such a table.
    """
    table = open_table(store, dataset)
    if table is None:
        return False
    folder = store.lake_table(dataset.name)
    try:
        table.create_write_transaction(
            [],
            mode="append",
            schema=table.schema(),
            partition_by=list(dataset.partition_by),
            commit_properties=identity.take_over(store, folder),
        )
    except (DeltaError, OSError) as error:
        raise StoreUnwritable(folder, str(error)) from error
    return True


def parquet_bytes(dataset: Dataset, rows: pl.DataFrame) -> bytes:
    """Return a file of the lake: sorted as given, zstd, with checksums of its pages.

    Folders say what `partition_by` names, so that the file does not. Rows that hold lists come in
    small groups: a month of trials is some hundred MB, and one night of it is read alone.
    """
    lists = any(isinstance(dtype, pl.List) for dtype in dataset.columns.values())
    kept = [name for name in dataset.columns if name not in dataset.partition_by]
    content = io.BytesIO()
    parquet.write_table(
        rows.select(kept).to_arrow(),
        content,
        compression="zstd",
        row_group_size=_GROUP if lists else None,
        write_page_checksum=True,
        store_schema=False,
    )
    return content.getvalue()


def _add(folder: str, dataset: Dataset, partition: Partition, rows: pl.DataFrame) -> AddAction:
    """Write the rows' file and return what tells Delta of it."""
    data = parquet_bytes(dataset, rows)
    digest = hashlib.sha256(data).hexdigest()
    path = f"{folder_of(dataset, partition)}/part-{digest}.zstd.parquet"
    objects.put(f"{folder}/{path}", data)
    return AddAction(
        path=path,
        size=len(data),
        partition_values=dict(zip(dataset.partition_by, partition, strict=True)),
        modification_time=int(rows["ingested_at"].dt.epoch("ms").max() or 0),  # type: ignore[arg-type]
        data_change=True,
        stats=_stats(dataset, rows),
    )


def _stats(dataset: Dataset, rows: pl.DataFrame) -> str:
    """Return what Delta keeps of a file's content: how many rows, from when to when."""
    time = rows[dataset.time_column].dt
    ends = {"minValues": time.min(), "maxValues": time.max()}
    told: dict[str, Any] = {
        name: {dataset.time_column: f"{value:%Y-%m-%dT%H:%M:%S.%f}Z"}
        for name, value in ends.items()
    }
    return msgspec.json.encode({"numRecords": rows.height, **told}).decode()


def _commit(
    store: Store,
    dataset: Dataset,
    table: DeltaTable | None,
    partition: Partition,
    adds: list[AddAction],
) -> None:
    folder = store.lake_table(dataset.name)
    schema = Schema.from_arrow(arrow_schema(dataset))
    properties = identity.next_commit(store, folder, table)
    named = zip(dataset.partition_by, partition, strict=True)
    try:
        if table is None:
            create_table_with_add_actions(
                folder,
                schema,
                adds,
                partition_by=list(dataset.partition_by),
                storage_options=objects.delta_options(folder),
                commit_properties=properties,
            )
        else:
            table.create_write_transaction(
                [*adds],
                mode="overwrite",
                schema=schema,
                partition_by=list(dataset.partition_by),
                partition_filters=[(name, "=", value) for name, value in named],
                commit_properties=properties,
            )
    except (DeltaError, OSError) as error:
        identity.require_ours(store, folder, open_table(store, dataset))  # was another one faster?
        raise StoreUnwritable(folder, str(error)) from error


def _sync(table: Path, partition: str) -> None:
    """Flush the log's newest entry, and every folder in which a name may be new."""
    log, inner = table / "_delta_log", table / partition
    folders = [log, inner, *inner.parents[: len(Path(partition).parts)], table.parent]
    try:
        for path in [max(log.glob("*.json")), *filter(Path.is_dir, folders)]:
            sync(path)
    except OSError as error:
        raise StoreUnwritable(str(table), str(error)) from error
