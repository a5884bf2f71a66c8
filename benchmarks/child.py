"""Engines of others, each in a child process of its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from benchmarks.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
NAMES = ("vectorbt-numba", "vectorbt-rust", "backtesting")

# One core each, whichever library would like more.
ALONE = dict.fromkeys(
    ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
) | {
    "RAYON_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
    "PYTHONDONTWRITEBYTECODE": "",  # or every first call would read all of its modules anew
}


class PeerFailed(RuntimeError):
    """A child process ended without an answer; it has said why on its error output."""


class Child:
    """A running peer; use it in a `with` block."""

    def __init__(self, name: str, folder: Path, **environment: str) -> None:
        self.name = name
        self._folder = folder
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by a path of our own
            [str(PYTHON), "-m", "benchmarks.peers.serve", name],
            cwd=ROOT,
            env=os.environ | ALONE | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """End the child; it ends by itself when its input does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait(timeout=30)

    def load(self, path: Path) -> None:
        """Let the peer read a case."""
        self._ask(do="load", path=str(path))

    def run(self, what: str, *, once: bool = False) -> Timing:
        """Time `simulate` or `metrics`: the best of a turn, or one call."""
        return Timing(**self._ask(do="run", what=what, once=once))

    def answer(self) -> dict[str, Any]:
        """Return the trades and the metrics of the case."""
        path = self._folder / f"{self.name}.npz"
        self._ask(do="answer", path=str(path))
        with np.load(path) as stored:
            return dict(stored)

    def versions(self) -> dict[str, str]:
        """Return the versions of what the peer is made of."""
        versions: dict[str, str] = self._ask(do="versions")["versions"]
        return versions

    def _ask(self, **order: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise PeerFailed(f"expected {self.name} with pipes, was without")
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise PeerFailed(f"expected an answer of {self.name} to {order}, was none")
        found: dict[str, Any] = json.loads(line)
        return found


def versions(names: Sequence[str], folder: Path) -> Iterator[str]:
    """Yield what each peer is made of, one line each."""
    for name in names:
        with Child(name, folder) as child:
            parts = ", ".join(" ".join(pair) for pair in child.versions().items())
        yield f"{name}: {parts}"


def available() -> Iterator[str]:
    """Yield the peers that can be started: all of them, once their environment is there."""
    if PYTHON.exists():
        yield from NAMES
