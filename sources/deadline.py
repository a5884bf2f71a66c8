"""One time limit for a whole answer: connecting, TLS, a proxy, headers and body together.

httpx limits each read (https://www.python-httpx.org/advanced/timeouts/), so that a server that
sends one byte of a header every few seconds is never late. Here a thread says until when it wants
its answer, and everything that its sockets do meanwhile is given what is left of that time.
httpcore's own seam for this is a network backend
(https://www.encode.io/httpcore/network-backends/).

Not bounded: the look-up of a name, which the system's resolver times by itself.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    import httpx


class _Limit(NamedTuple):
    at: float
    clock: Callable[[], float]


class _Asking(threading.local):
    """What the thread that asks has granted; a request is sent and read by one thread."""

    limit: _Limit | None = None


_asking = _Asking()


@contextmanager
def until(at: float, clock: Callable[[], float]) -> Iterator[None]:
    """Bound all that this thread sends and reads, through clients of `bound`, by `at`."""
    before, _asking.limit = _asking.limit, _Limit(at, clock)
    try:
        yield
    finally:
        _asking.limit = before


def bound(client: httpx.Client) -> httpx.Client:
    """Make every connection of `client` keep to the limits of `until`; return it.

    Transports without a pool of connections, such as a test's, are left as they are.
    """
    transports = (client._transport, *client._mounts.values())  # noqa: SLF001 - as below
    # httpx takes no backend, and builds the transports of proxies by itself.
    for pool in (getattr(transport, "_pool", None) for transport in transports):
        if isinstance(pool, httpcore.ConnectionPool):
            pool._network_backend = _Backend(pool._network_backend)  # noqa: SLF001 - see above
    return client


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """Return the seconds for one step: what is left, if that is less than what it may take."""
    limit = _asking.limit
    if limit is None:
        return timeout
    left = limit.at - limit.clock()
    if left <= 0:
        raise late("the time for the whole answer is over")
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    """Another backend, bounded."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options))

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_unix_socket(path, timeout, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    """Another stream, bounded."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
