"""What an examination of a store finds, and what it is given to look at.

An examination only looks. A cure is a function that mends one problem and returns what it did,
with the counts or the hash that show it, as a `Loss` where rows are gone; a problem without one
says what a person can do.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - dataclass fields are read at run time
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - dataclass fields are read at run time

from storage.store import Store  # noqa: TC001 - dataclass fields are read at run time


class Loss(str):
    """What a cure did that could not bring everything back: the problem is gone, and rows are."""

    __slots__ = ()


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be: where, what, and how it is mended if it can be."""

    place: str
    what: str
    cure: Callable[[], str] | None = None
    advice: str = ""


@dataclass(frozen=True)
class Patient:
    """A store to look at, when that is, and whether its lake may be taken from another desk."""

    store: Store
    now: datetime
    own_lake: bool = False
