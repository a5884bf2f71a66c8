"""How every step behaves: what is worth a retry, where it speaks, how long stages take."""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from core.environment import LOGGER
from core.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
U = TypeVar("U")
log = logging.getLogger(LOGGER)


def worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """Say whether the same call may succeed later, by the type of what was raised."""
    return isinstance(state.result(raise_on_failure=False), RetryableError)


# For steps that reach the outside world or the one writer's lock. Inputs are never hashed:
# a step's memory is what it left on disk, and running it again is always safe.
PATIENT: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": worth_retrying,
    "cache_policy": NO_CACHE,
}

# For steps that only compute: what fails once fails again.
ONCE: dict[str, Any] = {"cache_policy": NO_CACHE}


def in_turn(submit: Callable[[T], U], items: Iterable[T], ahead: int) -> Iterator[tuple[T, U]]:
    """Yield each item with what `submit` made of it, in order, submitting `ahead` of the reader.

    What was submitted and not yet read is never more than `ahead`: whoever reads slowly slows
    down those who bring, and nothing piles up between them.
    """
    waiting: deque[tuple[T, U]] = deque()
    for item in items:
        waiting.append((item, submit(item)))
        if len(waiting) >= ahead:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


class Stopwatch:
    """Seconds by stage, in the order in which the stages were first entered."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to `stage`."""
        began = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - began
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + spent, 3)
