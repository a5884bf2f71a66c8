"""What can go wrong at the sandbox: how often, drawn from a seed, repeatable in sequence.

Two families. Faults of an answer are drawn for each request in turn, so asking again may heal
them. Faults of a bar are a function of the bar, so asking again shows the same bar broken, until
the fault is switched off; then the true bar is served, as when a venue mends its history.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANSWER_FAULTS = (
    "disconnects",
    "timeouts",
    "too_many_requests",
    "server_errors",
    "cut_bodies",
    "malformed_pages",
    "malformed_rows",
)
BAR_FAULTS = ("gaps", "outliers", "duplicates")


@dataclass(frozen=True)
class Faults:
    """How often each fault happens; none by default.

    Rates are shares between 0 and 1: of answers for the first seven, of bars for the next three.
    Of several faults that an answer draws, the first in this order happens.

    Args:
        disconnects: the connection is closed without an answer; a WebSocket at its next frame.
        timeouts: the answer comes after `timeout_seconds`.
        too_many_requests: HTTP 429 with `Retry-After: retry_after`.
        server_errors: HTTP 500, 502, 503 or 504, as JSON or as HTML.
        cut_bodies: the body ends early, announced longer than it is or as if it were whole.
        malformed_pages: the body is not a page of bars at all.
        malformed_rows: `bad_row_share` of the rows, at least one, hold impossible values.
        gaps: minutes that are not there.
        outliers: bars whose prices are 3 to 10 times too high.
        duplicates: bars that are sent twice.
        bad_row_share: see `malformed_rows`.
        retry_after: seconds.
        timeout_seconds: how late a late answer is.
        requests: all of this holds for so many requests, None for ever.
        seed: decides which answers and which bars are hit.
    """

    disconnects: float = 0.0
    timeouts: float = 0.0
    too_many_requests: float = 0.0
    server_errors: float = 0.0
    cut_bodies: float = 0.0
    malformed_pages: float = 0.0
    malformed_rows: float = 0.0
    gaps: float = 0.0
    outliers: float = 0.0
    duplicates: float = 0.0
    bad_row_share: float = 0.02
    retry_after: int = 1
    timeout_seconds: float = 30.0
    requests: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (*ANSWER_FAULTS, *BAR_FAULTS, "bad_row_share"):
            rate = getattr(self, name)
            if not 0 <= rate <= 1:
                raise InvalidInput(f"expected {name} between 0 and 1, was {rate}")
        for name in ("retry_after", "timeout_seconds", "requests", "seed"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise InvalidInput(f"expected {name} of 0 or more, was {value}")

    @classmethod
    def of(cls, given: Any) -> Faults:
        """Read a JSON object; raise `InvalidInput` for a key or a value that cannot be."""
        known = [field.name for field in fields(cls)]
        if not isinstance(given, dict):
            raise InvalidInput(f"expected an object of {', '.join(known)}, was {given!r}")
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise InvalidInput(f"expected keys of {', '.join(known)}, was {', '.join(unknown)}")
        try:
            return msgspec.convert(given, cls)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"not faults: {error}") from None

    def as_json(self) -> str:
        """Return the JSON object that `of` reads."""
        return msgspec.json.encode(asdict(self)).decode()


NO_FAULTS = Faults()


class Incident(NamedTuple):
    """The fault of one answer, with two draws in [0, 1) that decide its details."""

    kind: str
    which: float
    where: float


class FaultPlan:
    """The faults in force, drawn in sequence, and a count of all that was done."""

    def __init__(self, faults: Faults) -> None:
        self.requests = 0
        self.injected: Counter[str] = Counter()
        self.set(faults)

    def set(self, faults: Faults) -> None:
        """Put other faults in force; their sequence starts at its beginning."""
        self._faults = faults
        self._left = faults.requests
        self._answers = np.random.default_rng([faults.seed, 0])
        self._frames = np.random.default_rng([faults.seed, 1])

    @property
    def faults(self) -> Faults:
        """What is in force now; nothing once its requests are used up."""
        return Faults(seed=self._faults.seed) if self._left == 0 else self._faults

    def next_answer(self) -> tuple[Faults, Incident | None]:
        """Return what is in force for one request, and the fault its answer draws."""
        self.requests += 1
        faults = self.faults
        draws = self._answers.random(len(ANSWER_FAULTS) + 2)
        if self._left:
            self._left -= 1
        for kind, draw in zip(ANSWER_FAULTS, draws, strict=False):
            if draw < getattr(faults, kind):
                self.injected[kind] += 1
                return faults, Incident(kind, float(draws[-2]), float(draws[-1]))
        return faults, None

    def drops_socket(self) -> bool:
        """Decide whether a WebSocket is dropped now."""
        dropped = bool(self._frames.random() < self.faults.disconnects)
        self.injected["disconnects"] += dropped
        return dropped

    def as_dict(self) -> dict[str, Any]:
        """Return what is in force, with the requests that are left of it."""
        return asdict(replace(self.faults, requests=self._left))

    def stats(self) -> dict[str, Any]:
        """Return requests served and faults injected, by kind; bars count each time served."""
        return {"requests": self.requests, "faults": dict(self.injected)}


def chance(seed: int, kind: str, symbol: str, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each index: the same for the same arguments, for ever.

    The finaliser of SplitMix64 (Steele, Lea and Flood, 2014) over index and a key.
    """
    key = np.random.SeedSequence([seed, *kind.encode(), *symbol.encode()]).generate_state(1, "u8")
    x = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + key
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    whole = (x ^ (x >> np.uint64(31))) >> np.uint64(11)
    return whole.astype(np.float64) * 2.0**-53
