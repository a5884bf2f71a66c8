"""`make bench`: measure everything, print it, and write RESULTS.md beside this file."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.child import ALONE, available

os.environ.update(ALONE)  # before any library that would start threads is imported

from benchmarks import machine, report
from benchmarks.versus import FULL, QUICK, versus

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Run the sections one after the other."""
    options = _options()
    machine.pin()
    peers = [] if options.alone else list(available())
    with tempfile.TemporaryDirectory() as folder:
        sections = versus(QUICK if options.quick else FULL, peers, Path(folder))
    report.write(options.out, machine.described(), sections)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes, rougher figures")
    parser.add_argument("--alone", action="store_true", help="without the engines of others")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results are written")
    return parser.parse_args()


if __name__ == "__main__":
    main()
