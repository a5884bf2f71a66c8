"""A whole answer has one time limit, whatever it spends it on."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest

from core.errors import SourceUnavailable
from sources.deadline import bound, until
from sources.http import Answer, open_client, send
from tests.sources.fakes import FakeTime, http_bytes, raw_server

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN = 0.5
GRACE = 0.4  # seconds for a busy machine
PATIENT = httpx.Timeout(5.0)


def dripping(head: bytes, every: float = 0.05) -> list[bytes | float]:
    """Return a script that sends a byte at a time: no read ever waits for long."""
    return [part for byte in head for part in (bytes([byte]), every)]


def late(client: httpx.Client, url: str, within: float = WITHIN) -> float:
    """Return how long a request took that was given up."""
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="too slowly"):
        send(client, httpx.Request("GET", url), "venue", within=within)
    return time.monotonic() - began


@pytest.mark.parametrize("part", ["status", "headers", "body"])
def test_an_answer_that_drips_is_given_up_when_its_time_is_over(part: str) -> None:
    whole = http_bytes(b"x" * 100)
    sent_at_once = {"status": 0, "headers": 30, "body": len(whole) - 100}[part]
    script = [whole[:sent_at_once] or 0.0, *dripping(whole[sent_at_once:])]
    with raw_server(script) as url, open_client(timeout=PATIENT) as client:
        assert WITHIN <= late(client, url) < WITHIN + GRACE


def test_headers_without_end_are_given_up_too() -> None:
    endless = [b"HTTP/1.1 200 OK\r\n", *dripping(b"X-A: b\r\n" * 100, 0.01)]
    with raw_server(endless) as url, open_client(timeout=PATIENT) as client:
        assert late(client, url) < WITHIN + GRACE


def test_an_answer_in_time_is_whole_also_when_it_drips() -> None:
    with raw_server(dripping(http_bytes(b"[]"), 0.001)) as url, open_client() as client:
        assert send(client, httpx.Request("GET", url), "venue", within=10.0).body == b"[]"


def test_a_connection_that_is_used_again_keeps_to_the_limit_of_its_second_request() -> None:
    kept = http_bytes(b"[]").replace(b"Connection: close\r\n", b"")
    script = [kept, 0.3, *dripping(kept)]  # the second request's answer drips
    with raw_server(script) as url, open_client(timeout=PATIENT) as client:
        assert send(client, httpx.Request("GET", url), "venue").body == b"[]"
        assert late(client, url) < WITHIN + GRACE


def test_no_thread_and_no_connection_is_left_behind() -> None:
    script = dripping(http_bytes(b"x"))
    with raw_server(script) as url, open_client(timeout=PATIENT, connections=2) as client:
        before = threading.active_count()
        hung = sum(late(client, url, within=0.1) > 0.1 + GRACE for _ in range(10))
        assert threading.active_count() == before
        assert client._transport._pool.connections == []  # type: ignore[attr-defined]
    print(f"10 answers whose headers drip: {hung} hung after their time")
    assert hung == 0


def test_waiting_for_a_free_connection_counts() -> None:
    slow = [0.0, *dripping(http_bytes(b"x"), 0.05)]
    took: list[float] = []
    with raw_server(slow) as url, open_client(timeout=PATIENT, connections=1) as client:
        threads = [
            threading.Thread(target=lambda: took.append(late(client, url))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(took) == 3
    assert max(took) < WITHIN + GRACE


def test_limits_of_one_thread_are_no_others() -> None:
    with raw_server([0.3, http_bytes(b"[]")]) as url, open_client(timeout=PATIENT) as client:
        answers: list[Answer] = []

        def patiently() -> None:
            answers.append(send(client, httpx.Request("GET", url), "venue"))

        thread = threading.Thread(target=patiently)
        thread.start()
        time.sleep(0.05)
        assert late(client, url, within=0.1) < 0.1 + GRACE
        thread.join()
    assert [answer.body for answer in answers] == [b"[]"]


@contextmanager
def mute() -> Iterator[int]:
    """Yield the port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("what", ["tls", "proxy"])
def test_tls_and_a_proxy_that_never_answer_are_given_up(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mute() as port:
        url = f"https://127.0.0.1:{port}"
        if what == "proxy":
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            url = "https://venue.invalid"
        with open_client(timeout=PATIENT) as client:
            assert late(client, url) < WITHIN + GRACE


def test_a_limit_that_is_over_before_it_is_sent_opens_no_connection() -> None:
    now = FakeTime()
    with mute() as port, open_client(timeout=PATIENT) as client:
        request = client.build_request("GET", f"http://127.0.0.1:{port}")
        with until(now.clock(), now.clock), pytest.raises(httpx.ConnectTimeout):
            client.send(request)


class _Watched(httpcore.NetworkStream):
    """Says which time each step was given."""

    def __init__(self) -> None:
        self.given: list[float | None] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.given.append(timeout)
        return b"x"[:max_bytes]

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del buffer
        self.given.append(timeout)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        del ssl_context, server_hostname
        self.given.append(timeout)
        return self


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self.stream = _Watched()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *rest: object
    ) -> httpcore.NetworkStream:
        del host, port, rest
        self.stream.given.append(timeout)
        return self.stream

    connect_unix_socket = connect_tcp  # type: ignore[assignment]


def test_each_step_is_given_what_is_left_and_never_more_than_its_own_limit() -> None:
    inner, now = _Backend(), FakeTime()
    client = httpx.Client()
    client._transport._pool._network_backend = inner  # type: ignore[attr-defined]
    backend = bound(client)._transport._pool._network_backend  # type: ignore[attr-defined]
    with until(now.clock() + 10.0, now.clock):
        stream = backend.connect_tcp("venue", 443, timeout=5.0)
        now.sleep(4.0)
        stream = stream.start_tls(ssl.create_default_context(), timeout=5.0)
        now.sleep(4.0)
        stream.write(b"x", timeout=5.0)
        stream.read(1, timeout=None)
        now.sleep(2.0)
        with pytest.raises(httpcore.ReadTimeout):
            stream.read(1)
        with pytest.raises(httpcore.WriteTimeout):
            stream.write(b"x")
        with pytest.raises(httpcore.ConnectTimeout):
            stream.start_tls(ssl.create_default_context())
        with pytest.raises(httpcore.ConnectTimeout):
            backend.connect_unix_socket("venue", 1)
    stream.read(1, timeout=7.0)  # without a limit the own one holds
    assert inner.stream.given == [5.0, 5.0, 2.0, 2.0, 7.0]


def test_limits_end_with_their_block_and_nest() -> None:
    inner, now = _Backend(), FakeTime()
    client = httpx.Client()
    client._transport._pool._network_backend = inner  # type: ignore[attr-defined]
    backend: Any = bound(client)._transport._pool._network_backend  # type: ignore[attr-defined]
    stream = backend.connect_tcp("v", 1)
    with until(now.clock() + 10.0, now.clock):
        with until(now.clock() + 1.0, now.clock):
            stream.read(1)
        stream.read(1)
    stream.read(1)
    assert inner.stream.given[1:] == [1.0, 10.0, None]
