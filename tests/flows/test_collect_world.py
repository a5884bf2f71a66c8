"""Each provider beyond venues, from a server of ours on this machine into the store."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from flows.collect import collect
from sources.registry import SOURCES
from storage.lake import sql
from tests.sources.examples import EXAMPLES, NOW, PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# The first answer with rows of each provider.
FIRST = {
    name: next(one for one in EXAMPLES if one.provider == name and one.rows) for name in PROVIDERS
}


@contextmanager
def answering(bodies: Sequence[bytes], kind: str) -> Iterator[tuple[str, list[str]]]:
    """Serve answers in turn, then 404; yield the address and the paths that were asked for."""
    left, paths = list(bodies), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def do_GET(self) -> None:
            paths.append(self.path)
            body = left.pop(0) if left else b'{"error": "nothing more"}'
            self.send_response(200 if len(paths) <= len(bodies) else 404)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", paths
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("name", FIRST)
def test_a_provider_is_collected_from_its_address_into_the_store(
    desk: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    example = FIRST[name]
    monkeypatch.setattr("tasks.collect.utc_now", lambda: NOW)
    monkeypatch.setenv("NIGHTJAR_SOCIAL__TEXT_DAYS", "30")
    if SOURCES[name].key != "none":
        monkeypatch.setenv(f"NIGHTJAR_{name.upper()}__KEY", "canary:canary")
    kind = "application/json" if getattr(example.feed, "json", True) else "text/csv"
    follows = [b'{"jsonrpc":"2.0","result":{"context":{"slot":1},"value":[]},"id":1}'] * 2
    bodies = [*example.before, example.body, *(follows if name == "helius" else [])]
    subjects = [example.question.subject] if example.question.subject else None
    with answering(bodies, kind) as (url, paths):
        monkeypatch.setenv(f"NIGHTJAR_{name.upper()}__URL", url)
        summary = collect(
            [example.dataset],
            source=name,
            subjects=subjects,
            since=example.question.start,
            interval=example.question.interval,
        )
    assert summary.total("inserted") == example.rows
    stored = sql(f"from {example.dataset}")
    assert stored.height == example.rows
    assert set(stored["source"]) == {f"{name}:rest"}
    assert len(paths) == len(bodies)
    assert "canary" not in str(stored.rows()) + str(summary)
