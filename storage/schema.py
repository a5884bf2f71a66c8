"""The declarations of core.datasets as DuckDB reads them: types, tables and quoting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import TIME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.datasets import Dataset

# Beside a hot row: the last time a source gave these same values. It decides which of two
# differing values is the newer one when batches arrive out of order; readers never see it.
CONFIRMED = "_confirmed_at"

# Two rows with one key are equal when all columns but these are.
PROVENANCE = ("source", "ingested_at")

_TYPES: dict[Any, str] = {
    pl.String(): "VARCHAR",
    pl.Float64(): "DOUBLE",
    pl.Int64(): "BIGINT",
    pl.Boolean(): "BOOLEAN",
    TIME: "TIMESTAMPTZ",
}


def sql_type(dtype: Any) -> str:
    """Return the DuckDB type that holds a polars type of the declarations."""
    if isinstance(dtype, pl.List):
        return f"{sql_type(dtype.inner)}[]"
    return _TYPES[dtype]


def quoted(name: str) -> str:
    """Return a name as an SQL identifier; some of ours are keywords (`interval`, `end`)."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def columns(names: Iterable[str], table: str = "") -> str:
    """Return names as an SQL list, each of `table` where that is given."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + quoted(name) for name in names)


def values(dataset: Dataset) -> list[str]:
    """Return the columns that a row says, beside its key and provenance."""
    return [name for name in dataset.columns if name not in (*dataset.key, *PROVENANCE)]


def same_key(dataset: Dataset, left: str, right: str) -> str:
    """Return the condition that two tables' rows have one key."""
    return " and ".join(f"{left}.{quoted(n)} = {right}.{quoted(n)}" for n in dataset.key)


def hot_ddl(dataset: Dataset) -> str:
    """Return the statement that makes a dataset's hot table.

    There is no PRIMARY KEY: its index tripled the file and made inserts half slower again, and
    `hot.merge` is the only writer and keeps keys unique.
    """
    declared = [f"{quoted(name)} {sql_type(dtype)}" for name, dtype in dataset.columns.items()]
    body = ",\n  ".join([*declared, f"{quoted(CONFIRMED)} TIMESTAMPTZ"])
    return f"create table if not exists {quoted(dataset.name)} (\n  {body}\n)"


def added_ddl(dataset: Dataset, name: str) -> str:
    """Return the statement that gives a dataset's hot table one column more."""
    kind = sql_type(dataset.columns[name])
    return f"alter table {quoted(dataset.name)} add column if not exists {quoted(name)} {kind}"


def parquet_rows(dataset: Dataset, paths: Iterable[str], options: str) -> str:
    """Return what stands after FROM to read a dataset's Parquet files, with options of DuckDB's.

    A column that a file does not have, since it is older than the column, is null. Files are read
    by name only where that can be: it opens every one of them, and costs up to half more.
    """
    listed = ", ".join(map(literal, paths))
    if not dataset.since:
        return f"read_parquet([{listed}], {options})"
    rows = f"read_parquet([{listed}], {options}, union_by_name = true)"
    return f"({empty_select(dataset)} union all by name from {rows})"


def empty_select(dataset: Dataset) -> str:
    """Return a query of no rows with the dataset's columns and types."""
    nulls = ", ".join(
        f"null::{sql_type(dtype)} as {quoted(name)}" for name, dtype in dataset.columns.items()
    )
    return f"select {nulls} where false"
