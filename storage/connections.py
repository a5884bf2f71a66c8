"""Databases in memory that are used again: making one costs more than most questions (20 ms)."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

_MOST_IDLE = 4

# Nothing is downloaded or loaded behind the reader's back, and no variable of the calling
# Python becomes a table.
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}

_idle: list[DuckDBPyConnection] = []
_inherited: list[DuckDBPyConnection] = []  # never closed: their threads did not survive the fork
_guard = threading.Lock()


def _after_fork() -> None:
    global _guard  # noqa: PLW0603 - the parent's may be held for ever
    _guard = threading.Lock()
    _inherited.extend(_idle)
    _idle.clear()


os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _leave() -> None:
    """Close what is idle while it can still be closed.

    A daemon thread, such as Prefect's, keeps alive what its stack reaches until after the
    interpreter has ended. A connection among that would take DuckDB's classes along, and DuckDB
    prints each of them to stderr.
    """
    with _guard:
        while _idle:
            _idle.pop().close()


@contextmanager
def borrowed() -> Iterator[DuckDBPyConnection]:
    """Yield a connection, nobody else's until the block ends, to an empty database in memory.

    It loads nothing by itself and speaks UTC. A file that the block attached as `hot` is closed
    when this returns. The block leaves no other file, and no table or view that is not temporary,
    in a database that it does not lock down: one that is locked down, or in which anything failed,
    is not used again.
    """
    with _guard:
        database = _idle.pop() if _idle else None
    if database is None:
        database = duckdb.connect(":memory:", config=_CLOSED)
    con = database.cursor()
    sound = False
    try:
        con.execute("set TimeZone = 'UTC'")
        yield con
        sound = True
    finally:
        con.close()
        _put_back(database, sound=sound)


def _put_back(database: DuckDBPyConnection, *, sound: bool) -> None:
    if sound:
        with suppress(duckdb.Error):  # locked down: whoever asked for that keeps it to themselves
            database.execute("detach database if exists hot")
            database.execute("set lock_configuration = false")
            with _guard:
                if len(_idle) < _MOST_IDLE:
                    _idle.append(database)
                    return
    database.close()
