"""`make integrity`: hundreds of nights without an edge and with one; writes INTEGRITY.md.

A run that was cut off goes on where it was, as long as neither its options nor the code change.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from benchmarks import machine
from benchmarks.agree import DATA
from benchmarks.integrity import fresh, leaks, nights, page
from benchmarks.integrity.gates import noise, too_many
from benchmarks.integrity.kinds import EDGES, KINDS, RECORDED, is_recorded
from benchmarks.integrity.nights import Night, NightJob, Plan
from benchmarks.integrity.scratch import FOLDER, Notes, digest
from core.clock import format_utc, utc_now
from research.hunt import Procedure
from tasks.crew import fan_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.integrity.fresh import Earned
    from benchmarks.integrity.gates import Nights
    from benchmarks.integrity.leaks import Leaked
    from benchmarks.report import Section

RESULTS = Path(__file__).resolve().parents[1] / "INTEGRITY.md"
ALARM = "alarm"
STEP = 25  # nights between two lines of progress


class Size(NamedTuple):
    """How much is run: nights of each kind, and mirrored worlds of each night with a leak.

    `noise` is of the sandbox and of recorded minutes, `made` of what drifts or goes together.
    """

    procedure: Procedure
    noise: int
    made: int
    edge: int
    leaks: int
    leak_worlds: int


FULL = Size(Procedure(48, 3), 100, 40, 34, 6, 10)
QUICK = Size(Procedure(32, 2), 12, 12, 6, 2, 4)


def main() -> None:
    """Run the nights that are missing, then make the page; exit 1 where luck gets through."""
    options = _options()
    size = QUICK if options.quick else FULL
    if options.nights:
        size = size._replace(
            noise=options.nights, made=options.nights, edge=max(1, options.nights // 2)
        )
    plan = Plan(size.procedure, 90, 99, 39, str(options.data))
    began, missing = time.perf_counter(), []
    kinds = [name for name in options.only or KINDS if name != ALARM]
    if RECORDED in kinds and not is_recorded(options.data):
        kinds.remove(RECORDED)
        missing.append("no recorded minutes at hand: no nights of mirrored real ones")
    kept = _kept(plan, size, kinds)
    done = _nights(plan, size, kinds, options.workers)
    earned = _earned(done, plan, options.workers)
    alarmed = not options.only or ALARM in options.only
    leaked = _leaked(plan, size, options.workers) if alarmed else []
    sections = _sections(done, earned, leaked, plan)
    took = f"{(time.perf_counter() - began) / 60:.0f} minutes in {options.workers} processes"
    if kept:
        took += f"; {kept:,} nights were kept from earlier runs, whose minutes are not in these"
    about = [*machine.described(), f"{format_utc(utc_now())}, {took}", *_about(plan, size)]
    if not options.only or options.out != RESULTS:
        page.write(options.out, [*about, *missing], sections)
    sys.exit(bool(too_many(done)))


def _sections(
    done: Nights, earned: dict[str, Earned], leaked: list[Leaked], plan: Plan
) -> list[Section]:
    made = []
    if noise(done):
        made += [page.false_nights(done), page.uniform(done)]
    if earned:
        made.append(page.power(done, earned, plan.days))
    if any(done.values()):
        made.append(page.beside_folklore(done, earned))
    if leaked:
        made.append(page.alarm(leaked, done))
    return made


def _about(plan: Plan, size: Size) -> list[str]:
    procedure, costs = plan.procedure, plan.costs
    searched = (
        f"each night: {plan.days} days of one-minute bars, {procedure.strategies} strategies bred "
        f"for {procedure.generations} generations, candidates of at least {procedure.min_trades} "
        f"trades, fee {costs.fee_bps:g} and slippage {costs.slippage_bps:g} bps a side"
    )
    worlds = (
        f"{plan.worlds} mirrored and {plan.permutations} permuted worlds at most. A night's worlds "
        f"end when {plan.stop_after} mirrored ones were as good as its best: p is above 0.05 then, "
        "whatever the rest would say"
    )
    count = (
        f"{size.noise} nights each of the sandbox's noise and of mirrored real minutes, "
        f"{size.made} of each other market with nothing to find, {size.edge} of each with an edge, "
        "every night from a seed of its own"
    )
    same = "hunt and null factory are the product's, whose own nights search more strategies"
    return [searched, worlds, count, same]


def _nights(plan: Plan, size: Size, kinds: Sequence[str], workers: int) -> Nights:
    """Return the nights of each kind: those of an earlier run, and those still to be run."""
    folder = FOLDER / digest(plan)
    wanted = {name: _wanted(size, name) for name in kinds}
    notes = {name: Notes(folder / f"{name}.jsonl") for name in kinds}
    done: Nights = {name: notes[name].read(Night)[: wanted[name]] for name in kinds}
    jobs = [
        NightJob(name, number)
        for number in range(max(wanted.values(), default=0))
        for name in kinds
        if len(done[name]) <= number < wanted[name]
    ]
    shared, began = msgspec.msgpack.encode(plan), time.perf_counter()
    for count, night in enumerate(fan_out(nights.run, shared, jobs, workers=workers), start=1):
        notes[night.kind].add([night])
        done[night.kind].append(night)
        if count % STEP == 0 or count == len(jobs):
            left = (time.perf_counter() - began) / count * (len(jobs) - count) / 60
            print(f"{count:,} of {len(jobs):,} nights, {left:.0f} minutes left", flush=True)
    return done


def _kept(plan: Plan, size: Size, kinds: Sequence[str]) -> int:
    """Count the nights that an earlier run left."""
    folder = FOLDER / digest(plan)
    return sum(
        len(Notes(folder / f"{name}.jsonl").read(Night)[: _wanted(size, name)]) for name in kinds
    )


def _wanted(size: Size, name: str) -> int:
    kind = KINDS[name]
    if kind in EDGES:
        return size.edge
    return size.noise if kind.law is None else size.made


def _earned(done: Nights, plan: Plan, workers: int) -> dict[str, Earned]:
    """Return what the nights' winners, and the plain rule, earn on fresh days."""
    names = [kind.name for kind in EDGES if kind.name in done]
    rules = {
        name: tuple(sorted({text for night in done[name] for text in _promising(night)}))
        for name in names
    }
    shared = msgspec.msgpack.encode(fresh.FreshPlan(plan.days, plan.costs, rules))
    jobs = [fresh.FreshJob(name, number) for name in names for number in range(fresh.MARKETS)]
    parts: dict[str, list[Earned]] = {name: [] for name in names}
    for job, earned in zip(jobs, fan_out(fresh.run, shared, jobs, workers=workers), strict=True):
        parts[job.kind].append(earned)
    return {name: fresh.joined(some) for name, some in parts.items()}


def _promising(night: Night) -> tuple[str, ...]:
    return night.winner.texts if night.winner and night.p <= max(nights.ALPHAS) else ()


def _leaked(plan: Plan, size: Size, workers: int) -> list[Leaked]:
    shared = msgspec.msgpack.encode(leaks.LeakPlan(plan, size.leak_worlds))
    jobs = [
        leaks.LeakJob(name, number, free)
        for number in range(size.leaks)
        for name in leaks.LEAKS
        for free in (False, True)
    ]
    return list(fan_out(leaks.run, shared, jobs, workers=workers))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.integrity", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some minutes; says little")
    parser.add_argument(
        "--nights", type=int, help="of each kind with nothing to find; half as many with an edge"
    )
    parser.add_argument(
        "--only", nargs="+", choices=[*KINDS, ALARM], help="print some kinds, write nothing"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded candles")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the page is written")
    return parser.parse_args()


if __name__ == "__main__":
    main()
