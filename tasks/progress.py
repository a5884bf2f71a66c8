"""Progress of long steps: a bar on the run's page, and a line now and then in the log."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, cast

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from tasks.steps import log

if TYPE_CHECKING:
    from uuid import UUID

EVERY = 2.0  # seconds between two updates: each is a call to the server


class Progress:
    """Tell the person how far `what` is; call it with (done, total) as often as you like."""

    def __init__(self, what: str, key: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._told = time.monotonic()
        # The call waits where no event loop runs, and no step of ours runs in one.
        self._bar = cast("UUID", create_progress_artifact(0.0, key=key, description=what))

    def __call__(self, done: int, total: int) -> None:
        """Note that `done` of `total` are done."""
        with self._lock:
            now = time.monotonic()
            if done < total and now - self._told < EVERY:
                return
            self._told = now
            log.info("%s: %s of %s", self._what, f"{done:,}", f"{total:,}")
            update_progress_artifact(self._bar, 100.0 * done / total if total else 100.0)
