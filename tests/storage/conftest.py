"""Fixtures for tests of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.store import Store
from tests.storage.buckets import new_bucket, object_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store of its own, in which nothing is stored and nothing waits for long."""
    home = tmp_path / "home"
    return Store(home, str(home / "lake"), lock_wait=20.0)


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[dict[str, str]]:
    """Run one object store on loopback; yield the environment that reaches it."""
    with object_store() as environment:
        yield environment


@pytest.fixture
def bucket(bucket_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a lake in a bucket of its own, which the environment reaches."""
    for name, value in bucket_server.items():
        monkeypatch.setenv(name, value)
    return new_bucket(bucket_server)


@pytest.fixture(params=["folder", "bucket"])
def any_store(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Store:
    """Return a store with its lake in a folder, and one with its lake in an object store."""
    if request.param == "folder":
        return store
    return Store(tmp_path / "home", request.getfixturevalue("bucket"), lock_wait=20.0)
