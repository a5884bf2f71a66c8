"""What the tests of sources share: a clock that does not wait, and venues that misbehave."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import msgspec

from core.market import INTERVALS, Span
from sources.pacing import Pacer
from sources.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pacer(self, per_second: float = 1_000.0, burst: int = 1) -> Pacer:
        return Pacer(per_second, burst=burst, clock=self.clock, sleep=self.sleep)

    def retry(self, **changes: float) -> Retry:
        return Retry(clock=self.clock, sleep=self.sleep, **changes)


def span(bars: int, *, start: datetime = START, interval: str = "1m") -> Span:
    return Span("binance", "BTC-USDT", interval, start, start + bars * INTERVALS[interval])


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def kline(open_ms: int, step_ms: int = 60_000, price: str = "100.5") -> list[object]:
    """One bar as Binance writes it."""
    return [
        open_ms,
        price,
        "101.00000000",
        "99.00000000",
        "100.00000000",
        "12.50000000",
        open_ms + step_ms - 1,
        "1250.00000000",
        42,
        "6.25000000",
        "625.00000000",
        "0",
    ]


def answer(rows: Iterable[object], **headers: str) -> httpx.Response:
    return httpx.Response(200, content=msgspec.json.encode(list(rows)), headers=JSON | headers)


JSON = {"content-type": "application/json;charset=UTF-8"}


class Exchange:
    """A venue that has bars at `opens` (minutes after START) and answers as Binance does.

    `before` may answer a request instead; what it returns is sent, None lets the venue answer.
    """

    def __init__(
        self,
        opens: Iterable[int],
        *,
        page: int = 1_000,
        before: Callable[[int, httpx.Request], httpx.Response | None] | None = None,
    ) -> None:
        self.opens = sorted(millis(START) + 60_000 * n for n in opens)
        self.page = page
        self.before = before
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        instead = self.before(len(self.requests), request) if self.before else None
        if instead is not None:
            return instead
        params = request.url.params
        first, last = int(params["startTime"]), int(params["endTime"])
        return answer([kline(t) for t in self.opens if first <= t <= last][: self.page])

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))


@contextmanager
def raw_server(*scripts: Sequence[bytes | float]) -> Iterator[str]:
    """Yield the URL of a server that answers its n-th connection with the n-th script.

    A script is bytes to send and seconds to wait between them; then the connection is closed.
    The last script answers all later connections.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopped = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, scripts, stopped), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(
    listener: socket.socket, scripts: Sequence[Sequence[bytes | float]], stopped: threading.Event
) -> None:
    served = 0
    while not stopped.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            _play(connection, scripts[min(served, len(scripts) - 1)], stopped)
        served += 1


def _play(
    connection: socket.socket, script: Sequence[bytes | float], stopped: threading.Event
) -> None:
    try:
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += connection.recv(65_536)
        for step in script:
            if stopped.is_set():
                return
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                time.sleep(step)
    except OSError:
        return  # the client had enough


def http_bytes(body: bytes, *, length: int | None = None, kind: str = "application/json") -> bytes:
    """Return a 200 with `body`; `length` says another Content-Length than the true one."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return (
        f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body
    )
