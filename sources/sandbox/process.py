"""The sandbox in a process: in the foreground for people, in a child for runs and tests."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import httpx
import msgspec
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from core.clock import format_utc
from core.errors import SourceUnavailable
from sources.sandbox.clock import Clock
from sources.sandbox.exchange import Exchange
from sources.sandbox.faults import NO_FAULTS, FaultPlan, Faults
from sources.sandbox.history import History
from sources.sandbox.incidents import Script, Stage
from sources.sandbox.server import create_app
from sources.sandbox.symbols import INSTRUMENTS, listing
from sources.sandbox.unreliable import TRANSPORT_SCOPE

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from datetime import datetime

HOST = "127.0.0.1"
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_PATIENCE_SECONDS = 5.0
_ROOT = Path(__file__).resolve().parents[2]
_NAME = "sandbox"


def serve(
    port: int,
    seed: int,
    faults: Faults = NO_FAULTS,
    *,
    script: Script | None = None,
    markets: int = len(INSTRUMENTS),
    clock: Clock | None = None,
    announce: Callable[[str], None] = lambda _url: None,
    parent: int | None = None,
) -> None:
    """Serve on the loopback address until SIGINT or SIGTERM.

    Args:
        port: 0 for one that the system chooses; `announce` hears the URL once it answers.
        seed: decides the markets.
        faults: in force from the start.
        script: incidents and limits of whole venues, in force from the start.
        markets: how many it lists.
        clock: the wall clock where it is not given.
        announce: called once.
        parent: process without which there is no reason to go on.

    Raises:
        SourceUnavailable: the port is taken.
    """
    listed = listing(markets)
    exchange = Exchange(
        History(seed, listed), clock or Clock(), FaultPlan(faults), Stage(script), listed
    )
    # The protocol is named because asyncio switches Nagle's delay off only then: 40 ms an answer.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener, suppress(KeyboardInterrupt):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise SourceUnavailable(_NAME, f"port {port} cannot be had: {error}") from None
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(exchange),
            http=_Http,
            ws=_WebSocket,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            ws_ping_interval=20.0,
            ws_ping_timeout=60.0,
        )
        _Server(config, lambda: announce(url), parent).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it answers, and ends with its parent."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], parent: int | None
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._parent = parent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop; asked ten times a second."""
        orphan = self._parent is not None and os.getppid() != self._parent
        return await super().on_tick(counter) or orphan


class _Http(H11Protocol):
    """Gives the application its connection, so that it can hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app
        self.app = lambda scope, receive, send: app(
            {**scope, TRANSPORT_SCOPE: transport}, receive, send
        )


class _WebSocket(WebSocketsSansIOProtocol):
    """As `_Http`; the connection comes from it by upgrade."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        app = self.app
        self.app = lambda scope, receive, send: app(
            {**scope, TRANSPORT_SCOPE: transport}, receive, send
        )


@contextmanager
def running(
    *,
    seed: int = 1,
    port: int = 0,
    faults: Faults = NO_FAULTS,
    script: Script | None = None,
    markets: int = len(INSTRUMENTS),
    at: datetime | None = None,
    speed: float = 1.0,
) -> Iterator[str]:
    """Run a sandbox in a child process; yield its base URL; stop it whatever happens.

    Args:
        seed: decides the markets.
        port: 0 for one that the system chooses.
        faults: in force from the start; `set_faults` changes them.
        script: incidents and limits of whole venues; `set_script` changes it.
        markets: how many it lists.
        at: where its clock starts, the present where it is None.
        speed: how fast its clock runs; 0 for one that stands still.

    Raises:
        SourceUnavailable: it does not answer within a bounded time.
    """
    command = [sys.executable, "-m", "sources.sandbox", "--port", str(port), "--seed", str(seed)]
    command += ["--faults", faults.as_json(), "--speed", str(speed), "--parent", str(os.getpid())]
    command += ["--at", format_utc(at)] if at else []
    command += ["--script", script.as_json()] if script else []
    command += ["--markets", str(markets)]
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])},
        )
        try:
            yield _announced(child, complaints)
        finally:
            _stop(child)


def _announced(child: subprocess.Popen[bytes], complaints: IO[bytes]) -> str:
    """Return the URL that the child writes once it answers."""
    pipe = cast("IO[bytes]", child.stdout)
    ready, _, _ = select.select([pipe], [], [], _START_SECONDS)
    url = pipe.readline().decode().strip() if ready else ""
    if url:
        return url
    complaints.seek(0)
    said = complaints.read().decode(errors="replace").strip().splitlines()
    reason = said[-1] if said else f"no answer within {_START_SECONDS:g} s"
    raise SourceUnavailable(_NAME, f"it did not start: {reason}")


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child: ask, wait a bounded time, then insist."""
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    cast("IO[bytes]", child.stdout).close()


def set_faults(url: str, faults: Faults = NO_FAULTS) -> None:
    """Put `faults` in force at a running sandbox; without them, none.

    Raises:
        SourceUnavailable: no sandbox answers there.
    """
    _ask(url, "PUT", "/sandbox/faults", faults.as_json())


def set_script(url: str, script: Script | None = None) -> None:
    """Begin another script at a running sandbox, none where it is None; counts start at nothing.

    Raises:
        SourceUnavailable: no sandbox answers there.
    """
    _ask(url, "PUT", "/sandbox/script", (script or Script()).as_json())


def stats(url: str) -> dict[str, Any]:
    """Return what a running sandbox counted: requests, faults injected by kind, and by venue.

    Raises:
        SourceUnavailable: no sandbox answers there.
    """
    return _ask(url, "GET", "/sandbox/stats")


def answers(url: str) -> bool:
    """Say whether a sandbox answers at `url` right now."""
    try:
        return "requests" in stats(url)
    except SourceUnavailable:
        return False


def _ask(url: str, method: str, path: str, content: str | None = None) -> dict[str, Any]:
    """Return the JSON object that a sandbox answers, whatever proxy the environment names."""
    try:
        with httpx.Client(trust_env=False, timeout=_PATIENCE_SECONDS) as client:
            answer = client.request(method, url + path, content=content).raise_for_status()
            return msgspec.json.decode(answer.content, type=dict[str, Any])
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        raise SourceUnavailable(_NAME, f"no sandbox answers at {url}: {error}") from None
