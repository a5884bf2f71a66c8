"""What a checkpoint of the hot file overwrites, kept beside it until the checkpoint is done.

DuckDB 2.0 never overwrites rows that a file's header names, but it does overwrite blocks of
metadata in place (256 KiB at a time). A process killed inside of such a write, or a disk that takes
half of it, leaves a block that is neither old nor new, and a file that cannot be opened any more.
So the old blocks go into `hot.journal` first, as databases have long done it with a double write.
While the file's header is still the old one, they are what it speaks of; once it is the new one,
which DuckDB writes only after its blocks are on disk, the journal means nothing.

File format: https://duckdb.org/docs/stable/internals/storage
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import StoreUnwritable
from storage.files import replacing, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from storage.store import Store

_HEADERS = 3 * 4_096  # bytes: what the file is, and the two places of its newest header
_BLOCK = 262_144  # bytes of a block of DuckDB's, its checksum included
_MAGIC = b"nightjar journal 1\n"
_DIGEST = hashlib.sha256().digest_size


def journal_path(store: Store) -> Path:
    """Return where the journal lies; there is none while all is well and nobody writes."""
    return store.home / "hot.journal"


@contextmanager
def journalled(store: Store, con: DuckDBPyConnection) -> Iterator[None]:
    """Keep what the next checkpoint of the file, open in `con` as `hot`, may overwrite.

    The checkpoint happens inside of the block. Where the block fails the journal stays, and
    `recover` finds out what it is good for.
    """
    found = con.execute("select block_id from pragma_metadata_info('hot') order by 1").fetchall()
    path = journal_path(store)
    # Closed only after DuckDB closed the file: the first close ends every lock of the process.
    handle = os.open(store.hot_path, os.O_RDONLY)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(_packed(handle, [int(block) for (block,) in found]))
        yield
        _remove(path)
    finally:
        os.close(handle)


def recover(store: Store) -> int:
    """Put back what a checkpoint that was cut off has half overwritten; return how many blocks.

    Only for who keeps all others from the hot file. May itself be cut off, and be run again.
    """
    path = journal_path(store)
    if not path.exists():
        return 0
    blocks = _unpacked(path.read_bytes())
    restored = 0
    try:
        if blocks and store.hot_path.exists():
            restored = _restore(store.hot_path, blocks)
        path.unlink()
        sync(path.parent)
    except OSError as error:
        raise StoreUnwritable(str(store.hot_path), str(error)) from error
    return restored


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:  # what was written is; doing it again changes nothing
        raise StoreUnwritable(str(path), str(error)) from error


def _restore(hot: Path, blocks: dict[int, bytes]) -> int:
    """Write back the blocks that are no longer what they were, if the header still means them."""
    handle = os.open(hot, os.O_RDWR)
    restored = 0
    try:
        if os.pread(handle, _HEADERS, 0) != blocks[0]:
            return 0
        for offset, content in blocks.items():
            if os.pread(handle, len(content), offset) != content:
                _write(handle, content, offset)
                restored += 1
        os.fsync(handle)
    finally:
        os.close(handle)
    return restored


def _write(handle: int, content: bytes, offset: int) -> None:
    while content:
        written = os.pwrite(handle, content, offset)
        content, offset = content[written:], offset + written


def _packed(handle: int, numbers: list[int]) -> bytes:
    """Return the headers and the blocks, each with its offset, and a hash of it all."""
    places = [(0, _HEADERS), *((_HEADERS + number * _BLOCK, _BLOCK) for number in numbers)]
    parts = [_MAGIC]
    for offset, length in places:
        content = os.pread(handle, length, offset)
        parts += [offset.to_bytes(8, "little"), len(content).to_bytes(8, "little"), content]
    body = b"".join(parts)
    return body + hashlib.sha256(body).digest()


def _unpacked(data: bytes) -> dict[int, bytes]:
    """Return what `_packed` packed, by offset; nothing where the file is not whole."""
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if not body.startswith(_MAGIC) or hashlib.sha256(body).digest() != digest:
        return {}
    blocks, here = {}, len(_MAGIC)
    while here < len(body):
        offset, length = (int.from_bytes(body[here + i : here + i + 8], "little") for i in (0, 8))
        blocks[offset] = body[here + 16 : here + 16 + length]
        here += 16 + length
    return blocks
