"""Whose lake it is: the desk whose commit is the newest of a table, and no other.

Two desks on one lake would delete each other's unfinished files. So every commit of ours carries
a random token as a Delta transaction of the application `nightjar`, and the desk keeps the tokens
that it used in `NIGHTJAR_HOME/lake.tokens`, written before the commit. A newest commit with a
token that is not ours was made by somebody else, be it a copy of this desk on another machine.
Delta refuses a commit when another one of the same application came between
(https://github.com/delta-io/delta/blob/master/PROTOCOL.md, transaction identifiers), so that
whoever takes the lake over also stops what the other one has under way.
"""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

import msgspec
from deltalake import CommitProperties, Transaction

from core.errors import LakeTaken, NothingStored, StoreDamaged
from storage import objects
from storage.files import replacing
from storage.migrations import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from deltalake import DeltaTable

    from storage.store import Store

APPLICATION = "nightjar"
VERSION = "nightjar.version"  # the application whose number is the newest migration of the writer
TOKENS = "lake.tokens"  # under NIGHTJAR_HOME
_KEPT = 2  # tokens a table: of the newest commit, and of one that may not have happened


class _Tokens(msgspec.Struct):
    """By table: the tokens that this desk used last."""

    tables: dict[str, list[int]] = msgspec.field(default_factory=dict)


def next_commit(store: Store, folder: str, table: DeltaTable | None) -> CommitProperties:
    """Return what this desk's next commit to a table carries; keep its token first.

    Raises:
        LakeTaken: the newest commit is somebody else's.
    """
    require_ours(store, folder, table)
    return _properties(store, folder, None if table is None else _newest(table))


def take_over(store: Store, folder: str) -> CommitProperties:
    """Return what the commit carries that makes a table this desk's, whoever had it before."""
    return _properties(store, folder, None)


def require_ours(store: Store, folder: str, table: DeltaTable | None) -> None:
    """Raise `LakeTaken` unless this desk made the table's newest commit, or nobody owns it yet."""
    newest = None if table is None else _newest(table)
    if newest is None:
        return
    known = _read(store).tables.get(_name(folder), [])
    if newest not in known:
        raise LakeTaken(folder, owner=_owner(folder, table))


def _properties(store: Store, folder: str, newest: int | None) -> CommitProperties:
    token = secrets.randbits(62)
    tokens = _read(store)
    tokens.tables[_name(folder)] = [token, *([] if newest is None else [newest])][:_KEPT]
    with replacing(_path(store)) as temporary:
        temporary.write_bytes(msgspec.json.encode(tokens))
    return CommitProperties(
        custom_metadata={APPLICATION: f"{socket.gethostname()}:{store.home}"},
        app_transactions=[
            Transaction(APPLICATION, token),
            Transaction(VERSION, MIGRATIONS[-1].version),
        ],
        max_commit_retries=3,
    )


def _name(folder: str) -> str:
    """Return the table's name: a lake that moved is still the lake."""
    return folder.rsplit("/", 1)[-1]


def _newest(table: DeltaTable) -> int | None:
    return table.transaction_version(APPLICATION)


def _owner(folder: str, table: DeltaTable | None) -> str:
    """Return the desk that the newest commit names, as far as the log still says."""
    try:
        version = 0 if table is None else table.version()
        log = objects.read(f"{folder}/_delta_log/{version:020}.json")
        infos = [line for line in log.splitlines() if line.startswith(b'{"commitInfo"')]
        return f"the desk {msgspec.json.decode(infos[0])['commitInfo'][APPLICATION]}"
    except (NothingStored, OSError, LookupError, msgspec.DecodeError):
        return "another desk"


def _read(store: Store) -> _Tokens:
    path = _path(store)
    if not path.exists():
        return _Tokens()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Tokens)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreDamaged(str(path), str(error)) from error


def _path(store: Store) -> Path:
    return store.home / TOKENS
