"""Changes to the hot file's tables, numbered, each applied once and recorded in the file.

A store that a newer nightjar wrote is refused, since what it means is not known here.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - dataclass fields are read at run time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from core.datasets import DATASETS
from core.errors import StoreTooNew
from storage.arrivals import ARRIVALS
from storage.schema import added_ddl, hot_ddl, quoted

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

_RECORD = (
    "create table if not exists schema_migrations "
    "(version INTEGER, name VARCHAR, applied_at TIMESTAMPTZ)"
)


@dataclass(frozen=True)
class Migration:
    """One change; `apply` runs in the transaction that also records it."""

    version: int
    name: str
    apply: Callable[[DuckDBPyConnection], None]


def _first_tables(con: DuckDBPyConnection) -> None:
    for dataset in DATASETS.values():
        con.execute(hot_ddl(dataset))
    con.execute(
        "create table batches "
        "(batch VARCHAR, dataset VARCHAR, state VARCHAR, rows BIGINT, settled_at TIMESTAMPTZ)"
    )
    con.execute(
        "create table files "
        "(dataset VARCHAR, path VARCHAR, rows BIGINT, sha256 VARCHAR, written_at TIMESTAMPTZ)"
    )


def _tables_of(con: DuckDBPyConnection, version: int) -> None:
    """Make the tables that are new, and give the others the columns that came with a version."""
    for dataset in DATASETS.values():
        con.execute(hot_ddl(dataset))
        for name, since in dataset.since.items():
            if since == version:
                con.execute(added_ddl(dataset, name))


def _ledger_tables(con: DuckDBPyConnection) -> None:
    _tables_of(con, 2)


def _new_tables(con: DuckDBPyConnection) -> None:
    for dataset in DATASETS.values():
        con.execute(hot_ddl(dataset))


def _nothing(_con: DuckDBPyConnection) -> None:
    """Change no table: the number marks what later versions rely on."""


def _history_tables(con: DuckDBPyConnection) -> None:
    """Let the store say how it stood at any time, and what was asked of whom."""
    _tables_of(con, 4)
    con.execute(ARRIVALS)


def _warnings(con: DuckDBPyConnection) -> None:
    _tables_of(con, 6)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "make the first tables", _first_tables),
    Migration(2, "keep candidates, the chain of nights and paper trading", _ledger_tables),
    Migration(3, "hold the place of the lake's own changes", _nothing),
    Migration(4, "keep what was asked, and when rows came", _history_tables),
    Migration(5, "keep what more sources say", _new_tables),
    Migration(6, "keep what the gates warned of", _warnings),
)


def start(con: DuckDBPyConnection, now: datetime) -> None:
    """Give a hot file that is being made all its tables, as all migrations would one by one."""
    con.execute("begin")
    con.execute(_RECORD)
    _first_tables(con)
    con.execute(ARRIVALS)
    done = [[migration.version, migration.name, now] for migration in MIGRATIONS]
    con.executemany("insert into schema_migrations values (?, ?, ?)", done)
    con.execute("commit")


def has_table(con: DuckDBPyConnection, name: str) -> bool:
    """Return whether the hot file, open in `con` as the database `hot`, has the table."""
    return columns_of(con, name) is not None


def columns_of(con: DuckDBPyConnection, name: str) -> list[str] | None:
    """Return the columns that a table of the hot file has, None where there is no such table.

    Asking the table costs a tenth of the first look into DuckDB's list of tables (10 ms).
    """
    try:
        found = con.execute(f"from hot.{quoted(name)} limit 0")
        return [column[0] for column in found.description or []]
    except duckdb.CatalogException:
        return None


def applied(con: DuckDBPyConnection) -> int:
    """Return the number of the last migration that the hot file had, 0 for a new one."""
    if not has_table(con, "schema_migrations"):
        return 0
    rows = con.execute("select coalesce(max(version), 0) from hot.schema_migrations").fetchall()
    return int(rows[0][0])


def refuse_newer(con: DuckDBPyConnection, path: Path) -> int:
    """Return `applied`, or raise `StoreTooNew` where this version does not know it."""
    had, known = applied(con), MIGRATIONS[-1].version
    if had > known:
        raise StoreTooNew(str(path), version=had, known=known)
    return had


def migrate(con: DuckDBPyConnection, path: Path, now: datetime) -> list[int]:
    """Apply what the hot file has not had yet, each in its own transaction; return the numbers."""
    had = refuse_newer(con, path)
    todo = [migration for migration in MIGRATIONS if migration.version > had]
    for migration in todo:
        con.execute("begin")
        con.execute(_RECORD)
        migration.apply(con)
        record = "insert into schema_migrations values (?, ?, ?)"
        con.execute(record, [migration.version, migration.name, now])
        con.execute("commit")
    return [migration.version for migration in todo]
