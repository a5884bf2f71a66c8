"""What is made of the same bytes is made once in a process."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class OncePerBytes(Generic[T]):
    """Decorate a pure function of some bytes, so that equal bytes in a row cost one call.

    Many jobs share one large payload, and each job is handed all of it. Only what was made last is
    kept, with the bytes it was made of. Threads that ask at once wait for the first.
    """

    def __init__(self, make: Callable[[bytes], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[bytes, bytes, T] | None = None  # the bytes, their hash, what is of them

    def __call__(self, data: bytes) -> T:
        """Return what the function makes of `data`."""
        with self._lock:
            if self._made is not None and self._made[0] is data:
                return self._made[2]
            digest = hashlib.sha256(data).digest()
            if self._made is None or self._made[1] != digest:
                self._made = None  # two of them need not fit into memory
                self._made = data, digest, self._make(data)
            return self._made[2]
