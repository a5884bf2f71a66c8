"""Our one line to a source: its pace, its limits, its breaker, and how it did.

All threads of a process share a source's line, since a source counts requests by address or key.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

from core.errors import RateLimited, SourceMalformed, SourceResting, SourceUnavailable
from sources.breaker import Breaker
from sources.limits import gap_for, read_budget
from sources.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.errors import NightjarError

_REMEMBERED = 1_000  # answers whose time counts for the median
_EASE = 0.9  # each answer shortens a gap that a 429 made longer
_SLOWEST = 60.0  # seconds between requests at most, however often it asks us to wait
_LEAST = 1.0  # seconds to keep quiet where nothing is left and it does not say until when

Condition = Literal["up", "failing", "resting"]


class Health(NamedTuple):
    """How a source did since this was last taken."""

    state: Condition
    requests: int
    failures: int
    limited: int
    latency_ms: float | None
    limit_left: float | None
    message: str | None


class Line(Pacer):
    """A pacer that listens to the answers.

    Args:
        source: its name.
        per_second: requests a second that it allows, with room to spare.
        weight_limit: Binance's weight a minute.
        breaker: by default one of our usual patience.
        clock, sleep: in seconds.
    """

    def __init__(
        self,
        source: str,
        per_second: float,
        *,
        weight_limit: float | None = None,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(per_second, clock=clock, sleep=sleep)
        self.source = source
        self.breaker = breaker or Breaker(source, clock=clock)
        self._weight_limit = weight_limit
        self._listening = threading.Lock()
        self._usual_gap = 1 / per_second
        self._punished = 0.0  # seconds between requests, since it asked us to wait
        self._left: float | None = None
        self._clear()

    def _clear(self) -> None:
        self._requests = self._failures = self._limited = 0
        self._latencies: deque[float] = deque(maxlen=_REMEMBERED)
        self._message: str | None = None
        self._last_failed = False

    def admit(self) -> None:
        """Pass a request that is about to be sent, or raise `SourceResting`."""
        self.breaker.admit()
        with self._listening:
            self._requests += 1

    def keep_to(self, gap: float) -> None:
        """Ask every `gap` seconds from now on, and less often where the source says so."""
        with self._listening:
            self._usual_gap = gap
        self.space(gap)

    def heard(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of our budget."""
        budget = read_budget(headers, weight_limit=self._weight_limit)
        if budget is None:
            return
        wanted = gap_for(budget)
        with self._listening:
            self._left = budget.left
        if math.isinf(wanted):
            self.hold(budget.resets_in or _LEAST)
            wanted = 0.0
        self.space(max(self._usual_gap, self._punished, min(wanted, _SLOWEST)))

    def answered(self, seconds: float) -> None:
        """Note a good answer and how long it took."""
        self.breaker.succeeded()
        with self._listening:
            self._latencies.append(seconds * 1_000)
            self._last_failed = False
            if not self._punished:
                return
            self._punished = self._punished * _EASE if self._punished > self._usual_gap else 0.0
        self.space(max(self._usual_gap, self._punished))

    def failed(self, error: NightjarError) -> None:
        """Note a request that came to nothing; a refusal is an answer."""
        if isinstance(error, SourceResting):
            return  # nothing was sent
        if isinstance(error, RateLimited):
            self._slow_down(error)
            self.breaker.succeeded()
        elif isinstance(error, (SourceUnavailable, SourceMalformed)):
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        with self._listening:
            self._failures += 1
            self._last_failed = True
            self._message = str(error)

    def _slow_down(self, error: RateLimited) -> None:
        with self._listening:
            self._limited += 1
            self._left = 0.0
            doubled = 2 * max(self._punished, self._usual_gap)
            self._punished = min(_SLOWEST, doubled)
        self.space(max(self._usual_gap, self._punished))
        if error.retry_after is not None:
            self.hold(error.retry_after)

    def take(self) -> Health:
        """Return how the source did since the last time, and begin to count anew."""
        with self._listening:
            health = Health(
                state=self._condition(),
                requests=self._requests,
                failures=self._failures,
                limited=self._limited,
                latency_ms=median(self._latencies) if self._latencies else None,
                limit_left=self._left,
                message=self._message,
            )
            self._clear()
        return health

    def _condition(self) -> Condition:
        if self.breaker.state == "open":
            return "resting"
        return "failing" if self._last_failed else "up"


_lines: dict[str, Line] = {}
_sharing = threading.Lock()


def shared_line(key: str, source: str, per_second: float, weight_limit: float | None) -> Line:
    """Return this process's one line for `key`: a source's name and address."""
    with _sharing:
        if key not in _lines:
            _lines[key] = Line(source, per_second, weight_limit=weight_limit)
        return _lines[key]


def all_lines() -> dict[str, Line]:
    """Return the lines that this process has opened, by source; the last address counts."""
    with _sharing:
        return {line.source: line for line in _lines.values()}


def forget_lines() -> None:
    """Begin anew: a test's own lines must not rest because of another test's source."""
    with _sharing:
        _lines.clear()
