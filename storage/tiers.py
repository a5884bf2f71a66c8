"""Hot and cold as one table: each key once, the newest `ingested_at` wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.clock import month_span
from storage.cold import scan_files
from storage.incoming import sql_value
from storage.migrations import columns_of
from storage.schema import columns, empty_select, quoted, same_key, sql_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.cold import ColdFile


def union(
    con: DuckDBPyConnection, dataset: Dataset, files: Sequence[ColdFile], where: str = "true"
) -> str:
    """Return a query of the dataset's rows, where `con` has the hot file as `hot`.

    Within a tier keys are unique, so that only a key that is in both needs a decision, and only
    partitions that both tiers hold can have one. Elsewhere rows are read as they lie.

    Args:
        con: where the query will run.
        dataset: whose rows.
        files: the cold files to read.
        where: a condition on the dataset's columns, applied in each tier.
    """
    there = columns_of(con, dataset.name)
    if there is None:
        return (
            f"{scan_files(con, dataset, files)} where {where}" if files else empty_select(dataset)
        )
    mixed = _mixed(con, dataset, files, where) if files else []
    apart = [file for file in files if file not in mixed]
    hot = _select_hot(dataset, there)
    parts = [f"{hot} where {where}"]
    if mixed:
        cold = scan_files(con, dataset, mixed)
        parts = [
            _without(dataset, hot, cold, "y.ingested_at > x.ingested_at", where),
            _without(dataset, cold, hot, "y.ingested_at >= x.ingested_at", where),
        ]
    if apart:
        parts.append(f"{scan_files(con, dataset, apart)} where {where}")
    return "\nunion all\n".join(parts)


def _select_hot(dataset: Dataset, there: Sequence[str]) -> str:
    """Return a query of the hot rows; what a file not yet migrated lacks is null."""
    if set(dataset.columns) <= set(there):
        return f"select {columns(dataset.columns)} from hot.{quoted(dataset.name)}"
    chosen = [
        quoted(name) if name in there else f"null::{sql_type(kind)} as {quoted(name)}"
        for name, kind in dataset.columns.items()
    ]
    # In parentheses, so that a condition on a column that is not there finds its null.
    return f"select * from (select {', '.join(chosen)} from hot.{quoted(dataset.name)})"


def _without(dataset: Dataset, rows: str, others: str, beaten: str, where: str) -> str:
    """Return `rows` but those whose key one of `others` has with a newer row."""
    return (
        f"select {columns(dataset.columns, 'x')} from ({rows} where {where}) x "
        f"where not exists (select 1 from ({others} where {where}) y "
        f"where {same_key(dataset, 'x', 'y')} and {beaten})"
    )


def _mixed(
    con: DuckDBPyConnection, dataset: Dataset, files: Sequence[ColdFile], where: str
) -> list[ColdFile]:
    """Return the cold files whose partition may have rows in hot too.

    Only the months that cold has are looked at in hot: mostly one, or none.
    """
    place = list(dataset.partition_by).index("month")
    spans_of_files = [month_span(file.partition[place]) for file in files]
    start, end = min(first for first, _ in spans_of_files), max(last for _, last in spans_of_files)
    folders = [name for name in dataset.partition_by if name != "month"]
    time = quoted(dataset.time_column)
    months = f"strftime(min({time}), '%Y-%m'), strftime(max({time}), '%Y-%m')"
    query = (
        f"select {columns([*folders])}{', ' if folders else ''}{months}, count(*) "
        f"from hot.{quoted(dataset.name)} where {where} "
        f"and {time} >= {sql_value(start)} and {time} < {sql_value(end)} group by all"
    )
    spans = {
        tuple(row[: len(folders)]): (row[-3], row[-2])
        for row in con.execute(query).fetchall()
        if row[-1]
    }
    return [file for file in files if _within(file, dataset, spans)]


def _within(
    file: ColdFile, dataset: Dataset, spans: dict[tuple[str, ...], tuple[str, str]]
) -> bool:
    parts = dict(zip(dataset.partition_by, file.partition, strict=True))
    month = parts.pop("month")
    first, last = spans.get(tuple(parts.values()), ("", ""))
    return first <= month <= last
