"""A Dask cluster of processes on the loopback address, as somebody else might run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]


class Cluster:
    """A scheduler, and workers that come and go."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self._folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            "scheduler", "--port", "0", "--scheduler-file", str(folder / "scheduler.json")
        )
        self.address = self._announced()

    def hire(self, number: int = 1, **env: str) -> None:
        """Start workers; they are there a second or two later."""
        for _ in range(number):
            self.workers.append(
                self._start(
                    *("worker", self.address, "--nthreads", "1", "--no-nanny"),
                    *("--death-timeout", "20", "--local-directory", str(self._folder)),
                    **env,
                )
            )

    def staffed(self, number: int) -> Cluster:
        """Return the cluster with `number` workers that are there."""
        self.workers = [one for one in self.workers if one.poll() is None]
        while len(self.workers) > number:
            self.kill()
        self.hire(number - len(self.workers))
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until the scheduler knows the workers that live, and no other."""
        from distributed import Client

        with Client(self.address, timeout=20, set_as_default=False) as client:
            deadline = time.monotonic() + 20
            while len(client.nthreads()) != len(self.workers) and time.monotonic() < deadline:
                time.sleep(0.05)

    @contextmanager
    def forgiving(self, deaths: int) -> Iterator[None]:
        """Let the scheduler give a job up when more workers than this died of it, for the block."""
        from distributed import Client

        def set_to(number: int) -> None:
            with Client(self.address, timeout=20, set_as_default=False) as client:
                client.run_on_scheduler(
                    lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", number)
                )

        set_to(deaths)
        try:
            yield
        finally:
            set_to(3)  # Dask's default

    def kill(self) -> None:
        """Kill the oldest worker as the kernel would."""
        worker = self.workers.pop(0)
        worker.kill()
        worker.wait()

    def _start(self, role: str, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
        # A scheduler that nobody asks for anything ends, should these tests be killed.
        own = ("--idle-timeout", "120") if role == "scheduler" else ()
        quiet = {"DASK_LOGGING__DISTRIBUTED": "error"}
        command = [sys.executable, "-m", "dask"]
        child = subprocess.Popen(
            [*command, role, "--host", "127.0.0.1", "--no-dashboard", *own, *arguments],
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | quiet | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(child.wait)
        self._stack.callback(child.kill)
        return child

    def _announced(self) -> str:
        file, deadline = self._folder / "scheduler.json", time.monotonic() + 60
        while time.monotonic() < deadline:
            if file.is_file() and (text := file.read_text()):
                return str(json.loads(text)["address"])
            time.sleep(0.05)
        raise TimeoutError("the scheduler did not start")


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(folder, stack)
