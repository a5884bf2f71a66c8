"""What is true of every store at every moment, whatever died when: asked by doctor and by tests.

No index enforces these facts: they are how the writers are made, and this proves them of a store.
Each is looked at in full, and nothing is mended here.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import DATASETS
from core.errors import InvalidInput, StoreDamaged
from core.market import check_symbol, check_venue, interval_step
from core.receipts import Receipt
from storage import landing, objects, quarantine
from storage.cold import cold_files, scan_files, tables
from storage.hot_file import reading
from storage.migrations import columns_of, has_table
from storage.schema import CONFIRMED, columns, quoted, sql_type, values
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.cold import ColdFile
    from storage.store import Store

_CHECKS = {"venue": check_venue, "symbol": check_symbol, "interval": interval_step}
_MOST = 10  # breaches of one kind and table that are named


def check_invariants(store: Store) -> list[str]:
    """Return every breach of what must always hold; an empty list is a sound store.

    Checked of each dataset: a key is there once in hot, once in cold and once in what readers
    see; keys, times and `ingested_at` are never null; numbers of candles are finite; folder names
    are of the safe alphabet; hot columns have the declared types; every file that the lake's log
    names is there, holds as many rows as the log says, and only rows of its own folder's month.
    Checked of the whole: a batch is settled once.
    """
    with reading(store) as con:
        found = list(_settled_once(con)) if has_table(con, "batches") else []
        cold = tables(store)
        for name, dataset in DATASETS.items():
            found += _of_dataset(con, dataset, cold_files(store, dataset) if name in cold else [])
    return found


def check_batches(store: Store) -> list[str]:
    """Return the merged batches of landing with rows that are neither stored nor quarantined."""
    return [
        f"{count} rows of {batch} are neither stored nor quarantined"
        for batch, count in lost_rows(store).items()
    ]


def lost_rows(store: Store) -> dict[str, int]:
    """Return how many rows of each landed and merged batch are neither stored nor quarantined.

    A stored row stands for a landed one when it has its key, and the same values or newer ones.
    Batches that lost nothing, and files that are no batches any more, are not named. Reads all of
    landing: for doctor and proofs, not for every step.
    """
    found: dict[str, int] = {}
    with reading(store) as con:
        if not has_table(con, "batches"):
            return found
        query = "select batch, dataset from hot.batches where state = 'merged' order by all"
        for batch, name in con.execute(query).fetchall():
            if name in DATASETS and (store.home / batch).is_file():
                with suppress(StoreDamaged):
                    found[batch] = _unaccounted(store, con, DATASETS[name], batch)
    return {batch: count for batch, count in found.items() if count}


def _of_dataset(con: DuckDBPyConnection, dataset: Dataset, files: list[ColdFile]) -> list[str]:
    there = columns_of(con, dataset.name)
    gone = [file for file in files if not objects.exists(file.path)]
    if gone:
        return [f"{dataset.name}: the lake's log names {file.path}, not there" for file in gone]
    found = [] if there is None else list(_types(con, dataset))
    tiers = {"cold": scan_files(con, dataset, files)} if files else {}
    if there is not None and set(dataset.columns) <= set(there) and _any(con, dataset):
        tiers["hot"] = f"select {columns(dataset.columns)} from hot.{quoted(dataset.name)}"
    for tier, query in tiers.items():
        found += _rows(con, dataset, tier, query)
    if len(tiers) == 2:
        found += _repeated(con, dataset, "the view", union(con, dataset, files))
    return found + list(_folders(con, dataset, files))


def _any(con: DuckDBPyConnection, dataset: Dataset) -> bool:
    return bool(con.execute(f"select 1 from hot.{quoted(dataset.name)} limit 1").fetchall())


def _rows(con: DuckDBPyConnection, dataset: Dataset, tier: str, query: str) -> list[str]:
    return [
        *_repeated(con, dataset, tier, query),
        *_nulls(con, dataset, tier, query),
        *_names(con, dataset, tier, query),
    ]


def _repeated(con: DuckDBPyConnection, dataset: Dataset, tier: str, query: str) -> list[str]:
    key = columns(dataset.key)
    rows = con.execute(
        f"select {key}, count(*) from ({query}) group by {key} having count(*) > 1 limit {_MOST}"
    ).fetchall()
    return [f"{dataset.name}: {tier} has {key} {n} times" for *key, n in rows]


def _nulls(con: DuckDBPyConnection, dataset: Dataset, tier: str, query: str) -> Iterator[str]:
    """Yield the columns with values that no row may have."""
    needed = dict.fromkeys([*dataset.key, dataset.time_column, "ingested_at"])
    wrong = {name: f"{quoted(name)} is null" for name in needed}
    if dataset.name == "candles":
        floats = [name for name, dtype in dataset.columns.items() if dtype == pl.Float64()]
        wrong |= {name: f"not isfinite({quoted(name)})" for name in floats}
    counts = ", ".join(f"count(*) filter ({condition})" for condition in wrong.values())
    found = con.execute(f"select {counts} from ({query})").fetchall()[0]
    for condition, count in zip(wrong.values(), found, strict=True):
        if count:
            yield f"{dataset.name}: in {tier} {condition} in {count} rows"


def _names(con: DuckDBPyConnection, dataset: Dataset, tier: str, query: str) -> Iterator[str]:
    """Yield the values that must never have become a folder's name."""
    for name in dataset.partition_by:
        if check := _CHECKS.get(name):
            rows = con.execute(f"select distinct {quoted(name)} from ({query})").fetchall()
            for (value,) in rows:
                try:
                    check(value)
                except InvalidInput as error:
                    yield f"{dataset.name}: in {tier} {name}: {error}"


