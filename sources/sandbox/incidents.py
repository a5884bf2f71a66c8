"""What happens to a whole venue for a while, as a script says, and the limits that it enforces.

Faults (`sources.sandbox.faults`) hit single answers by chance. An incident hits every answer of
one venue, from a set second on and for so many seconds.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

Venue = Literal["binance", "coinbase", "kraken", "okx"]
Kind = Literal["down", "slow", "off", "stale", "replay"]
_NOTED = 20_000  # requests of a venue whose time is remembered
_BAN_AFTER = 3  # refusals in a row; then the address is banned for a while
_BAN_SECONDS = 120
_PREFIXES: tuple[tuple[str, Venue], ...] = (
    ("/api/v3/brokerage", "coinbase"),
    ("/api/v3/", "binance"),
    ("/api/v5/", "okx"),
    ("/0/public/", "kraken"),
)


class Incident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that happens to one venue.

    Args:
        venue: to which.
        kind: `down` answers 503, `slow` answers after `wait` seconds, `off` quotes prices that
            are too high by `share`, `stale` answers with bars that are `back` seconds older than
            those asked for, `replay` gives the values of such bars the times that were asked for.
        after: seconds from when the script was set until it begins.
        seconds: how long it lasts.
        share: of the price.
        wait: seconds.
        back: seconds; whole minutes.
    """

    venue: Venue
    kind: Kind
    after: float = 0.0
    seconds: float = 600.0
    share: float = 0.08
    wait: float = 5.0
    back: int = 86_400

    def __post_init__(self) -> None:
        for name in ("after", "seconds", "wait", "back"):
            if getattr(self, name) < 0:
                raise InvalidInput(f"expected {name} of 0 or more, was {getattr(self, name)}")
        if self.back % 60:
            raise InvalidInput(f"expected back in whole minutes, was {self.back} s")


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to happen: incidents, and how many requests a second each venue allows."""

    incidents: tuple[Incident, ...] = ()
    limits: dict[Venue, float] = {}

    @classmethod
    def of(cls, given: Any) -> Script:
        """Read a JSON object; raise `InvalidInput` for a key or a value that cannot be."""
        try:
            return msgspec.convert(given, cls)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"not a script: {error}") from None

    @classmethod
    def read(cls, text: str) -> Script:
        """Read JSON text; raise `InvalidInput` where it is none, or no script."""
        try:
            return cls.of(msgspec.json.decode(text))
        except msgspec.DecodeError as error:
            raise InvalidInput(f"not a script: {error}") from None

    def as_json(self) -> str:
        """Return the JSON object that `of` reads."""
        return msgspec.json.encode(self).decode()


class Refusal(NamedTuple):
    """How a request beyond the limit is answered."""

    status: int
    retry_after: int


class Stage:
    """Plays a script, and notes every request of every venue."""

    def __init__(
        self, script: Script | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._began = clock()
        self.set(script or Script())

    def set(self, script: Script) -> None:
        """Begin another script; what was counted starts at nothing."""
        self.script = script
        self._set_at = self._clock()
        self._requests: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_NOTED))
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._refused: defaultdict[str, int] = defaultdict(int)
        self._bans: defaultdict[str, int] = defaultdict(int)
        self._in_a_row: defaultdict[str, int] = defaultdict(int)
        self._banned_until: dict[str, float] = {}

    def now(self, venue: Venue, *kinds: Kind) -> Incident | None:
        """Return what is happening to a venue; of several of these kinds, the first."""
        passed = self._clock() - self._set_at
        for one in self.script.incidents:
            if one.venue == venue and one.kind in kinds and 0 <= passed - one.after < one.seconds:
                return one
        return None

    def note(self, venue: Venue) -> Refusal | None:
        """Count a request; return how it is refused where it is one too many in its second."""
        now = self._clock()
        noted = self._requests[venue]
        noted.append(now - self._set_at)
        self._counts[venue] += 1
        limit = self.script.limits.get(venue)
        if limit is None:
            return None
        if (left := self._banned_until.get(venue, now) - now) > 0:
            return self._refuse(venue, 418, left)
        second = max(1.0, 1 / limit)
        recent = sum(1 for at in reversed(noted) if at > now - self._set_at - second)
        if recent <= limit * second:
            self._in_a_row[venue] = 0
            return None
        self._in_a_row[venue] += 1
        if self._in_a_row[venue] > _BAN_AFTER:
            self._bans[venue] += 1
            self._banned_until[venue] = now + _BAN_SECONDS
            return self._refuse(venue, 418, _BAN_SECONDS)
        return self._refuse(venue, 429, second)

    def _refuse(self, venue: Venue, status: int, seconds: float) -> Refusal:
        self._refused[venue] += 1
        return Refusal(status, max(1, round(seconds)))

    def stats(self) -> dict[str, Any]:
        """Return for each venue its requests, refusals, bans, and seconds of its requests."""
        return {
            venue: {
                "requests": self._counts[venue],
                "refused": self._refused[venue],
                "bans": self._bans[venue],
                "at": [round(at, 3) for at in times],
            }
            for venue, times in self._requests.items()
        }


def venue_of(path: str) -> Venue | None:
    """Return which venue's dialect a path belongs to, None for what is the sandbox's own."""
    for prefix, venue in _PREFIXES:
        if path.startswith(prefix):
            return venue
    return None
