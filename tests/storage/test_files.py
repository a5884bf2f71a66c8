from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.datasets import DATASETS
from core.errors import StoreUnwritable
from storage.files import content_sha256, file_sha256, replacing
from tests.storage.samples import rows_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_appears_whole_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert [*path.parent.iterdir()] == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(StoreUnwritable, match=r"file\.txt cannot be written: disk full"):
        write_half()
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    assert file_sha256(path) == hashlib.sha256(b"x" * 3_000_000).hexdigest()


@pytest.mark.parametrize("name", DATASETS)
def test_the_content_hash_knows_values_not_layout(name: str) -> None:
    frame = rows_of(DATASETS[name], 9)
    chunked = pl.concat([frame.head(2), frame.slice(2, 3), frame.tail(4)], rechunk=False)
    assert content_sha256(chunked) == content_sha256(frame)
    assert content_sha256(frame.tail(8)) != content_sha256(frame)


@pytest.mark.parametrize("name", DATASETS)
def test_every_column_counts_in_the_content_hash(name: str) -> None:
    frame = rows_of(DATASETS[name], 9)
    whole = content_sha256(frame)
    for column in frame.columns:
        shifted = frame.with_columns(pl.col(column).shift(1))  # its first value becomes null
        assert content_sha256(shifted) != whole, column


def test_texts_and_lists_cannot_slide_into_each_other() -> None:
    def of(*values: object) -> str:
        return content_sha256(pl.DataFrame({"x": values}))

    assert of("ab", "c") != of("a", "bc")
    assert of("", None) != of(None, "")
    assert of(["a"], ["b", "c"]) != of(["a", "b"], ["c"])
    assert of([], None, ["a"]) != of(None, [], ["a"])
    assert of([None], ["a"]) != of([""], ["a"])


def test_the_content_hash_does_not_change_between_versions() -> None:
    frame = pl.DataFrame({"text": ["a", None], "number": [1.5, None], "flag": [True, None]})
    assert content_sha256(frame)[:16] == "9c5796d81a5c242e"
