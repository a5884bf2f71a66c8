"""Fixtures for tests of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store of its own, in which nothing is stored and nothing waits for long."""
    home = tmp_path / "home"
    return Store(home, str(home / "lake"), lock_wait=20.0)
