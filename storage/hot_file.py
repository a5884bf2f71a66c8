"""Opening `hot.duckdb`: briefly, alone for writing, and beside others for reading."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from core.errors import StoreBusy, StoreDamaged, StoreUnwritable
from storage import lock
from storage.connections import borrowed
from storage.files import replacing
from storage.journal import journal_path, journalled, recover
from storage.migrations import migrate, refuse_newer, start
from storage.schema import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from storage.store import Store

# What DuckDB raises when a file cannot be had: by another process, or by this one.
_TAKEN = (duckdb.IOException, duckdb.ConnectionException, duckdb.ResourceInUseException)
_NOT_WRITTEN = ("Could not write", "fsync failed", "CHECKPOINT during DETACH failed")
_PAUSE = 0.05  # seconds between two tries while another program holds the file
_PARQUET = re.compile(r"""["']([^"']+\.parquet)["']""")  # which file an error speaks of
_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.*?) ?\(PID (?P<pid>\d+)\)")


@contextmanager
def writing(store: Store, doing: str, *, now: datetime) -> Iterator[DuckDBPyConnection]:
    """Be the one writer, with the hot file open; raise `StoreBusy` when that cannot be had."""
    patience = lock.Patience(store.lock_wait)
    with lock.one_writer(store, doing, patience), opened(store, now=now) as con:
        yield con


@contextmanager
def opened(store: Store, *, now: datetime) -> Iterator[DuckDBPyConnection]:
    """Open the hot file for writing, its tables as this version knows them.

    Only for who holds the write lock. Everything done in the block is one transaction: it is
    committed at the end, or nothing of it happened.
    """
    patience = lock.Patience(store.lock_wait)
    with lock.hot_alone(store, patience):
        recover(store)
        if not store.hot_path.exists():
            _make(store, now)
        with _translating(store), in_memory() as con:
            _patiently(store, patience, lambda: con.execute(_attach(store.hot_path)))
            # One checkpoint, when all is done: the journal is of the state before it.
            con.execute("set wal_autocheckpoint = '1TB'")
            with journalled(store, con):
                con.execute("use hot")
                migrate(con, store.hot_path, now)
                con.execute("begin")
                yield con
                # The commit is that checkpoint: its rows are written once, and not to a log first.
                con.execute("set wal_autocheckpoint = '0B'")
                con.execute("commit")
                con.execute("use memory")
                con.execute("detach hot")


def _make(store: Store, now: datetime) -> None:
    """Make the hot file: whole, with its tables, before it has its name."""
    with replacing(store.hot_path) as path, _translating(store), in_memory() as con:
        con.execute(_attach(path))
        con.execute("use hot")
        start(con, now)
        con.execute("use memory")
        con.execute("detach hot")


def _attach(path: Path) -> str:
    return f"attach {literal(str(path))} as hot"


@contextmanager
def reading(store: Store) -> Iterator[DuckDBPyConnection]:
    """Open a database in memory that has the hot file attached as `hot`, for reading only.

    Where there is no hot file yet, there is no `hot` either. The file stays as it is, and cannot
    be written, until the block ends.
    """
    if not store.hot_path.exists():
        with in_memory() as con:
            yield con
        return
    patience = lock.Patience(store.lock_wait)
    with _shared(store, patience), in_memory() as con:
        con.execute("set temp_directory = $folder", {"folder": str(store.home / "tmp")})
        _patiently(store, patience, lambda: con.execute(f"{_attach(store.hot_path)} (read_only)"))
        refuse_newer(con, store.hot_path)
        with _translating(store):
            yield con


@contextmanager
def _shared(store: Store, patience: lock.Patience) -> Iterator[None]:
    """Keep writers away; mend first what one that was cut off has left."""
    while True:
        with lock.hot_shared(store, patience):
            if not journal_path(store).exists():
                yield
                return
        with lock.hot_alone(store, patience):
            recover(store)


@contextmanager
def in_memory() -> Iterator[DuckDBPyConnection]:
    """Open a database in memory that loads nothing by itself and speaks UTC."""
    with borrowed() as con:
        yield con


@contextmanager
def _translating(store: Store) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _translated(store, error) from error


def _patiently(
    store: Store, patience: lock.Patience, attempt: Callable[[], DuckDBPyConnection]
) -> DuckDBPyConnection:
    """Try until it works; raise `StoreBusy` naming the program that holds the file."""
    while True:
        try:
            return attempt()
        except _TAKEN as error:
            holder = _holder(error)
            if holder is None:
                raise StoreDamaged(str(store.hot_path), str(error)) from error
            if not patience.left:
                waited = round(patience.waited, 1)
                raise StoreBusy(str(store.hot_path), waited=waited, holder=holder) from error
            time.sleep(_PAUSE)


def _translated(store: Store, error: duckdb.Error) -> Exception:
    """Return what a failed transaction means; a mistake in our SQL stays what it is.

    DuckDB has one class for reading and for writing a file, so that its text must decide.
    """
    text = str(error)
    unwritable = any(words in text for words in _NOT_WRITTEN)
    if isinstance(error, duckdb.TransactionException) or unwritable:
        return StoreUnwritable(str(store.hot_path), text)
    file = named[0] if (named := _PARQUET.findall(text)) else str(store.hot_path)
    if isinstance(error, duckdb.IOException | duckdb.FatalException) or type(error) is duckdb.Error:
        return StoreDamaged(file, text)
    if isinstance(error, duckdb.InvalidInputException) and named:
        return StoreDamaged(file, text)
    return error


def _holder(error: duckdb.Error) -> str | None:
    """Return who holds the file, or None where the error speaks of something else.

    DuckDB has one class for every failure of a file, so that its text must decide.
    """
    if found := _HOLDER.search(str(error)):
        return f"{found['program'].strip() or 'another program'} (PID {found['pid']})"
    if "Could not set lock" in str(error):
        return "another program"
    return None if isinstance(error, duckdb.IOException) else "another connection of this process"
