"""The sandbox in a child process: it starts, it stops, and it never outlives its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from core.errors import SourceUnavailable
from sources.sandbox.faults import Faults
from sources.sandbox.process import answers, running, set_faults, stats
from tests.sources.sandbox.conftest import NOW, NOW_MS

ROOT = Path(__file__).resolve().parents[3]


def wait_until_silent(url: str) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not answers(url):
            return True
        time.sleep(0.05)
    return False


def test_it_answers_inside_the_block_and_is_gone_after_it() -> None:
    with running(at=NOW, speed=0) as url:
        assert httpx.get(f"{url}/api/v3/time", trust_env=False).json() == {"serverTime": NOW_MS}
    assert not answers(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://[::bad"])
def test_where_no_sandbox_is_none_answers(url: str) -> None:
    assert not answers(url)
    with pytest.raises(SourceUnavailable, match="no sandbox"):
        set_faults(url)


def test_a_server_that_is_something_else_is_no_sandbox() -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert not answers(f"http://127.0.0.1:{server.server_port}")


def test_it_is_gone_after_an_error_too() -> None:
    seen = []

    def fail() -> None:
        with running() as url:
            seen.append(url)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not answers(seen[0])


def test_it_stops_although_answers_are_still_due() -> None:
    with running(faults=Faults(timeouts=1.0, timeout_seconds=60)) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/api/v3/time", timeout=0.1, trust_env=False)
        start = time.monotonic()
    assert time.monotonic() - start < 5


def test_it_listens_on_this_machine_alone() -> None:
    with running() as url:
        assert urlsplit(url).hostname == "127.0.0.1"


def test_seed_and_faults_are_handed_on() -> None:
    page = "/api/v3/klines?symbol=NOISE1USDT&interval=1m&limit=3"
    bodies = []
    for seed in (1, 2):
        with (
            running(seed=seed, at=NOW, speed=0, faults=Faults(gaps=0.25)) as url,
            httpx.Client(base_url=url, trust_env=False) as client,
        ):
            assert client.get("/sandbox/faults").json()["gaps"] == 0.25
            set_faults(url)
            bodies.append(client.get(page).content)
            assert stats(url)["requests"] == 1
    assert bodies[0] != bodies[1]


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SourceUnavailable, match=f"port {port}"), running(port=port):
            pytest.fail("it must not start")


def test_it_ends_when_its_parent_is_killed() -> None:
    code = (
        "import sys, time\n"
        "from sources.sandbox.process import running\n"
        "with running() as url:\n"
        "    print(url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert answers(url)
    finally:
        parent.kill()
        parent.communicate()
    assert wait_until_silent(url)


def test_a_person_can_run_it_in_the_foreground() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sources.sandbox", "--port", "0", "--at", "2026-06-01T03:00Z"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert answers(process.stdout.readline().strip())
        os.kill(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert complaints == ""


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--at", "2020-01-01", "2024-01-01"), ("--faults", '{"luck": 1}', "luck")],
)
def test_a_wrong_option_is_explained(option: str, value: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sources.sandbox", "--port", "0", option, value],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
