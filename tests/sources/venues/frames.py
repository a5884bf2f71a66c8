"""Recorded frames and bodies of `*.jsonl.zst`, whoever recorded them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

from core.clock import from_micros


class Line(NamedTuple):
    """One line: what it is, where from, when it was received, and its text."""

    kind: str
    url: str
    at: datetime
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def lines(path: Path) -> Iterator[Line]:
    """Yield the answers and the frames of a recording; binary frames are unpacked."""
    text = pa.CompressedInputStream(str(path), "zstd").read().decode()
    for line in text.splitlines():
        entry = json.loads(line)
        if entry["t"] in {"http", "recv"}:
            packed = entry.get("b64")
            said = gzip.decompress(base64.b64decode(packed)).decode() if packed else entry["data"]
            at = from_micros(round(entry["ts"] * 1_000_000))
            yield Line(entry["t"], entry.get("url", ""), at, said)


def bodies(path: Path) -> dict[str, Line]:
    """Return the first answer of each address."""
    found: dict[str, Line] = {}
    for line in lines(path):
        if line.kind == "http":
            found.setdefault(line.url, line)
    return found
