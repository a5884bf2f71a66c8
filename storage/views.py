"""The tables that SQL sees, each a query over the tiers."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.datasets import CANDLES, DATASETS
from core.market import INTERVALS
from storage import quarantine as held_back
from storage.cold import cold_files
from storage.migrations import has_table
from storage.schema import columns, literal, parquet_rows, quoted, sql_type
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from storage.cold import ColdFile
    from storage.store import Store

_MICROS = " ".join(
    f"when {literal(name)} then {step // timedelta(microseconds=1)}"
    for name, step in INTERVALS.items()
)
_STEP = f"case interval {_MICROS} end"
_SERIES = "venue, symbol, interval"

COVERAGE = f"""
select {_SERIES}, min(open_time) as first, max(open_time) as last, count(*) as bars,
  (epoch_us(max(open_time)) - epoch_us(min(open_time))) // any_value({_STEP}) + 1 as expected,
  expected - bars as missing
from candles group by {_SERIES}
"""

# From the bar that should come after a stored one to the next stored one: [start, end).
GAPS = f"""
select {_SERIES}, open_time + to_microseconds({_STEP}) as start, following as "end",
  (epoch_us(following) - epoch_us(open_time)) // {_STEP} - 1 as bars
from (select {_SERIES}, open_time,
  lead(open_time) over (partition by {_SERIES} order by open_time) as following from candles)
where epoch_us(following) - epoch_us(open_time) > {_STEP}
"""

_COMPUTED = {"coverage": COVERAGE, "gaps": GAPS}
# Tables of the hot file itself, as they are where there is no hot file yet.
_EMPTY = {
    "batches": (
        "select null::VARCHAR as batch, null::VARCHAR as dataset, null::VARCHAR as state, "
        "null::BIGINT as rows, null::TIMESTAMPTZ as settled_at where false"
    ),
    "files": (
        "select null::VARCHAR as dataset, null::VARCHAR as path, null::BIGINT as rows, "
        "null::VARCHAR as sha256, null::TIMESTAMPTZ as written_at where false"
    ),
}
TABLES = (*DATASETS, "quarantine", *_COMPUTED, *_EMPTY)
_ANY_TABLE = re.compile(r"\b(show|query|query_table|information_schema|duckdb_\w+|sqlite_master)\b")


class Files(NamedTuple):
    """The files that the tables consist of beside the hot one."""

    cold: dict[str, list[ColdFile]]
    quarantine: dict[str, list[str]]

    @property
    def paths(self) -> list[str]:
        """All of them."""
        cold = [file.path for files in self.cold.values() for file in files]
        return cold + [path for paths in self.quarantine.values() for path in paths]


def tables_in(query: str) -> list[str]:
    """Return the tables that a query may read, each after those it is made of.

    Making a table costs more than most questions, so only what the text names is made; all of
    them where it names none, or could name one that is not in its text.
    """
    text = query.lower()
    named = {name for name in TABLES if name in text}
    if not named or _ANY_TABLE.search(text):
        return list(TABLES)
    if named & {"coverage", "gaps"}:
        named.add(CANDLES.name)
    return [name for name in TABLES if name in named]


def list_files(store: Store, tables: Sequence[str]) -> Files:
    """Return the files of the tables as they are now.

    To be asked after the hot file was opened: a row that left hot before is then in the list.
    """
    cold = {name: cold_files(store, DATASETS[name]) for name in tables if name in DATASETS}
    return Files(cold, held_back.files(store) if "quarantine" in tables else {})


def create_views(con: DuckDBPyConnection, tables: Sequence[str], files: Files) -> None:
    """Make the tables, where `con` has the hot file as `hot`."""
    for table in tables:
        if table in DATASETS:
            query = union(con, DATASETS[table], files.cold[table])
        elif table == "quarantine":
            query = _quarantine(files.quarantine)
        elif table in _COMPUTED:
            query = _COMPUTED[table]
        else:
            query = f"from hot.{table}" if has_table(con, table) else _EMPTY[table]
        con.execute(f"create view {quoted(table)} as {query}")


def _quarantine(files: dict[str, list[str]]) -> str:
    """Return a query of all quarantined rows: candles in full, others by batch and reasons."""
    marks = {name: sql_type(dtype) for name, dtype in held_back.MARKS.items()}
    wanted = {name: sql_type(dtype) for name, dtype in CANDLES.columns.items()}
    nothing = ", ".join(f"null::{t} as {quoted(n)}" for n, t in {**wanted, **marks}.items())
    parts = [f"select null::VARCHAR as dataset, {nothing} where false"]
    for dataset, paths in files.items():
        if dataset not in DATASETS:
            continue
        there = DATASETS[dataset].columns
        chosen = [
            quoted(name) if name in there else f"null::{kind} as {quoted(name)}"
            for name, kind in wanted.items()
        ]
        rows = parquet_rows(DATASETS[dataset], paths, "hive_partitioning = false")
        parts.append(
            f"select {literal(dataset)} as dataset, {', '.join(chosen)}, {columns(marks)} "
            f"from {rows}"
        )
    return " union all ".join(parts)
