"""Measurements that may use every core: in a process of their own, since ours is kept on one.

Polars, DuckDB and numba count the cores once, when they begin.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.child import ALONE

ROOT = Path(__file__).resolve().parent.parent


def freely(function: str, **arguments: Any) -> Any:
    """Call `module:name` in a fresh process on all cores; arguments and answer are JSON."""
    environment = {name: value for name, value in os.environ.items() if name not in ALONE}
    with machine.all_cores():  # which a new process inherits
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "benchmarks.freely", function, json.dumps(arguments)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Call what the command line names, and print its answer."""
    module, name = sys.argv[1].split(":")
    print(json.dumps(getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
