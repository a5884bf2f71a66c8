"""`python -m tests.storage.crash`: kill and fail the store's steps, and print what was found.

A process of its own, since it forks and therefore must not have started a thread.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import shlex
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import great_expectations.expectations  # noqa: F401 - every fork would import it anew

import expectations.custom  # noqa: F401 - as above
from tests.storage.crash.harness import Bench, Fault, Figures, fail, kill
from tests.storage.crash.stories import STORIES
from tests.storage.crash.syscalls import SHORT, available

FAULTS = (
    Fault("ENOSPC once", errno.ENOSPC),
    Fault("ENOSPC from then on", errno.ENOSPC, for_good=True),
    Fault("EIO once", errno.EIO),
    Fault("EIO from then on", errno.EIO, for_good=True),
    Fault("a short write", SHORT),
)


def main() -> int:
    """Run what was asked for; return 1 where anything was wrong."""
    if (why := available()) is not None:
        print(why, file=sys.stderr)
        return 2
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        benches: dict[str, Bench] = {}
        if options.serve:
            return _serve(benches, Path(folder))
        found = _run(benches, Path(folder), options)
    if options.json:
        print(json.dumps([asdict(figures) for figures in found]))
    return int(any(figures.problems for figures in found))


def _options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.storage.crash", description=__doc__)
    parser.add_argument("--stories", nargs="+", choices=STORIES, default=[*STORIES])
    parser.add_argument("--kills", type=int, default=0, help="of all stories together")
    parser.add_argument("--faults", type=int, default=0, help="of each story and kind; -1 is all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--serve", action="store_true", help="read options line by line, and answer each with JSON"
    )
    return parser.parse_args(arguments)


def _serve(benches: dict[str, Bench], folder: Path) -> int:
    """Run what each line asks for, so that many askers need one start of Python."""
    for line in sys.stdin:
        found = _run(benches, folder, _options(["--json", *shlex.split(line)]))
        print(json.dumps([asdict(figures) for figures in found]), flush=True)
    return 0


def _run(benches: dict[str, Bench], folder: Path, options: argparse.Namespace) -> list[Figures]:
    """Run what the options ask for, on benches that are made when they are first needed."""
    found: list[Figures] = []
    for place, name in enumerate(options.stories):
        if name not in benches:
            benches[name] = Bench(STORIES[name], folder / name)
        bench = benches[name]
        share = len(options.stories)
        kills = options.kills // share + (place < options.kills % share)
        if kills:
            found.append(_told(kill(bench, kills, options.seed), options))
        for fault in FAULTS if options.faults else ():
            numbers = _numbers(bench, fault, options.faults, options.seed)
            found.append(_told(fail(bench, fault, numbers), options))
    return found


def _numbers(bench: Bench, fault: Fault, most: int, seed: int) -> list[int]:
    """Return the calls that a fault is tried at."""
    numbers = [call.number for call in bench.calls if fault.meets(call, call.number)]
    if most < 0 or most >= len(numbers):
        return numbers
    return sorted(random.Random(f"{seed} {fault.name}").sample(numbers, most))


def _told(figures: Figures, options: argparse.Namespace) -> Figures:
    stream = sys.stderr if options.json else sys.stdout
    print(figures, file=stream, flush=True)
    for problem in figures.problems:
        print(f"  {problem}", file=stream, flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
