"""`make bench`: measure everything, print it, and write RESULTS.md beside this file."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.child import ALONE, available, versions

os.environ.update(ALONE)  # before any library that would start threads is imported

from benchmarks import (
    conditions,
    evolution,
    first_call,
    growth,
    machine,
    population,
    report,
    sources,
    storage,
    versus,
)
from benchmarks.cases import market
from core.clock import format_utc, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESULTS = Path(__file__).with_name("RESULTS.md")
PARTS = (
    *("versus", "population", "conditions", "scaling", "evolution", "first-call"),
    *("storage", "sources"),
)


def main() -> None:
    """Run the parts one after the other, and write down a whole run, or what is to be added."""
    options = _options()
    core = machine.pin()
    peers = [] if options.alone else list(available())
    began, load = time.perf_counter(), machine.busy()
    with tempfile.TemporaryDirectory() as folder:
        about = [*machine.described(), *(versions(peers, Path(folder)))]
        sections = [
            section
            for part in options.only or PARTS
            for section in _sections(
                part, peers, Path(folder), quick=options.quick and part not in options.whole
            )
        ]
    took = (time.perf_counter() - began) / 60
    when = (
        f"{format_utc(utc_now())}, {took:.0f} minutes on core {core}; "
        f"load average {load:.1f} before and {machine.busy():.1f} after"
    )
    if options.quick:
        whole = f", but for {', '.join(options.whole)}" if options.whole else ""
        when += f"; a quick run{whole}: rougher figures"
    about.append(when)
    if options.add:
        report.renew(options.out, [f"{', '.join(options.only or PARTS)}: {when}"], sections)
    elif not options.only or options.out != RESULTS:
        report.write(options.out, about, sections)


def _sections(
    part: str, peers: Sequence[str], folder: Path, *, quick: bool
) -> Iterator[report.Section]:
    plan = population.QUICK if quick else population.FULL
    match part:
        case "versus":
            yield from versus.versus(versus.QUICK if quick else versus.FULL, peers, folder)
        case "population":
            yield population.population(plan)
        case "conditions":
            bars = market(plan.days)
            yield conditions.indicators(bars, plan.rounds)
            yield conditions.conditions(bars, plan.rounds)
        case "scaling":
            yield growth.growth(growth.QUICK if quick else growth.FULL, peers, folder)
            yield population.scaling(plan)
        case "evolution":
            yield evolution.evolution(evolution.QUICK if quick else evolution.FULL)
        case "first-call":
            yield first_call.first_calls(peers, folder, plan.rounds)
        case "storage":
            yield storage.storage(storage.QUICK if quick else storage.FULL, folder)
        case "sources":
            yield sources.sources(sources.QUICK if quick else sources.FULL, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some minutes, rougher figures")
    parser.add_argument(
        "--whole", nargs="+", choices=PARTS, default=[], help="parts not to be quick about"
    )
    parser.add_argument("--alone", action="store_true", help="without the engines of others")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="print some parts, write nothing")
    parser.add_argument(
        "--add", action="store_true", help="put these parts into results that are there"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results are written")
    return parser.parse_args()


if __name__ == "__main__":
    main()
