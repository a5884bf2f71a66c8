"""Who may touch the store: one writer at a time, and no reader of hot while it is written.

Two locks, both held by the operating system, so that they end with the process that holds them:
`write.lock` is taken by whoever changes anything, for as long as the change takes;
`hot.lock` is shared by readers of `hot.duckdb` and taken alone only while that file is open for
writing. DuckDB locks the file as well, but a POSIX lock ends when *any* handle of the process on
that file closes, so that one reader's end would free the file under another reader.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from filelock import FileLock, ReadWriteLock, Timeout

from core.errors import StoreBusy, StoreDamaged, StoreUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.store import Store

_POLL = 0.01  # seconds between two looks at a lock that is held


class Holder(msgspec.Struct, frozen=True):
    """Who holds the write lock, and what for."""

    pid: int
    doing: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.doing})"


class Patience:
    """A wait that is bounded over all that is waited for."""

    def __init__(self, seconds: float) -> None:
        self._started = time.monotonic()
        self._seconds = seconds

    @property
    def waited(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds that remain, never below 0."""
        return max(0.0, self._seconds - self.waited)


@contextmanager
def one_writer(store: Store, doing: str, patience: Patience) -> Iterator[None]:
    """Be the only one who changes the store; raise `StoreBusy` naming who else does."""
    lock = FileLock(_write_lock(store), is_singleton=False)
    try:
        store.home.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience.left, poll_interval=_POLL)
    except Timeout:
        raise StoreBusy(
            str(store.home), waited=round(patience.waited, 1), holder=_holder(store)
        ) from None
    except OSError as error:
        raise StoreUnwritable(str(_write_lock(store)), str(error)) from error
    try:
        with suppress(OSError):  # a full disk: the note is for others' error text only
            _note(store).write_bytes(msgspec.json.encode(Holder(os.getpid(), doing)))
        yield
    finally:
        with suppress(OSError):  # what it says is then stale, and `_holder` is only a text
            _note(store).unlink(missing_ok=True)
        lock.release()


@contextmanager
def hot_alone(store: Store, patience: Patience) -> Iterator[None]:
    """Keep every reader away from `hot.duckdb`."""
    try:
        lock = _hot_lock(store)
        lock.acquire_write(timeout=patience.left)
    except Timeout:
        raise StoreBusy(
            str(store.hot_path), waited=round(patience.waited, 1), holder="a reader"
        ) from None
    except (sqlite3.DatabaseError, OSError) as error:
        raise _no_lock(store, error) from error
    try:
        yield
    finally:
        lock.release()
        lock.close()


@contextmanager
def hot_shared(store: Store, patience: Patience) -> Iterator[None]:
    """Keep `hot.duckdb` as it is while it is read."""
    try:
        lock = _hot_lock(store)
        lock.acquire_read(timeout=patience.left)
    except Timeout:
        raise StoreBusy(
            str(store.hot_path), waited=round(patience.waited, 1), holder=_holder(store)
        ) from None
    except (sqlite3.DatabaseError, OSError) as error:
        if not os.access(store.home, os.W_OK):  # nobody can write here, so nobody need be kept away
            yield
            return
        raise _no_lock(store, error) from error
    try:
        yield
    finally:
        lock.release()
        lock.close()


def stale_note(store: Store) -> Path | None:
    """Return the note of a writer that is no more, None where there is none.

    It holds nobody up: the lock itself ended with its process.
    """
    try:
        holder = msgspec.json.decode(_note(store).read_bytes(), type=Holder)
        os.kill(holder.pid, 0)
    except FileNotFoundError:
        return None
    except (ProcessLookupError, msgspec.DecodeError):
        return _note(store)
    except PermissionError:  # it lives, and is another user's
        return None
    return None


def _no_lock(
    store: Store, error: sqlite3.DatabaseError | OSError
) -> StoreDamaged | StoreUnwritable:
    path = str(store.home / "hot.lock")
    if isinstance(
        error, sqlite3.OperationalError | OSError
    ):  # the disk is full, or the folder refuses
        return StoreUnwritable(path, str(error))
    return StoreDamaged(path, f"it is no lock any more ({error}); it can be deleted")


def _hot_lock(store: Store) -> ReadWriteLock:
    # An instance of its own: one that threads share would refuse instead of waiting.
    return ReadWriteLock(store.home / "hot.lock", is_singleton=False)


def _write_lock(store: Store) -> Path:
    return store.home / "write.lock"


def _note(store: Store) -> Path:
    return store.home / "write.holder"


def _holder(store: Store) -> str:
    """Return who holds the write lock as far as it left a note."""
    try:
        return str(msgspec.json.decode(_note(store).read_bytes(), type=Holder))
    except (OSError, msgspec.DecodeError):  # it just ended, or is writing the note
        return "another writer"
