"""Recorded HTTP answers, whoever recorded them: one form for four kinds of cassette."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import yaml  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from pathlib import Path


class Recorded(NamedTuple):
    """One request and its answer, as they went over the wire; the body unpacked."""

    method: str
    url: str
    sent: str
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def answer(self) -> httpx.Response:
        """Return the answer as a transport would give it."""
        lengths = {"content-length", "content-encoding", "transfer-encoding"}
        kept = {k: v for k, v in self.headers.items() if k.lower() not in lengths}
        return httpx.Response(self.status, headers=kept, content=self.body)


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]  # as above
    """Reads Ruby's binary strings too."""


_Loader.add_constructor(
    "!binary", lambda loader, node: base64.b64decode(loader.construct_scalar(node))
)


def recorded(path: Path) -> list[Recorded]:
    """Return what a cassette holds, in order."""
    text = path.read_text(encoding="utf-8")
    tape = json.loads(text) if path.suffix == ".json" else yaml.load(text, _Loader)
    entries = tape.get("interactions") or tape["http_interactions"]
    return [_entry(entry["request"], entry["response"]) for entry in entries]


def find(real_data: Path, pattern: str) -> list[Recorded]:
    """Return what the cassettes under `wire/` hold whose path matches; there has to be one."""
    paths = sorted((real_data / "wire").glob(pattern))
    assert paths, f"no recording matches {pattern}"
    return [entry for path in paths for entry in recorded(path)]


def _entry(request: dict[str, Any], response: dict[str, Any]) -> Recorded:
    headers = response["headers"]
    flat = {name: ", ".join(v) if isinstance(v, list) else str(v) for name, v in headers.items()}
    sent = request.get("body") or ""
    return Recorded(
        str(request["method"]).upper(),
        request["uri"],
        sent if isinstance(sent, str) else _text(sent),
        int(response["status"]["code"]),
        {name: value for name, value in flat.items() if isinstance(name, str)},
        _body(response["body"]),
    )


def _text(body: Any) -> str:
    if isinstance(body, bytes):
        return body.decode()
    return str(body.get("string") or "")


def _body(body: dict[str, Any]) -> bytes:
    content: Any = body.get("string", body.get("base64_string"))
    if "base64_string" in body:
        content = base64.b64decode(content)
    if isinstance(content, str):
        content = content.encode()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else bytes(content)
