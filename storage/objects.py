"""The files of the lake, wherever it is: a folder, or an object store at `s3://bucket/prefix`.

Credentials, region and endpoint come from the usual environment (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, or what the
machine's role gives). https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import fs

from core.errors import LakeUnavailable, NothingStored, StoreDamaged, StoreUnwritable
from storage.files import TEMPORARY, replacing

if TYPE_CHECKING:
    from collections.abc import Iterator

GONE = "the lake's log names it, and it is not there"
_CHUNK = 1 << 20
_TIMEOUT = 20.0  # seconds for one request
_ATTEMPTS = 4
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


class Found(NamedTuple):
    """A file that is there."""

    path: str
    size: int
    modified: datetime


def is_remote(path: str) -> bool:
    """Return whether a path of the lake is in an object store."""
    return path.startswith("s3://")


def delta_options(path: str) -> dict[str, str]:
    """Return what Delta needs to reach the place; a second writer's commit is refused there.

    Commits are puts that must not replace (`If-None-Match`), so that no table of locks is needed.
    """
    if not is_remote(path):
        return {}
    options = {
        "aws_conditional_put": "etag",
        "timeout": f"{_TIMEOUT:.0f}s",
        "max_retries": str(_ATTEMPTS),
        "retry_timeout": f"{_TIMEOUT * _ATTEMPTS:.0f}s",
    }
    if endpoint := _first(_ENDPOINTS):
        options |= {"aws_endpoint_url": endpoint}
        options |= {"aws_allow_http": "true"} if endpoint.startswith("http://") else {}
    return options | {"aws_region": _first(_REGIONS) or "us-east-1"}


def put(path: str, data: bytes) -> None:
    """Write a whole file; nobody ever sees a part of it, and it is on disk when this returns."""
    if not is_remote(path):
        with replacing(Path(path)) as temporary:
            temporary.write_bytes(data)
        return
    with translating(path), filesystem(path).open_output_stream(key_of(path)) as file:
        file.write(data)


def read(path: str) -> bytes:
    """Return a file's bytes; raise `NothingStored` where there is none."""
    try:
        with translating(path), filesystem(path).open_input_file(key_of(path)) as file:
            content: bytes = file.read()
            return content
    except FileNotFoundError:
        raise NothingStored(f"expected a file at {path}") from None


def exists(path: str) -> bool:
    """Return whether there is such a file."""
    if not is_remote(path):
        return Path(path).is_file()
    with translating(path):
        return bool(filesystem(path).get_file_info(key_of(path)).type == fs.FileType.File)


def sha256(path: str) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal.

    Raises:
        StoreDamaged: it is not there, or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with translating(path), filesystem(path).open_input_stream(key_of(path)) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        raise StoreDamaged(path, GONE) from None
    except OSError as error:
        raise StoreDamaged(path, str(error)) from error
    return digest.hexdigest()


def list_files(folder: str) -> list[Found]:
    """Return all files under a folder, in every depth; none where there is no such folder."""
    selector = fs.FileSelector(key_of(folder), recursive=True, allow_not_found=True)
    with translating(folder):
        found = filesystem(folder).get_file_info(selector)
    prefix = "s3://" if is_remote(folder) else ""
    return [
        Found(prefix + info.path, info.size, info.mtime or datetime.fromtimestamp(0, UTC))
        for info in found
        if info.type == fs.FileType.File
    ]


def list_folders(folder: str) -> set[str]:
    """Return the names of the folders in a folder; none where there is no such folder."""
    selector = fs.FileSelector(key_of(folder), allow_not_found=True)
    with translating(folder):
        found = filesystem(folder).get_file_info(selector)
    return {info.base_name for info in found if info.type == fs.FileType.Directory}


def delete(path: str) -> None:
    """Delete a file; one that is gone already is no error."""
    if not is_remote(path):
        try:
            Path(path).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnwritable(path, str(error)) from error
        return
    with translating(path):
        filesystem(path).delete_file(key_of(path))


def is_leftover(path: str) -> bool:
    """Return whether a file's name says that a killed process left it half written."""
    name = path.rsplit("/", 1)[-1]
    return name.startswith((TEMPORARY, "_commit_")) or name.endswith(".tmp")


def filesystem(path: str) -> Any:
    """Return Arrow's way to the place that a path names."""
    if not is_remote(path):
        return fs.LocalFileSystem()
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return _s3(_first(_ENDPOINTS), _first(_REGIONS), *(os.environ.get(name) for name in names))


@lru_cache(maxsize=8)
def _s3(
    endpoint: str | None,
    region: str | None,
    key: str | None,
    secret: str | None,
    token: str | None,
) -> Any:
    scheme, _, host = (endpoint or "").rpartition("://")
    return fs.S3FileSystem(
        access_key=key,
        secret_key=secret,
        session_token=token,
        region=region or "us-east-1",
        endpoint_override=host.rstrip("/") or None,
        scheme=scheme or "https",
        request_timeout=_TIMEOUT,
        connect_timeout=_TIMEOUT / 4,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


@contextmanager
def translating(path: str) -> Iterator[None]:
    """Raise `LakeUnavailable` for what an object store does not answer; a folder's errors stay."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        if not is_remote(path):
            raise
        raise LakeUnavailable(path, str(error)) from error


def key_of(path: str) -> str:
    """Return a path as Arrow names it: without the scheme."""
    return path.removeprefix("s3://")


def _first(names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := os.environ.get(name))), None)
