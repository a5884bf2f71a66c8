"""The desk as running processes: Prefect's server, the deployments and one worker.

Everything is a child of the calling process and ends with it. Prefect is spoken to by its own
command line, which is the interface that its documentation describes:
https://docs.prefect.io/v3/how-to-guides/deployments/run-flows-in-local-processes
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from core.environment import server_address
from core.errors import InvalidInput, StoreBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POOL = "nightjar"
PATIENCE = 120.0  # seconds for the server's first start, which creates its database
FAREWELL = 20.0  # seconds a child gets to end by itself


@contextmanager
def desk(home: Path, project: Path, *, port: int = 4200) -> Iterator[str]:
    """Start server, deployments and worker; yield the UI's address; end them all.

    `project` is the folder with prefect.yaml; port 0 takes any free one.
    """
    # A request to end must unwind the stack below from the first moment on, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port(port)
    url = f"http://127.0.0.1:{port}"
    env = os.environ | {
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_UI_API_URL": f"{url}/api",
        "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
        "NIGHTJAR_HOME": str(home.resolve()),
    }
    with ExitStack() as stack:
        server = stack.enter_context(_child(["server", "start"], project, env, home / "server.log"))
        _wait_until_healthy(f"{url}/api/health", server, home / "server.log")
        _run(["work-pool", "create", POOL, "--type", "process", "--overwrite"], project, env)
        _run(["--no-prompt", "deploy", "--all"], project, env)
        stack.enter_context(
            _child(["worker", "start", "--pool", POOL], project, env, home / "worker.log")
        )
        address = server_address(home)
        address.parent.mkdir(parents=True, exist_ok=True)
        address.write_text(f"{url}/api\n")
        stack.callback(address.unlink, missing_ok=True)
        yield url


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StoreBusy(
                f"port {port} (choose another with --port)", waited=0.0, holder="another server"
            ) from None
        return int(probe.getsockname()[1])


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "prefect", *arguments]


def _run(arguments: list[str], project: Path, env: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        _command(arguments), cwd=project, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InvalidInput(f"prefect {' '.join(arguments)} failed: {done.stderr or done.stdout}")


@contextmanager
def _child(
    arguments: list[str], project: Path, env: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        # A session of its own: Ctrl-C reaches us alone, and we end the children in order.
        child = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            _command(arguments),
            cwd=project,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    for request in (signal.SIGTERM, signal.SIGKILL):
        try:
            # The whole group: a worker's flow runs are processes of their own.
            os.killpg(child.pid, request)
            child.wait(FAREWELL)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise InvalidInput(f"the Prefect server ended at once; its last words are in {log}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise InvalidInput(f"the Prefect server was not ready after {PATIENCE:g} s; see {log}")


def wait_for_goodbye() -> None:
    """Return when the person presses Ctrl-C or the process is asked to end."""
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return