def _types(con: DuckDBPyConnection, dataset: Dataset) -> Iterator[str]:
    described = con.execute(f"describe hot.{quoted(dataset.name)}").fetchall()
    wanted = {name: sql_type(dtype) for name, dtype in dataset.columns.items()}
    wanted[CONFIRMED] = "TIMESTAMPTZ"
    for name, kind, *_ in described:
        expected = wanted.get(name, "no such column").replace(
            "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"
        )
        if kind != expected:
            yield f"{dataset.name}: hot column {name} is {kind}, expected {expected}"


def _folders(con: DuckDBPyConnection, dataset: Dataset, files: list[ColdFile]) -> Iterator[str]:
    """Yield the files whose rows are not as many, or not of the month, that the log says."""
    month = f"strftime({quoted(dataset.time_column)}, '%Y-%m')"
    for file in files:
        rows, first, last = con.execute(
            f"select count(*), min({month}), max({month}) from ({scan_files(con, dataset, [file])})"
        ).fetchall()[0]
        named = file.partition[dataset.partition_by.index("month")]
        if rows != file.rows:
            yield f"{dataset.name}: {file.path} has {rows} rows, expected {file.rows}"
        if {first, last} - {named, None}:
            yield f"{dataset.name}: {file.path} has rows of {first} to {last}"


def _settled_once(con: DuckDBPyConnection) -> Iterator[str]:
    query = f"select batch, count(*) from hot.batches group by 1 having count(*) > 1 limit {_MOST}"
    for batch, count in con.execute(query).fetchall():
        yield f"batches: {batch} is settled {count} times"


def _unaccounted(store: Store, con: DuckDBPyConnection, dataset: Dataset, batch: str) -> int:
    """Return how many rows of a merged batch can be found nowhere."""
    rows = landing.read_batch(store, Receipt(dataset.name, batch, rows=0, source=""))
    key = " and ".join(f"k.{quoted(n)} is not distinct from l.{quoted(n)}" for n in dataset.key)
    said = f"row({columns(values(dataset), 'k')}) is not distinct from "
    said += f"row({columns(values(dataset), 'l')})"
    stored = union(con, dataset, cold_files(store, dataset))
    held = quarantine.read(store, dataset.name)
    with _registered(con, landed=rows, held=held):
        [(count,)] = con.execute(
            f"select count(*) from landed l where not exists (from held k where {key}) "
            f"and not exists (from ({stored}) k where {key} "
            f"and (k.ingested_at >= l.ingested_at or {said}))"
        ).fetchall()
    return int(count)


@contextmanager
def _registered(con: DuckDBPyConnection, **frames: pl.DataFrame) -> Iterator[None]:
    for name, frame in frames.items():
        con.register(name, frame)
    try:
        yield
    finally:
        for name in frames:
            con.unregister(name)
