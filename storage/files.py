"""Whole files or none: atomic writes, and hashes of files and of what frames hold."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from core.errors import StoreDamaged, StoreUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Compression = Literal["lz4", "zstd"]

TEMPORARY = ".tmp-"
_UNREADABLE = (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)
_CHUNK = 1 << 20


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name to write to; on success it becomes `path`, whole and on disk.

    Whoever looks sees the old file or the new one. After a power cut the same holds, since the
    file is flushed before it gets its name, and the folder after. A disk that refuses raises
    `StoreUnwritable`.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{os.urandom(4).hex()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise StoreUnwritable(str(path), str(error)) from error
    finally:
        with suppress(OSError):  # it is swept away later, as after a kill
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file's content, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_parquet(path: Path) -> pl.DataFrame:
    """Return a Parquet file's rows; raise `StoreDamaged` where it cannot be read as one.

    Polars takes a file at its word, and a few wrong bytes can end the process in it: it reads only
    what is known by its hash to be what was written.
    """
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read(use_threads=False)
        table.validate(full=True)
        return pl.DataFrame(pl.from_arrow(table))
    except (
        pa.ArrowException,
        pl.exceptions.PolarsError,
        OSError,
        ValueError,
        MemoryError,
    ) as error:
        raise StoreDamaged(str(path), str(error)) from error


def write_parquet(
    path: Path, frame: pl.DataFrame, *, compression: Compression, facts: dict[str, str]
) -> None:
    """Write a Parquet file, whole or not at all; `facts` are what it says beside its rows.

    It is made in memory: Polars has its own words for a disk that refuses.
    """
    content = io.BytesIO()
    frame.write_parquet(content, compression=compression, metadata=facts)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def content_sha256(frame: pl.DataFrame) -> str:
    """Return a SHA-256 of column names, types and values in hexadecimal.

    It depends on nothing but the content: not on how the frame is stored in memory, nor on the
    versions of the libraries that wrote it.
    """
    digest = hashlib.sha256()
    for column in frame:
        digest.update(f"{column.name}:{column.dtype}:{len(column)};".encode())
        for part in buffers(column):
            digest.update(part)
    return digest.hexdigest()


def buffers(column: pl.Series) -> Iterator[bytes]:
    """Return a column's values as bytes: where they are null, then how long, then what.

    Bits and little-endian numbers: texts and lists give the length of each (null has 0) and then
    what they hold, one after the other; other types give each value in its physical form.
    """
    holes = column.null_count()
    yield (
        np.packbits(column.is_null().to_numpy()).tobytes() if holes else bytes(-(-len(column) // 8))
    )
    if column.dtype == pl.String():
        yield column.str.len_bytes().fill_null(0).to_numpy().astype("<u4").tobytes()
        yield _joined(column)
    elif isinstance(column.dtype, pl.List):
        lengths = column.list.len().fill_null(0)
        yield lengths.to_numpy().astype("<u4").tobytes()
        yield from buffers(column.filter(lengths > 0).explode())
    elif column.dtype == pl.Boolean():
        yield np.packbits(column.fill_null(value=False).to_numpy()).tobytes()
    else:
        numbers = column.to_physical()
        values = (numbers.fill_null(0) if holes else numbers).to_numpy()
        yield values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def _joined(texts: pl.Series) -> bytes:
    """Return all texts one after the other, in UTF-8; null is none."""
    if len(texts) and not texts.has_nulls() and (texts == texts[0]).all():  # as in most columns
        return bytes(texts[0].encode() * len(texts))
    return (texts.str.join("").item() or "").encode()
