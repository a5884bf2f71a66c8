"""Bytes of files that others made: bounded in size, whole, and never trusted.

A zip or gzip may be cut, damaged, or a bomb that unpacks to more than the machine holds. `refuse`
builds the error of the room that asks, from a text.
"""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from zlib_ng import zlib_ng

from core.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from sources.numbers import Refuse

AT_MOST = 1024 * 1024 * 1024  # bytes, packed or unpacked: 100 years of minutes are about as much
RATIO = 200  # times a file may grow; a year of the same minute over and over grows 60 times
FREE = 1024 * 1024  # bytes up to which the ratio does not matter

_NG_ERROR: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub calls it a value

# What damage can raise. NotImplementedError: an unknown compression; RuntimeError: encrypted;
# ValueError: a place before the file's start; LookupError: a file without a name; the rest is
# raised by what unpacks.
_NOT_A_ZIP = (
    *(zipfile.BadZipFile, zlib.error, _NG_ERROR, lzma.LZMAError, struct.error, EOFError),
    *(OSError, NotImplementedError, RuntimeError, ValueError, LookupError),
)
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip: its mark, the lengths of name and extra
_ENCRYPTED = 1  # the bit that says so
_RAW = -15  # deflate without a head of its own, as a zip has it


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_whole(path: Path, *, at_most: int = AT_MOST) -> bytes:
    """Return the bytes of `path`; raise `InvalidInput` where it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as error:
        raise InvalidInput(f"expected a file to read, was {path}: {error.strerror}") from None
    if len(data) > at_most:
        raise InvalidInput(f"expected a file of at most {at_most} bytes, was {path}")
    return data


def unzip(data: bytes, refuse: Refuse, *, at_most: int = AT_MOST) -> tuple[str, bytes]:
    """Return the name and the bytes of the one file in a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise refuse(f"expected one file in the zip, was {len(members)}")
            member = members[0]
            if member.compress_type == zipfile.ZIP_DEFLATED and not member.flag_bits & _ENCRYPTED:
                content = _inflate(data, member, refuse, at_most)
            else:
                with archive.open(member) as file:
                    content = _read(file, len(data), refuse, at_most)
    except _NOT_A_ZIP as error:
        raise refuse(f"expected a whole zip, was damaged or cut: {error}") from None
    return PurePosixPath(member.filename).name, content


def _inflate(data: bytes, member: zipfile.ZipInfo, refuse: Refuse, at_most: int) -> bytes:
    """Unpack what nearly every zip holds, in half the time that the standard library takes.

    Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7 and 4.4.
    """
    mark, name, extra = _LOCAL_HEADER.unpack_from(data, member.header_offset)
    if mark != b"PK\3\4":
        raise zipfile.BadZipFile("no file where its directory says")
    start = member.header_offset + _LOCAL_HEADER.size + name + extra
    packed = memoryview(data)[start : start + member.compress_size]
    allowed = _allowed(len(data), at_most)
    stream = zlib_ng.decompressobj(_RAW)
    content: bytes = stream.decompress(packed, allowed + 1)
    _require_small(content, len(data), allowed, refuse)
    whole = stream.eof and len(content) == member.file_size
    if not whole or zlib_ng.crc32(content) != member.CRC:
        raise zipfile.BadZipFile(f"bad size or CRC-32 of {member.filename!r}")
    return content


def gunzip(data: bytes, refuse: Refuse, *, at_most: int = AT_MOST) -> bytes:
    """Return what a gzip holds."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return _read(file, len(data), refuse, at_most)
    except (gzip.BadGzipFile, zlib.error, EOFError, struct.error) as error:
        raise refuse(f"expected a whole gzip, was damaged or cut: {error}") from None


def _read(file: _Readable, packed: int, refuse: Refuse, at_most: int) -> bytes:
    """Read to the end, but never past what is allowed: a header may lie about the size."""
    allowed = _allowed(packed, at_most)
    content = file.read(allowed + 1)
    _require_small(content, packed, allowed, refuse)
    return content


def _allowed(packed: int, at_most: int) -> int:
    return min(at_most, max(FREE, RATIO * packed))


def _require_small(content: bytes, packed: int, allowed: int, refuse: Refuse) -> None:
    if len(content) > allowed:
        raise refuse(f"{packed} bytes unpack to over {allowed}: is it a bomb?")
