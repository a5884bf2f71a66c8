"""What a worker of a cluster runs, and what it must have in common with us."""

from __future__ import annotations

import hashlib
import math
import sys
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl

from core.errors import ClusterDiffers
from core.version import code_version

if TYPE_CHECKING:
    from collections.abc import Callable

Job = TypeVar("Job")
Result = TypeVar("Result")
Facts = dict[str, str]

# What calculates, or carries the jobs.
_LIBRARIES = ("numpy", "numba", "llvmlite", "polars", "TA-Lib", "msgspec", "distributed")


@cache
def facts() -> Facts:
    """Return all that must be equal here and there for results to be equal to the last bit."""
    return {
        "nightjar's code": code_version(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{name: metadata.version(name) for name in _LIBRARIES},
        "arithmetic": arithmetic(),
    }


def arithmetic() -> str:
    """Return a hash of sums and functions whose last bits depend on the processor.

    The same libraries choose other instructions on other processors, and add in another order.
    """
    drawn = np.random.default_rng(1).standard_normal((50, 90))
    unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    flat, positive = drawn.ravel(), np.abs(drawn)
    said = [
        np.exp(drawn),
        np.log(positive),
        np.power(positive, 1.7),
        np.sqrt(positive).mean(axis=0),
        flat.sum(),
        drawn.std(axis=1),
        unit @ unit.T,
        unit @ unit[0],
        np.cumprod(1.0 + flat / 100.0),
        np.array([math.exp(x) + math.erf(x) + math.log1p(abs(x)) for x in flat[:500]]),
        pl.Series(flat).sum(),
        pl.Series(flat).std(),
    ]
    digest = hashlib.sha256()
    for part in said:
        digest.update(np.asarray(part, np.float64).tobytes())
    return digest.hexdigest()[:16]


def differences(wanted: Facts, found: Facts) -> str:
    """Say in words what is not as wanted; empty where everything is."""
    return ", ".join(
        f"{name} expected {wanted[name]}, was {found.get(name, 'unknown')}"
        for name in wanted
        if found.get(name) != wanted[name]
    )


def do(
    work: Callable[[bytes, Job], Result], shared: bytes, job: Job, wanted: Facts, address: str
) -> Result:
    """Return `work(shared, job)`; refuse on a worker that joined later and differs."""
    if different := differences(wanted, facts()):
        raise ClusterDiffers(address, f"a worker joined whose {different}")
    return work(shared, job)
