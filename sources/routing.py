"""Tiers: who is asked first for a kind of data, who next, and who is set aside for a while.

Failures are remembered by the provider, not by the tier, since what failed for one kind of data
mostly fails for another. A set-aside outlives the process: what is noted of it as health is
given back to `Standing.recall` by the next run.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from core.errors import (
    InvalidInput,
    KeyMissing,
    NightjarError,
    SourceMalformed,
    SourceRejected,
    SourceResting,
    SourceStalled,
    SourceUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")
FAILURES = 3
WITHIN = timedelta(minutes=15)
ASIDE = timedelta(hours=2)
_ANSWERED_BY_THE_NEXT = (
    KeyMissing,
    SourceUnavailable,
    SourceMalformed,
    SourceStalled,
    SourceRejected,
    InvalidInput,
)
_NOT_ALLOWED = frozenset({401, 402, 403, 451})  # what no other question will change


class Served(NamedTuple, Generic[T]):
    """What a tier gave: which one, by its place from 1, and what those before it said."""

    tier: int
    provider: str
    answer: T
    passed_over: tuple[str, ...] = ()


class Standing:
    """Which providers are set aside: `failures` within `within` cost one `aside`."""

    def __init__(
        self, *, failures: int = FAILURES, within: timedelta = WITHIN, aside: timedelta = ASIDE
    ) -> None:
        self._most = failures
        self._within = within
        self._aside = aside
        self._lock = threading.Lock()
        self._failed_at: dict[str, deque[datetime]] = defaultdict(deque)
        self._until: dict[str, datetime] = {}
        self.set_aside: dict[str, datetime] = {}  # since this was made, and until when

    def failed(self, provider: str, now: datetime) -> None:
        """Count a failure; set the provider aside where it is one too many."""
        with self._lock:
            recent = self._failed_at[provider]
            recent.append(now)
            while recent and recent[0] <= now - self._within:
                recent.popleft()
            if len(recent) >= self._most:
                recent.clear()
                self._until[provider] = self.set_aside[provider] = now + self._aside

    def aside_until(self, provider: str, now: datetime) -> datetime | None:
        """Return until when a provider is set aside; None where it may serve."""
        until = self._until.get(provider)
        return until if until is not None and now < until else None

    def recall(self, notes: Iterable[tuple[str, datetime, str]]) -> None:
        """Take up what earlier runs noted: provider, when, and its state then; oldest first."""
        for provider, time, state in notes:
            if state == "set_aside":
                self._until[provider] = max(time + self._aside, self._until.get(provider, time))
            elif state == "failing":
                self._failed_at[provider].append(time)


def counts_as_failure(error: NightjarError) -> bool:
    """Say whether an error speaks against the provider, rather than against the question.

    That one rests is no new failure: nothing was sent.
    """
    if isinstance(error, SourceRejected):
        return error.status in _NOT_ALLOWED
    if isinstance(error, SourceResting):
        return False
    return isinstance(error, (SourceUnavailable, SourceMalformed, SourceStalled))


def first_to_serve(
    kind: str,
    providers: Sequence[str],
    ask: Callable[[int, str], T | None],
    *,
    standing: Standing,
    clock: Callable[[], datetime],
) -> Served[T]:
    """Return what the first provider gives that has an answer.

    Those that are set aside are asked last, where nobody else has an answer.

    Args:
        kind: what is asked for, for errors.
        providers: in order of preference.
        ask: called with a tier's place (from 1) and its provider; None means that it has nothing.
        standing: who is set aside, and who fails.
        clock: the time, in UTC.

    Raises:
        SourceUnavailable: nobody had an answer; says what each said.
        InvalidInput: there is nobody to ask.
    """
    if not providers:
        raise InvalidInput(f"expected at least one provider of {kind}, was none")
    said: list[str] = []
    tiers = list(enumerate(providers, start=1))
    aside = [pair for pair in tiers if standing.aside_until(pair[1], clock())]
    for tier, provider in [*(pair for pair in tiers if pair not in aside), *aside]:
        try:
            answer = ask(tier, provider)
        except _ANSWERED_BY_THE_NEXT as error:
            if counts_as_failure(error):
                standing.failed(provider, clock())
            said.append(str(error))
        else:
            if answer is not None:
                return Served(tier, provider, answer, tuple(said))
            said.append(f"{provider} has nothing")
    raise SourceUnavailable(kind, "; ".join(said))


def label(provider: str, tier: int) -> str:
    """Return what rows say of where they come from: `coingecko:rest#3`."""
    return f"{provider}:rest#{tier}"
