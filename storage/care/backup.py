"""A copy of the store that is shown to be one: every file's hash, and every table's rows.

The copy is a home of its own: `NIGHTJAR_HOME` may point to it, or it is copied back. A lake in a
bucket is not copied; buckets have versions of their own.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.clock import require_utc
from core.errors import InvalidInput, StoreDamaged, StoreUnwritable
from storage import lock
from storage.care.doctor import Count, census
from storage.files import TEMPORARY, file_sha256, sync
from storage.identity import TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from storage.store import Store

_FOLDERS = ("landing", "quarantine", "nights", "reports")
_FILES = ("hot.duckdb", "hot.duckdb.wal", "hot.journal", TOKENS)


class Backup(msgspec.Struct, frozen=True):
    """A copy: where, how many files and bytes, and what its tables hold."""

    path: str
    files: int
    bytes: int
    counts: tuple[Count, ...]


def backup(store: Store, folder: Path, *, now: datetime) -> Backup:
    """Copy the store to `folder/<now>/`, open the copy, and compare it row by row and file by file.

    Writers wait meanwhile, readers do not. A copy that is not equal is not kept.

    Raises:
        InvalidInput: the folder is inside of the store, or has a copy of this second.
        StoreDamaged: the copy is not equal, or the store cannot be read.
        StoreUnwritable: the folder cannot be written.
    """
    target = folder.absolute() / f"{require_utc(now):%Y%m%dT%H%M%SZ}"
    if target.is_relative_to(store.home) or target.exists():
        raise InvalidInput(f"expected a new folder outside of {store.home}, was {target}")
    half = target.with_name(f"{TEMPORARY}{os.getpid()}-{target.name}")
    patience = lock.Patience(store.lock_wait)
    try:
        with lock.one_writer(store, "copying the store", patience):
            with lock.hot_shared(store, patience):
                copied = [_copied(source, half / name) for name, source in _sources(store)]
            counts = _equal(store, half)
            (half / "hot.lock").unlink(missing_ok=True)  # of looking at the copy
            half.rename(target)
            sync(target.parent)
    except OSError as error:
        raise StoreUnwritable(str(target), str(error)) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return Backup(str(target), len(copied), sum(copied), counts)


def _sources(store: Store) -> Iterator[tuple[str, Path]]:
    """Yield each file to copy with its place in the copy."""
    roots = [(name, store.home / name) for name in (*_FILES, *_FOLDERS)]
    if "://" not in store.lake:
        roots.append(("lake", Path(store.lake)))
    for name, root in roots:
        if root.is_file():
            yield name, root
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.name.startswith(TEMPORARY):
                yield f"{name}/{path.relative_to(root).as_posix()}", path


def _copied(source: Path, target: Path) -> int:
    """Copy a file to the disk; return its size, or raise where the copy has other bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    sync(target)
    if file_sha256(source) != file_sha256(target):
        raise StoreDamaged(str(target), f"its bytes are not those of {source}")
    return target.stat().st_size


def _equal(store: Store, copy: Path) -> tuple[Count, ...]:
    """Return what the tables of the copy hold, or raise where that is not what the store holds."""
    lake = str(copy / "lake") if "://" not in store.lake else store.lake
    here, there = census(store), census(replace(store, home=copy, lake=lake))
    if here != there:
        wrong = sorted({count.table for count in set(here) ^ set(there)})
        raise StoreDamaged(str(copy), f"the copy's rows differ in {', '.join(wrong)}")
    return there
