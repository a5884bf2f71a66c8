"""Hot made again from what of it can be read, and from cold.

Nothing damaged is deleted: it is moved to `NIGHTJAR_HOME/damaged/`, and can be deleted by hand
once nobody misses anything.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import msgspec

from core.clock import month_of, require_utc, to_micros
from core.datasets import DATASETS
from core.errors import LakeUnavailable, StoreDamaged
from storage import lock, objects
from storage.cold import cold_files, scan_files, tables
from storage.hot_file import in_memory, opened
from storage.journal import journal_path
from storage.schema import quoted
from storage.scrub import damage_of, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import polars as pl
    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.store import Store

FOLDER = "damaged"
_GROUP = 122_880  # rows of a DuckDB row group: what a broken block takes with it


class Rebuilt(msgspec.Struct, frozen=True):
    """What became of one table of hot: rows that could be read, that could not, and of cold."""

    table: str
    salvaged: int = 0
    unreadable: int = 0
    from_cold: int = 0


def set_aside(store: Store, path: Path, now: datetime) -> Path:
    """Move a damaged file to `damaged/`; return where it is now."""
    folder = store.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{require_utc(now):%Y%m%dT%H%M%S}-{path.name}"
    shutil.move(path, target)
    return target


def rebuild_hot(store: Store, *, now: datetime) -> list[Rebuilt]:
    """Make `hot.duckdb` anew; the old file goes to `damaged/`.

    Rows of it that can still be read are kept, whatever else is broken. Then come the rows of
    cold that are young enough to be hot. What landing has beside is not looked at here.

    Raises:
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
    """
    patience = lock.Patience(store.lock_wait)
    with lock.one_writer(store, "rebuilding hot.duckdb", patience):
        with lock.hot_alone(store, patience):
            old = _hot_aside(store, now)
        done = [
            _salvage(store, old, name, total, now)
            for name, total in _sizes(old, _new_tables(store, now)).items()
        ]
        done += [_thaw(store, DATASETS[name], now) for name in _lake_tables(store)]
        record_files(store, now)
    total: dict[str, Rebuilt] = {}
    for part in done:
        had = total.get(part.table, Rebuilt(part.table))
        total[part.table] = msgspec.structs.replace(
            had,
            salvaged=had.salvaged + part.salvaged,
            unreadable=had.unreadable + part.unreadable,
            from_cold=had.from_cold + part.from_cold,
        )
    return [table for table in total.values() if table != Rebuilt(table.table)]


def _lake_tables(store: Store) -> list[str]:
    try:
        return sorted(tables(store))
    except (StoreDamaged, LakeUnavailable):
        return []  # what is wrong with the lake is another finding


def _hot_aside(store: Store, now: datetime) -> Path | None:
    """Move the hot file and its log of changes aside together, so that they still fit."""
    if not store.hot_path.exists():
        return None
    log = store.hot_path.with_name(store.hot_path.name + ".wal")
    if journal_path(store).exists():
        set_aside(store, journal_path(store), now)
    moved = set_aside(store, store.hot_path, now)
    if log.exists():
        shutil.move(log, moved.with_name(moved.name + ".wal"))
    return moved


def _new_tables(store: Store, now: datetime) -> list[str]:
    """Make the new file; return the tables that it has, but for the one of its migrations."""
    with opened(store, now=now) as con:
        rows = con.execute(
            "select table_name from duckdb_tables() where database_name = 'hot' order by all"
        ).fetchall()
    return [name for (name,) in rows if name != "schema_migrations"]


def _sizes(old: Path | None, names: list[str]) -> dict[str, int]:
    """Return how many rows the old file says that its tables have, as far as it still says so."""
    sizes: dict[str, int] = {}
    left = [] if old is None else list(names)
    while old is not None and left:
        before = len(left)
        try:
            with _damaged(old) as con:
                while left:  # a table that cannot be counted costs a new connection
                    name = left.pop()
                    rows = con.execute(f"select count(*) from {quoted(name)}").fetchall()
                    sizes[name] = int(rows[0][0])
        except duckdb.Error:
            if len(left) == before:
                break  # it does not open
    return {name: size for name, size in sizes.items() if size}


def _salvage(store: Store, old: Path | None, table: str, total: int, now: datetime) -> Rebuilt:
    """Copy what can be read of one table into the new file."""
    if old is None:
        return Rebuilt(table)
    parts = _readable(old, table, total)
    salvaged = sum(part.height for part in parts)
    if parts:
        with opened(store, now=now) as con:
            for part in parts:
                _insert(con, table, part)
    return Rebuilt(table, salvaged=salvaged, unreadable=total - salvaged)


def _readable(old: Path, table: str, total: int) -> list[pl.DataFrame]:
    """Return what can be read of a table of a damaged file."""
    parts = []
    for start in range(0, total, _GROUP):
        where = f"rowid >= {start} and rowid < {start + _GROUP}"
        try:  # opened again for each part: a broken block makes DuckDB give up the whole file
            with _damaged(old) as con:
                parts.append(con.sql(f"select * from {quoted(table)} where {where}").pl())
        except duckdb.Error:
            continue
    return parts


@contextmanager
def _damaged(old: Path) -> Iterator[DuckDBPyConnection]:
    """Open a damaged file for reading; as it was last checkpointed where its log is broken."""
    try:
        con = duckdb.connect(old, read_only=True)
    except duckdb.Error:
        log = old.with_name(old.name + ".wal")
        if not log.exists():
            raise
        log.rename(log.with_name(log.name + ".unreadable"))
        con = duckdb.connect(old, read_only=True)
    try:
        con.execute("set TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


def _insert(con: DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    there = [row[0] for row in con.execute(f"describe hot.{quoted(table)}").fetchall()]
    con.register("salvaged", rows.select([name for name in rows.columns if name in there]))
    con.execute(f"insert into hot.{quoted(table)} by name select * from salvaged")
    con.unregister("salvaged")


def _thaw(store: Store, dataset: Dataset, now: datetime) -> Rebuilt:
    """Copy cold rows that are young enough to be hot, and are not, into the new file."""
    nothing = Rebuilt(dataset.name)
    try:
        known = recorded(store)
        files = [
            file  # what is not what was written must not come into hot unnoticed
            for file in cold_files(store, dataset)
            if damage_of(file, known.get(store.in_lake(file.path))) is None
        ]
        if not files:
            return nothing
        with in_memory() as con:
            query = f"from ({scan_files(con, dataset, files)})"
            if dataset.hot_days is not None:
                since = month_of(require_utc(now) - timedelta(days=dataset.hot_days))
                query += f" where {quoted(dataset.time_column)} >= "
                query += f"make_timestamptz({to_micros(since)})"
            young = dataset.conform(con.sql(query).pl())
    except (StoreDamaged, LakeUnavailable, duckdb.Error):
        return nothing  # what is wrong with the lake is another finding
    with opened(store, now=now) as con:
        key = ", ".join(map(quoted, dataset.key))
        con.register("young", young)
        copied = con.execute(
            f"insert into hot.{quoted(dataset.name)} by name "
            f"select * from young anti join hot.{quoted(dataset.name)} using ({key})"
        ).fetchall()
        con.unregister("young")
    return Rebuilt(dataset.name, from_cold=int(copied[0][0]))


def record_files(store: Store, now: datetime) -> int:
    """Make the catalogue list the lake's files, each with its hash; return how many.

    The hash is the one in the name, or the one that was recorded, or, where a file has neither,
    that of its bytes as they are. For who holds no lock, or the write lock.
    """
    rows, seen = [], []
    known = recorded(store)
    for dataset in DATASETS.values():
        try:
            files = cold_files(store, dataset) if dataset.name in tables(store) else []
        except (StoreDamaged, LakeUnavailable):
            continue  # what was recorded of it stays
        seen.append(dataset.name)
        for file in files:
            path = store.in_lake(file.path)
            digest = file.sha256 or known.get(path) or _hash_of(file.path)
            if digest is not None:
                rows.append([dataset.name, path, file.rows, digest, now])
    with opened(store, now=now) as con:
        con.execute("delete from hot.files where list_contains(?::varchar[], dataset)", [seen])
        for row in rows:
            con.execute("insert into hot.files values (?, ?, ?, ?, ?)", row)
    return len(rows)


def _hash_of(path: str) -> str | None:
    try:
        return objects.sha256(path)
    except StoreDamaged:
        return None
