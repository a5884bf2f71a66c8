"""The circuit breaker: a source that keeps failing is left alone for a while.

The pattern is M. T. Nygard's ("Release It!", 2nd edition, ch. 5). It is our own because the kept
library (pybreaker) reads the wall clock, which can step, and holds its lock around the whole
call, so that fifty threads would ask one after another.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Literal

from core.errors import SourceResting

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = 6  # in a row; as often as one step asks for one page
LASTING = 1.0  # seconds between the first and the last of them: fifty at once are one mishap
FIRST_REST = 30.0  # seconds
LONG_REST = 300.0  # seconds, once the first try after a rest has failed too
_TRIAL = 60.0  # seconds after which a trial that nobody reports on counts as lost
_SOON = 0.25  # seconds in which a trial will mostly be over

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Closed lets all pass, open nothing, half open one trial at a time.

    `failures` in a row over at least `lasting` seconds open it for `rests[0]` seconds; each trial
    that fails opens it for the next of `rests`, and the last again and again. One success closes
    it.
    """

    def __init__(
        self,
        source: str,
        *,
        failures: int = FAILURES,
        lasting: float = LASTING,
        rests: tuple[float, ...] = (FIRST_REST, LONG_REST),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._most = failures
        self._lasting = lasting
        self._rests = rests
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._first_failure = 0.0
        self._rested = 0  # how often in a row it was opened
        self._open_until: float | None = None
        self._trial_ends: float | None = None

    @property
    def state(self) -> State:
        """What it would do with a request now."""
        if self._open_until is None:
            return "closed"
        return "open" if self._clock() < self._open_until else "half_open"

    @property
    def rest(self) -> float:
        """Seconds until a trial may pass; 0 where something may pass now."""
        return max(0.0, (self._open_until or 0.0) - self._clock())

    def admit(self) -> None:
        """Let one request pass; raise `SourceResting` while none may.

        Whoever was let pass reports `succeeded` or `failed`.
        """
        with self._lock:
            if self._open_until is None:
                return
            now = self._clock()
            if now < self._open_until:
                raise SourceResting(self._source, retry_after=self._open_until - now)
            if self._trial_ends is not None and now < self._trial_ends:
                raise SourceResting(self._source, retry_after=_SOON)
            self._trial_ends = now + _TRIAL

    def succeeded(self) -> None:
        """Close it: the source answers. Late news from before it opened change nothing."""
        with self._lock:
            if self._open_until is not None and self._clock() < self._open_until:
                return
            self._failures = self._rested = 0
            self._open_until = self._trial_ends = None

    def failed(self) -> None:
        """Count a failure, and open where it is one too many."""
        with self._lock:
            now = self._clock()
            if self._open_until is not None and now < self._open_until:
                return  # asked before it opened
            self._failures += 1
            if self._failures == 1:
                self._first_failure = now
            if self._trial_ends is not None or self._too_many(now):
                rest = self._rests[min(self._rested, len(self._rests) - 1)]
                self._rested += 1
                self._failures = 0
                self._open_until, self._trial_ends = now + rest, None

    def _too_many(self, now: float) -> bool:
        return self._failures >= self._most and now - self._first_failure >= self._lasting
