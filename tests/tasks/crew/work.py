"""Jobs that a crew in tests is given; workers import them by name."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

import numpy as np

from core.errors import RateLimited
from core.once import OncePerBytes


@OncePerBytes
def numbers(shared: bytes) -> np.ndarray:
    return np.frombuffer(shared, np.float64)


def digest(shared: bytes, job: int) -> bytes:
    """A result that depends on every byte that is shared."""
    return hashlib.sha256(shared + job.to_bytes(8)).digest()


def correlated(shared: bytes, job: int) -> bytes:
    """A result that another order of summation would change in its last bits."""
    rng = np.random.default_rng(job)
    drawn = rng.permutation(numbers(shared))[:20_000].reshape(-1, 20)
    return np.corrcoef(drawn.T).tobytes() + np.exp(drawn).sum(axis=0).tobytes()


def sleepy(_shared: bytes, job: int) -> int:
    """Later jobs are done first."""
    time.sleep(0.2 if job % 2 == 0 else 0.0)
    return job


def process(_shared: bytes, job: int) -> tuple[int, int]:
    time.sleep(0.05)
    return job, os.getpid()


def decodings(shared: bytes, _job: int) -> tuple[int, int]:
    """The process, and where in it the shared bytes and what was made of them are."""
    return os.getpid(), id(numbers(shared))


def threads(_shared: bytes, _job: int) -> tuple[int, str | None]:
    import polars as pl

    return pl.thread_pool_size(), os.environ["NUMBA_NUM_THREADS"]


def killed_once(shared: bytes, job: tuple[int, str]) -> int:
    """The first worker of job 3 dies as by the kernel's OOM killer."""
    number, folder = job
    mark = Path(folder) / "killed"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number + len(shared)


def suicidal(_shared: bytes, job: int) -> int:
    if job == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def failing(_shared: bytes, job: int) -> int:
    if job == 2:
        raise RateLimited("job", status=429, retry_after=float(job))
    return job


class Unpicklable(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def strange(_shared: bytes, _job: int) -> int:
    raise Unpicklable("very", "strange")


def printing(_shared: bytes, job: int) -> int:
    print("a job that prints", job)
    return job


def marking(_shared: bytes, job: tuple[int, str]) -> int:
    """Leave a file that says in which process the job began, then take a while."""
    number, folder = job
    (Path(folder) / f"{number}.{os.getpid()}").touch()
    time.sleep(0.3)
    return number


def endless(_shared: bytes, folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)
