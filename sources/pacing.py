"""How fast we may ask: a token bucket that all threads of a process share.

Waiting for a turn reserves it, so that threads queue in order and none can overtake; a venue's
"wait that long" holds back everyone who asks the same venue, also those already in the queue.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.errors import NightjarError

_TICK = 1e-6  # seconds; a shorter wait is no wait


class Pacer:
    """Let `per_second` turns pass, `burst` of them at once after a silence.

    `clock` and `sleep` are in seconds; a test passes its own. `Pacer(math.inf)` never waits.
    """

    def __init__(
        self,
        per_second: float,
        *,
        burst: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not per_second > 0 or burst < 1:
            raise InvalidInput(
                f"expected a pace over 0 and a burst of 1 or more, was {per_second}, {burst}"
            )
        self._gap = 1 / per_second
        self._allowance = (burst - 1) * self._gap
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = -math.inf  # when the next turn that nobody has reserved begins
        self._held_until = -math.inf

    def wait(self, patience: float = math.inf) -> bool:
        """Sleep until it is our turn; return False, taking none, if that is over `patience`."""
        with self._lock:
            now = self._clock()
            turn = max(self._next, now - self._allowance)
            if max(turn, self._held_until) - now > patience:
                return False
            self._next = turn + self._gap
        while (delay := max(turn, self._held_until) - self._clock()) > _TICK:
            self._sleep(delay)
        return True

    def hold(self, seconds: float) -> None:
        """Give nobody a turn for `seconds`; a shorter hold never ends a longer one."""
        if self._gap == 0:
            return
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)
            self._next = max(self._next, self._held_until)

    def space(self, gap: float) -> None:
        """Let turns be `gap` seconds apart from now on."""
        with self._lock:
            self._gap = gap

    def admit(self) -> None:
        """Pass a request that is about to be sent; `sources.line.Line` may refuse it."""

    def heard(self, headers: Mapping[str, str]) -> None:
        """Take in the headers of an answer; a plain pacer does not read them."""

    def answered(self, seconds: float) -> None:
        """Note a good answer and how long it took; a plain pacer does not."""

    def failed(self, error: NightjarError) -> None:
        """Note a request that came to nothing; a plain pacer does not."""

    @property
    def held(self) -> float:
        """How many seconds nobody will get a turn; 0 when nothing is held."""
        return max(0.0, self._held_until - self._clock())


_shared: dict[str, Pacer] = {}
_sharing = threading.Lock()


def shared_pacer(key: str, per_second: float) -> Pacer:
    """Return this process's one pacer for `key` (a venue's name and address).

    A venue counts requests by IP address, so that all threads have to share one budget.
    """
    with _sharing:
        return _shared.setdefault(key, Pacer(per_second))
