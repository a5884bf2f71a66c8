"""One case, all who trade it: checked against each other, then timed in turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.agreement import compare_all
from benchmarks.child import NAMES, Child
from benchmarks.engines import engines
from benchmarks.report import number, ratio
from benchmarks.timing import Timing, interleaved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.agreement import Compared
    from benchmarks.cases import Case
    from benchmarks.engines import Engine

TITLES = {
    "vectorbt-numba": "vectorbt",
    "vectorbt-rust": "vectorbt, rust",
    "backtesting": "backtesting.py",
    "reference": "ours, reference",
    "anew": "ours, from candles",
    "fast": "ours",
}
OURS = "fast"
WHAT = {
    "simulate": "simulate only",
    "own_metrics": "with metrics",
    "metrics": "with metrics, lean",
}


def checked(
    made: Case, children: Sequence[Child], folder: Path
) -> tuple[list[Engine], dict[str, Compared]]:
    """Return everyone who trades the case, in a form that can be timed, and how they agree."""
    path = folder / "case.npz"
    made.write(path)
    for child in children:
        child.load(path)
    own = engines(made)
    compared = compare_all({runner.name: runner.answer() for runner in (*own, *children)})
    return [*children, *own], compared


def measured(runners: Sequence[Engine], what: str, rounds: int) -> dict[str, Timing]:
    """Return the best time of each over interleaved rounds."""
    return interleaved(
        {runner.name: lambda runner=runner: runner.run(what) for runner in runners},  # type: ignore[misc]
        rounds,
    )


def header(names: Sequence[str]) -> list[str]:
    """Return the columns that `figures` fills: a time for each, then ratios to ours."""
    return [TITLES[name] for name in names] + [f"ours : {TITLES[name]}" for name in _peers(names)]


def figures(found: dict[str, Timing], made: Case) -> list[str]:
    """Return nanoseconds per bar and strategy, then how many times the last one is faster."""
    per = {name: timing.cpu / made.size * 1e9 for name, timing in found.items()}
    return [*map(number, per.values()), *map(ratio, ratios(found).values())]


def ratios(found: dict[str, Timing]) -> dict[str, float]:
    """Return how many times ours is faster than each peer."""
    return {name: found[name].cpu / found[OURS].cpu for name in _peers(found)}


def _peers(names: Iterable[str]) -> list[str]:
    return [name for name in names if name in NAMES]
