"""How long the first call takes in a fresh process, and the next one.

As a module of its own it is that process: `python -m benchmarks.first_call FOLDER`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.child import ALONE, ROOT, Child
from benchmarks.report import Section, number

if TYPE_CHECKING:
    from collections.abc import Sequence

STRATEGIES = 10
STEPS = ("imports", "first call", "second call")


def first_calls(peers: Sequence[str], folder: Path, rounds: int) -> Section:
    """Time fresh processes: with the compile cache as it is after a run, and with an empty one."""
    from benchmarks.cases import candles, case, market  # noqa: PLC0415 - not for the child
    from benchmarks.versus import FEW  # noqa: PLC0415

    bars = market(90)
    candles(bars).write_parquet(folder / "candles.parquet")
    case(bars, FEW, STRATEGIES).write(folder / "case.npz")
    warm = _ours(folder, rounds)
    rows = [["ours", "warm", *_cells(warm)]]
    vectorbt = [name for name in peers if name.startswith("vectorbt")]
    rows += [[name, "warm", *_cells(_theirs(name, folder, rounds))] for name in vectorbt]
    with tempfile.TemporaryDirectory() as empty:
        cold = _ours(folder, 1, NUMBA_CACHE_DIR=empty)
        rows.append(["ours", "cold", *_cells(cold)])
    for name in vectorbt:
        with tempfile.TemporaryDirectory() as empty:
            rows.append([name, "cold", *_cells(_theirs(name, folder, 1, NUMBA_CACHE_DIR=empty))])
    section = Section("First call in a fresh process", TEXT)
    times = f"{number(sum(warm[:2]))} s with a warm compile cache, {number(sum(cold[:2]))} s cold"
    section.short.append(f"first call in a fresh process, imports included: {times}")
    section.table(["engine", "compile cache", *(f"{step}, s" for step in STEPS), "in all, s"], rows)
    return section


def _cells(steps: Sequence[float]) -> list[str]:
    return [*map(number, steps), number(sum(steps[:2]))]


def _ours(folder: Path, rounds: int, **environment: str) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.first_call", str(folder)]
    runs = []
    for _ in range(rounds):
        ran = subprocess.run(  # noqa: S603 - this very module
            command,
            cwd=ROOT,
            env=os.environ | ALONE | environment,
            check=True,
            capture_output=True,
            text=True,
        )
        runs.append(json.loads(ran.stdout))
    return min(runs, key=lambda steps: sum(steps[:2]))


def _theirs(name: str, folder: Path, rounds: int, **environment: str) -> list[float]:
    """The imports of a peer are done when it first answers."""
    runs = []
    for _ in range(rounds):
        start = time.perf_counter()
        with Child(name, folder, **environment) as child:
            child.versions()
            imports = time.perf_counter() - start
            child.load(folder / "case.npz")
            calls = [child.run("own_metrics", once=True).wall for _ in range(2)]
        runs.append([imports, *calls])
    return min(runs, key=lambda steps: sum(steps[:2]))


def main(folder: Path) -> None:
    """Be the fresh process; print the seconds of each step."""
    start = time.perf_counter()
    import polars as pl  # noqa: PLC0415 - what is timed

    from research.backtest import backtest  # noqa: PLC0415
    from research.generate import generate  # noqa: PLC0415

    imported = time.perf_counter()
    frame, strategies = pl.read_parquet(folder / "candles.parquet"), generate(STRATEGIES, 1)
    steps = [imported - start]
    for _ in range(2):
        begun = time.perf_counter()
        backtest(frame, strategies)
        steps.append(time.perf_counter() - begun)
    print(json.dumps(steps))


TEXT = f"""\
Seconds on the wall: imports, then the first call, {STRATEGIES} strategies on 90 days with metrics.
"Warm" finds what an earlier process compiled; "cold" compiles every kernel. Ours goes from candles
through indicators and conditions to tables of trades, equity and metrics; vectorbt gets boolean
matrices."""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
