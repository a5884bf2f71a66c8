"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = ("numba", "numpy", "polars", "TA-Lib")


def pin() -> int:
    """Keep this process, and those it starts, on one core; return which."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def all_cores() -> Iterator[None]:
    """Let this process use every core until the block ends."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def described() -> list[str]:
    """Return the machine and the versions of ours, one line each."""
    versions = ", ".join(f"{name} {version(name)}" for name in OURS)
    system = f"{platform.system()} {platform.release()}"
    return [
        f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GiB; {system}",
        f"nightjar {version('nightjar')} on Python {platform.python_version()}: {versions}",
    ]


def busy() -> float:
    """Return the load average of the last minute: work that competes with a measurement."""
    return os.getloadavg()[0]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
