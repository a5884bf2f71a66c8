"""`nightjar up` as a person uses it: a night runs in the worker, Ctrl-C ends everything."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
NIGHT = {
    "as_of": "2026-03-11T00:00:00Z",
    "symbols": ["NOISE1-USDT", "TREND1-USDT"],
    "days": 4,
    "strategies": 8,
}
# A night so short that it is over when the worker has shown that it runs one.
SHORT = {
    "NIGHTJAR_GENERATIONS": "1",
    "NIGHTJAR_WORKERS": "1",
    "NIGHTJAR_VETTING__ALPHA": "0.25",
    "NIGHTJAR_VETTING__WORLDS": "4",
}
CRONS = {
    "nightly": "0 3 * * *",
    "candles": "*/5 * * * *",
    "archive": "30 1 * * *",
    "repair": "10 2 * * *",
    "upkeep": "50 1 * * *",
    "quality": "15 * * * *",
    "markets": "*/5 * * * *",
    "prices": "1-59/5 * * * *",
    "listings": "2-59/5 * * * *",
    "indicators": "4-59/5 * * * *",
    "perpetuals": "5 * * * *",
    "instruments": "20 0 * * *",
    "indices": "10 * * * *",
}
# Off until a person has keys, or asks.
OFF = {"onchain", "social", "seed"}


def eventually(what: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {what}")


def processes_of(home: Path) -> list[str]:
    """Return the command lines of all living processes whose desk is in `home`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"NIGHTJAR_HOME={home}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found.append(command)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask again while the server's database is busy, as Prefect's own client does."""
    for _ in range(60):
        answer = ask()
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(0.5)
    return answer.raise_for_status()


@pytest.fixture
def desk_url(tmp_path: Path, exchange: str) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    home = (tmp_path / "home").resolve()
    env = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    env |= SHORT | {
        "NIGHTJAR_HOME": str(home),
        "NIGHTJAR_SANDBOX_URL": exchange,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "nightjar.py"), "up", "--port", "0"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        line = child.stdout.readline()
        url = re.search(r"http://\S+", line)
        assert url is not None, line + child.stdout.read()
        yield url[0], child, home
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            child.wait(60)
        child.stdout.close()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for left-over processes in /proc")
@pytest.mark.timeout(420)
def test_a_night_runs_in_the_worker_and_ctrl_c_ends_everything(
    desk_url: tuple[str, subprocess.Popen[str], Path],
) -> None:
    url, child, home = desk_url
    with httpx.Client(base_url=f"{url}/api", timeout=30) as api:
        deployments = {d["name"]: d for d in api.post("/deployments/filter", json={}).json()}
        crons = {
            name: schedule["schedule"]["cron"]
            for name, deployment in deployments.items()
            for schedule in deployment["schedules"]
            if schedule["active"]
        }
        assert crons == CRONS
        assert set(deployments) == set(CRONS) | OFF
        assert all(
            d["concurrency_limit"] == 1 or d["global_concurrency_limit"]
            for d in deployments.values()
        )
        described = deployments["nightly"]["parameter_openapi_schema"]["properties"]
        assert all(described[name].get("description") for name in described)

        def scheduled() -> int:
            return api.post(
                "/flow_runs/count", json={"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
            ).json()

        eventually(scheduled, 30)
        # What is due meanwhile would run beside the night, another number of runs each time.
        for deployment in deployments.values():
            path = f"/deployments/{deployment['id']}"
            patiently(lambda path=path: api.patch(path, json={"paused": True}))
        path = f"/deployments/{deployments['nightly']['id']}/create_flow_run"
        night = {"parameters": NIGHT, "state": {"type": "SCHEDULED"}}
        run = patiently(lambda: api.post(path, json=night)).json()

        def ended() -> Any:
            state = api.get(f"/flow_runs/{run['id']}").json()["state"]
            return (
                state if state["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None
            )

        state = eventually(ended, 240)
        assert state["type"] == "COMPLETED", state["message"]
        artifacts = api.post(
            "/artifacts/filter", json={"artifacts": {"flow_run_id": {"any_": [run["id"]]}}}
        ).json()
        assert {"night", "promotions", "gate-trials"} <= {a["key"] for a in artifacts}
        assert httpx.get(f"{url}/v2/", follow_redirects=True).status_code == 200
    assert len(list((home / "reports").glob("2026-03-11*.html"))) == 1

    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 0
    eventually(lambda: not processes_of(home), 15)
