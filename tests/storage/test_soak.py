from __future__ import annotations

from typing import TYPE_CHECKING

from tests.storage.soak import soak

if TYPE_CHECKING:
    from pathlib import Path


def test_processes_that_write_and_read_at_once_lose_and_tear_nothing(tmp_path: Path) -> None:
    assert soak(tmp_path, writers=2, readers=3, seconds=3, wait=30) == []


def test_writers_that_do_not_wait_leave_their_batches_for_the_next_run(tmp_path: Path) -> None:
    assert soak(tmp_path, writers=3, readers=1, seconds=2, wait=0.02) == []
