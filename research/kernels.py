"""How the loops of research are compiled, and where the machine code is kept.

numba keeps compiled code until the file of that very function changes: a kernel that calls one
in another file would go on with the old one. So all files with kernels share one cache, in a
folder named after a hash of them all: change any, and everything is compiled anew.

A kernel ends in `_nb` and takes arrays and scalars. It validates, allocates and raises nothing,
writes into arrays that the caller owns, and reads no global but constants and other kernels.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar

from numba import njit
from numba.core import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

P = ParamSpec("P")
R = TypeVar("R")

_ROOM = Path(__file__).parent
_MARK = "from research.kernels import"  # what every file with kernels says


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` at its first call; it runs without the interpreter's lock.

    A kernel may not call itself: numba loads such a one from its cache and crashes.
    """
    return _compiled(function)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` a part of every kernel that calls it, as if it were written there.

    What is called is compiled apart, and each call counts the references to each array: where
    many calls do little each, that is most of the time.
    """
    return _compiled(function, inline="always")


def _compiled(
    function: Callable[P, R], inline: Literal["never", "always"] = "never"
) -> Callable[P, R]:
    before, config.CACHE_DIR = config.CACHE_DIR, str(FOLDER)  # type: ignore[attr-defined] # set when imported
    try:
        compiled: Callable[P, R] = njit(cache=True, nogil=True, inline=inline)(function)
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined] # as above
    return compiled


def files(room: Path) -> list[Path]:
    """Return the files of `room` that hold kernels, in a fixed order."""
    return sorted(path for path in room.rglob("*.py") if _MARK in path.read_text("utf-8"))


def fingerprint(sources: Iterable[Path]) -> str:
    """Return a short hash of what the files say."""
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def cache_folder(room: Path) -> Path:
    """Return where compiled kernels are kept: beside their sources, else where one may write.

    `NUMBA_CACHE_DIR` names another place.
    """
    name = f"kernels-{fingerprint(files(room))}"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    beside = Path(chosen) if chosen else room / "__pycache__"
    for base in (beside, Path.home() / ".cache" / "nightjar"):
        try:
            base.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(base, os.W_OK):
            return base / name
    return beside / name  # numba finds a place of its own


FOLDER = cache_folder(_ROOM)
