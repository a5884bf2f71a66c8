"""Asking again: by the type of the error, later each time, and not for ever."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import tenacity

from core.errors import RateLimited, SourceMalformed, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
BANNED = 418  # the venue has banned our address: another request makes the ban longer

_log = logging.getLogger("nightjar.sources")


@dataclass(frozen=True)
class Retry:
    """How often, and for how long, one page is asked for.

    An unavailable source is asked `attempts` times, after waits that double from `first` to
    `longest` seconds with as much jitter, or after what the venue says. A malformed answer is
    asked for `malformed` times in all: a broken proxy heals, a changed payload does not. No wait
    goes beyond `deadline` seconds after the first attempt. A ban (418) ends it at once.
    """

    attempts: int = 8
    malformed: int = 3
    first: float = 0.25
    longest: float = 30.0
    deadline: float = 300.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def at_once(cls, attempts: int = 8) -> Retry:
        """Return a policy that never sleeps; for tests."""
        return cls(attempts=attempts, sleep=lambda _seconds: None)

    def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, or raise its last error."""
        late = _Late(self.clock() + self.deadline, self.clock)
        persist = tenacity.Retrying(
            sleep=self.sleep,
            retry=tenacity.retry_if_exception(_may_come_back),
            stop=tenacity.stop_after_attempt(self.attempts) | late,
            wait=self._wait,
            before_sleep=_tell,
            reraise=True,
        )
        heal = tenacity.Retrying(
            sleep=self.sleep,
            retry=tenacity.retry_if_exception_type(SourceMalformed),
            stop=tenacity.stop_after_attempt(self.malformed) | late,
            wait=self._wait,
            before_sleep=_tell,
            reraise=True,
        )
        answer: T = heal(persist, call)
        return answer

    def _wait(self, state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_exponential_jitter(
            multiplier=self.first, max=self.longest, jitter=self.first
        )(state)
        asked = getattr(_error(state), "retry_after", None) or 0.0
        return max(backoff, asked)


PATIENT = Retry()


class _Late(tenacity.stop.stop_base):
    """Stop where the coming wait would end after `deadline` on `clock`."""

    def __init__(self, deadline: float, clock: Callable[[], float]) -> None:
        self.deadline = deadline
        self.clock = clock

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        return self.clock() + state.upcoming_sleep > self.deadline


def _may_come_back(error: BaseException) -> bool:
    if isinstance(error, RateLimited):
        return error.status != BANNED
    return isinstance(error, SourceUnavailable)


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _tell(state: tenacity.RetryCallState) -> None:
    _log.info("%s; asking again in %.1f s", _error(state), state.upcoming_sleep)
