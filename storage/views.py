"""The tables that SQL sees, each a query over the tiers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from core.datasets import ASKED, CANDLES, DATASETS, REVISIONS
from storage import quarantine as held_back
from storage.asof import History, moment
from storage.cold import cold_files
from storage.gaps import GAPS, MISSING_BARS
from storage.grid import STEP
from storage.migrations import has_table
from storage.schema import columns, literal, parquet_rows, quoted, sql_type
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from storage.cold import ColdFile
    from storage.store import Store

_SERIES = "venue, symbol, interval"

COVERAGE = f"""
select {_SERIES}, min(open_time) as first, max(open_time) as last, count(*) as bars,
  (epoch_us(max(open_time)) - epoch_us(min(open_time))) // any_value({STEP}) + 1 as expected,
  expected - bars as missing
from candles group by {_SERIES}
"""

_COMPUTED = {"coverage": COVERAGE, "gaps": GAPS, "missing_bars": MISSING_BARS}
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
# When a row of them was written.
_NOTED = {"quarantine": "quarantined_at", "batches": "settled_at", "files": "written_at"}
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
    if named & {*_COMPUTED}:
        named.add(CANDLES.name)
    if "missing_bars" in named:
        named |= {ASKED.name, "quarantine"}
    return [name for name in TABLES if name in named]


def list_files(store: Store, tables: Sequence[str], *, history: bool = False) -> Files:
    """Return the files of the tables as they are now, and those that history is told by.

    To be asked after the hot file was opened: a row that left hot before is then in the list.
    """
    wanted = dict.fromkeys([*tables, REVISIONS.name] if history else tables)
    cold = {name: cold_files(store, DATASETS[name]) for name in wanted if name in DATASETS}
    return Files(cold, held_back.files(store) if "quarantine" in tables else {})


def create_views(
    con: DuckDBPyConnection,
    tables: Sequence[str],
    files: Files,
    *,
    as_of: datetime | None = None,
) -> None:
    """Make the tables, where `con` has the hot file as `hot`: as they are, or as they were."""
    history = None if as_of is None else History(con, as_of, files.cold[REVISIONS.name])
    for table in tables:
        if table in DATASETS and history is not None:
            query = history.rows(DATASETS[table], files.cold[table])
        elif table in DATASETS:
            query = union(con, DATASETS[table], files.cold[table])
        elif table in _COMPUTED:
            query = _COMPUTED[table]
        else:
            query = _own(con, table, files)
            if as_of is not None:
                query = f"from ({query}) where {_NOTED[table]} <= {moment(as_of)}"
        con.execute(f"create view {quoted(table)} as {query}")


def _own(con: DuckDBPyConnection, table: str, files: Files) -> str:
    """Return the query of a table that is no dataset and follows from none."""
    if table == "quarantine":
        return _quarantine(files.quarantine)
    return f"from hot.{table}" if has_table(con, table) else _EMPTY[table]


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
