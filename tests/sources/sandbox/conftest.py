"""One sandbox whose clock stands still, and what tests ask of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from sources.sandbox.process import running, set_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 6, 1, 3, 0, 30, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)


@pytest.fixture(scope="session")
def still() -> Iterator[str]:
    """Run one sandbox for all tests; its clock stands at `NOW`."""
    with running(seed=1, at=NOW, speed=0) as url:
        yield url


@pytest.fixture
def sandbox(still: str) -> Iterator[str]:
    """Return the sandbox's URL; no fault is in force before and after a test."""
    set_faults(still)
    yield still
    set_faults(still)


@pytest.fixture
def client(sandbox: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox, trust_env=False, timeout=5) as client:
        yield client
