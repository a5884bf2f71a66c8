"""What code is running: a hash over nightjar's own sources and its lock."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
# What decides a night's numbers; pages, flows and tests do not.
_ROOMS = ("core", "research", "storage", "expectations", "sources", "tasks")


@cache
def code_version() -> str:
    """Return 16 hex digits that change when the code behind a night's numbers does."""
    digest = hashlib.sha256()
    files = [path for room in _ROOMS for path in (_ROOT / room).rglob("*.py")]
    for path in sorted([*files, _ROOT / "requirements.lock"]):
        if path.is_file():
            digest.update(path.relative_to(_ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
