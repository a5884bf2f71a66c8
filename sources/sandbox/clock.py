"""The sandbox's clock: the wall clock, or one that starts elsewhere, runs faster or stands still.

A sandbox whose clock stands still answers the same question with the same bytes for ever, which
is what a rerun of a past night needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - dataclass fields are read at run time

from core.clock import format_utc, require_utc, to_micros, utc_now
from core.errors import InvalidInput
from sources.sandbox.markets import ORIGIN


@dataclass(frozen=True)
class Clock:
    """Shows `at` when it is made, the present where that is None.

    Args:
        at: where it starts.
        speed: how fast it runs: 1 as any clock, 60 a minute in each second, 0 not at all.
    """

    at: datetime | None = None
    speed: float = 1.0
    _made: datetime = field(default_factory=utc_now, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.at is not None and require_utc(self.at) < ORIGIN:
            raise InvalidInput(f"expected a time from {format_utc(ORIGIN)} on, was {self.at}")
        if self.speed < 0:
            raise InvalidInput(f"expected a speed of 0 or more, was {self.speed:g}")

    def now(self) -> datetime:
        """Return what the clock shows."""
        return (self.at or self._made) + (utc_now() - self._made) * self.speed

    def now_ms(self) -> int:
        """Return what the clock shows in milliseconds since the epoch, as the venue writes it."""
        return to_micros(self.now()) // 1_000
