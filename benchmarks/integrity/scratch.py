"""What is done so far of a run, on disk: one that was cut off goes on where it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / ".integrity"

# What decides how a night ends; how the page is written does not.
_ROOMS = ("research", "sources/sandbox")
_HERE = ("markets.py", "kinds.py", "nights.py", "folklore.py")

Record = TypeVar("Record", bound=msgspec.Struct)


def digest(plan: msgspec.Struct) -> str:
    """Name a plan and the code that it is carried out by: others have other results."""
    made = hashlib.sha256(msgspec.json.encode(plan))
    files = [path for room in _ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    for path in (*files, *(Path(__file__).with_name(name) for name in _HERE)):
        made.update(path.read_bytes())
    return made.hexdigest()[:12]


class Notes:
    """One record a line in a file of JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def read(self, kind: type[Record]) -> list[Record]:
        """Return all records; a last line that was cut off is left out, and from the file."""
        if not self._path.exists():
            return []
        whole, _, _ = self._path.read_bytes().rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        self._path.write_bytes(b"".join(line + b"\n" for line in lines))
        return [msgspec.json.decode(line, type=kind) for line in lines]

    def add(self, records: Iterable[msgspec.Struct]) -> None:
        """Write down what is done."""
        with self._path.open("ab") as file:
            for record in records:
                file.write(msgspec.json.encode(record) + b"\n")
