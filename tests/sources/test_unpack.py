"""What a zip holds comes out whole, or the error says that it did not."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SourceMalformed
from sources.unpack import unzip

CSV = b"1767225600000000,87648.21,87648.22,87608.03,87608.04,7.73\n" * 400
KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def refuse(reason: str) -> SourceMalformed:
    return SourceMalformed("test", reason)


def zipped(data: bytes = CSV, kind: int = zipfile.ZIP_DEFLATED, name: str = "bars.csv") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [CSV, b"", b"x"])
def test_what_was_zipped_comes_out(kind: int, data: bytes) -> None:
    assert unzip(zipped(data, kind), refuse) == ("bars.csv", data)


def test_a_zip_may_follow_other_bytes_and_its_file_lie_in_a_folder() -> None:
    assert unzip(b"#!self-extracting\n" + zipped(name="a/b.csv"), refuse) == ("b.csv", CSV)


def test_a_file_whose_size_is_only_known_at_its_end_comes_out() -> None:
    class Pipe(io.RawIOBase):
        """What cannot be written to a second time, so that sizes come after the content."""

        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, part: bytes) -> int:  # type: ignore[override]
            self.data += part
            return len(part)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bars.csv", CSV)
    assert unzip(bytes(pipe.data), refuse) == ("bars.csv", CSV)


def test_what_is_encrypted_is_refused() -> None:
    data = bytearray(zipped())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    with pytest.raises(SourceMalformed, match="password"):
        unzip(bytes(data), refuse)


def test_a_file_without_a_name_is_refused() -> None:
    data = bytearray(zipped())
    name = data.rindex(b"bars.csv")
    data[name : name + 8] = bytes(8)
    with pytest.raises(SourceMalformed, match="damaged or cut"):
        unzip(bytes(data), refuse)


def test_a_bomb_is_not_unpacked_to_its_end() -> None:
    with pytest.raises(SourceMalformed, match="is it a bomb"):
        unzip(zipped(bytes(64 * 1024 * 1024)), refuse)
    with pytest.raises(SourceMalformed, match="unpack to over 1000"):
        unzip(zipped(), refuse, at_most=1_000)


@settings(max_examples=300)
@given(st.data())
def test_a_zip_with_a_wrong_byte_or_a_part_missing_gives_the_right_bytes_or_none(
    data: st.DataObject,
) -> None:
    whole = bytearray(zipped())
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[place] ^= data.draw(st.integers(1, 255))
    else:
        del whole[place : place + data.draw(st.integers(1, 400))]
    try:
        _, content = unzip(bytes(whole), refuse)
    except SourceMalformed:
        return
    assert content == CSV
