"""HTTP: one client, one way to send, and httpx's errors translated once.

What a status means: RFC 9110 (https://www.rfc-editor.org/rfc/rfc9110), and for 418 and 403
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits. Texts of httpx's own
errors are never passed on: one of them quotes header values, which may be a key.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

import httpx

from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceUnavailable,
)
from sources.deadline import bound, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

Client = httpx.Client  # for rooms that hand one on, and know nothing else of httpx
TIMEOUT = httpx.Timeout(15.0, connect=5.0, pool=60.0)  # seconds; of each read, not of an answer
WITHIN = 60.0  # seconds that a whole answer may take, from when it was asked for
AT_MOST = 64 * 1024 * 1024  # bytes of one answer, unpacked
# Its line about each request quotes the address, and two providers take a key only there.
logging.getLogger("httpx").setLevel(logging.WARNING)
CONNECTIONS = 16
_LATE = "the answer came too slowly"
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class Answer(NamedTuple):
    """One answer, read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes


def open_client(
    *,
    timeout: httpx.Timeout = TIMEOUT,
    transport: httpx.BaseTransport | None = None,
    connections: int = CONNECTIONS,
) -> httpx.Client:
    """Return a client for all sources; it follows no redirect.

    A proxy of the environment is used, except to this machine itself. Of more requests than
    `connections` the rest wait for their turn.
    """
    client = httpx.Client(
        timeout=timeout,
        transport=transport,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        headers={"user-agent": "nightjar"},
        follow_redirects=False,
        mounts=dict.fromkeys(_LOOPBACK) if transport is None else None,
    )
    return bound(client)


class _Shared:
    """The process's one client, open as long as anybody uses it."""

    lock = threading.Lock()
    client: httpx.Client | None = None
    users = 0


@contextmanager
def shared_client(connections: int = CONNECTIONS) -> Iterator[httpx.Client]:
    """Yield the process's one client; whoever comes first decides how many connections it has.

    It is closed when the last of its users leaves.
    """
    with _Shared.lock:
        if _Shared.client is None:
            _Shared.client = open_client(connections=connections)
        _Shared.users += 1
        client = _Shared.client
    try:
        yield client
    finally:
        with _Shared.lock:
            _Shared.users -= 1
            last = _Shared.users == 0
            if last:
                _Shared.client = None
        if last:
            client.close()


def send(
    client: httpx.Client,
    request: httpx.Request,
    source: str,
    *,
    within: float = WITHIN,
    at_most: int = AT_MOST,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Send `request` and read the whole answer, of any status.

    All of it, from waiting for a connection to the last byte, is given `within` seconds by `clock`;
    of a client that `open_client` did not make, headers are only bounded read by read.

    Raises:
        SourceUnavailable: there was no answer, a cut one, or it took too long.
        SourceMalformed: the answer is larger than `at_most` bytes.
        InvalidInput: the request cannot be sent at all.
    """
    for name, value in client.headers.items():
        request.headers.setdefault(name, value)
    waits = client.timeout.as_dict()
    if waits["pool"] is None or waits["pool"] > within:
        request.extensions = {**request.extensions, "timeout": {**waits, "pool": within}}
    deadline = clock() + within
    try:
        with until(deadline, clock):
            response = client.send(request, stream=True)
            try:
                body = _read(response, source, deadline, at_most, clock)
            finally:
                response.close()
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
        raise InvalidInput(
            f"{source}: expected a request that can be sent, was {type(error).__name__}"
        ) from None
    except httpx.TimeoutException as error:
        if clock() >= deadline:
            raise SourceUnavailable(source, _LATE) from None
        raise SourceUnavailable(source, f"no answer in time ({type(error).__name__})") from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise SourceUnavailable(source, f"no whole answer ({type(error).__name__})") from None
    return Answer(response.status_code, response.headers, body)


def _read(
    response: httpx.Response,
    source: str,
    deadline: float,
    at_most: int,
    clock: Callable[[], float],
) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > at_most:
            raise SourceMalformed(source, f"an answer of over {at_most} bytes")
        if clock() > deadline:
            raise SourceUnavailable(source, _LATE)
    return b"".join(parts)


def accept(answer: Answer, source: str, explain: Callable[[bytes], str]) -> bytes:
    """Return the body of a 200; raise what any other status means, a refusal as `explain` reads."""
    status = answer.status
    if status == httpx.codes.OK:
        return answer.body
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.IM_A_TEAPOT):
        raise RateLimited(source, status=status, retry_after=retry_after(answer.headers))
    if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
        raise SourceUnavailable(source, f"HTTP {status}", status=status)
    if status >= 400:
        raise SourceRejected(source, status, explain(answer.body))
    raise SourceUnavailable(source, f"HTTP {status}, which is no answer", status=status)


def retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds that `Retry-After` asks for, None where it says nothing readable.

    It is a count of seconds or a date; a date is compared with the answer's own `Date`,
    since our clock may not be theirs.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment, sent = _http_date(text), sent_at(headers)
    if moment is None or sent is None:
        return None
    return max(0.0, (moment - sent).total_seconds())


def sent_at(headers: httpx.Headers) -> datetime | None:
    """Return when an answer was made by its sender's clock, None where it does not say."""
    return _http_date(headers.get("date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def require_json(answer: Answer, source: str) -> None:
    """Refuse an answer that says it is something else, such as a proxy's HTML page."""
    kind: str = answer.headers.get("content-type", "application/json")
    if "json" not in kind.lower():
        raise SourceMalformed(source, f"expected JSON, was {kind[:60]!r}")
