"""A fake venue on a loopback port."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handle = Callable[[httpx.Request], httpx.Response]


@contextmanager
def served(handle: Handle) -> Iterator[str]:
    """Yield the URL at which `handle` answers; it stops with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            host = f"http://{self.headers['host']}"
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = dict(self.headers)
            answer = handle(
                httpx.Request(self.command, host + self.path, headers=headers, content=sent)
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in {"content-length", "date"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
