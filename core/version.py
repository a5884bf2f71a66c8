"""What is running: hashes over nightjar's own sources, and over what it depends on."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
# What decides a night's numbers; pages, flows and tests do not.
_ROOMS = ("core", "research", "storage", "expectations", "sources", "tasks")


@cache
def code_version() -> str:
    """Return 16 hex digits that change when the code behind a night's numbers does."""
    return digest_of(_ROOT, [path for room in _ROOMS for path in (_ROOT / room).rglob("*.py")])


@cache
def lock_version() -> str:
    """Return 16 hex digits that change when a library does that nightjar depends on.

    They are of requirements.lock where it lies beside the code. Where nightjar is installed
    without it, they are of the names and versions of all that is installed: other digits, since
    that is another fact.
    """
    return lock_of(_ROOT / "requirements.lock")


def digest_of(root: Path, files: list[Path]) -> str:
    """Return 16 hex digits of the files' places below `root` and of what they say."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def lock_of(lock: Path) -> str:
    """Return 16 hex digits of a lock file, or of what is installed where there is none."""
    said = lock.read_bytes() if lock.is_file() else "\n".join(installed()).encode()
    return hashlib.sha256(said).hexdigest()[:16]


def installed() -> list[str]:
    """Return what is installed as `name==version`, each once, in order."""
    return sorted({f"{one.name.lower()}=={one.version}" for one in metadata.distributions()})
