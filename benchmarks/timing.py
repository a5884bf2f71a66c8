"""How long a call takes: the one stopwatch that our engines and the others are held to.

Processor time is what is compared. A machine that does other work besides stretches the wall
time of a long call more than that of a short one; processor time it leaves alone.
"""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ENOUGH = 0.2  # seconds that one turn usually measures for


class Timing(NamedTuple):
    """Seconds: of the clock on the wall, and of the processor in this process."""

    wall: float
    cpu: float


def timed(call: Callable[[], Any]) -> tuple[Timing, Any]:
    """Return how long `call` took, without collecting garbage meanwhile, and its result."""
    gc.collect()
    with _uncollected():
        return _once(call)


def best(timings: Iterable[Timing]) -> Timing:
    """Return the least wall and the least processor time there was."""
    walls, cpus = zip(*timings, strict=True)
    return Timing(min(walls), min(cpus))


def turn(call: Callable[[], Any], enough: float | None = None) -> Timing:
    """Return the best of as many calls as fit into `enough` seconds, one at least."""
    timings: list[Timing] = []
    gc.collect()
    with _uncollected():
        end = time.perf_counter() + (ENOUGH if enough is None else enough)
        while not timings or time.perf_counter() < end:
            timings.append(_once(call)[0])
    return best(timings)


def interleaved(runs: Mapping[str, Callable[[], Timing]], rounds: int) -> dict[str, Timing]:
    """Let every run take its turn, `rounds` times over, and return the best of each.

    What slows the machine for a while then slows everyone.
    """
    timings: dict[str, list[Timing]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            timings[name].append(run())
    return {name: best(found) for name, found in timings.items()}


def _once(call: Callable[[], Any]) -> tuple[Timing, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu), result


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep garbage where it is."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
