"""Killing and failing a story at its calls, and looking at what is left each time.

This process imports everything and starts no thread; each run is a fork of it, so that a kill costs
the work that it interrupts and no start of Python.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
import time
import traceback
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from core.errors import NightjarError
from storage.invariants import check_batches, check_invariants
from storage.scrub import scrub
from storage.store import Store
from tests.storage.crash.stories import LATER, NOW, content, unaccounted
from tests.storage.crash.syscalls import KILL, KILL_AFTER, SHORT, TORN, WRITES, Watched, watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.storage.crash.stories import Story
    from tests.storage.crash.syscalls import Call

CHAIN = 5  # kills in a row before everything is looked at
LEAST = 4  # a run that goes on makes a quarter of the calls of a whole one, or more
KILLS = {"before": KILL, "after": KILL_AFTER, "in the middle of": TORN}


@dataclass
class Figures:
    """What a series of runs found; `problems` must be empty."""

    story: str
    calls: int = 0  # that an undisturbed run makes
    runs: int = 0
    struck: int = 0  # runs that were killed, or in which something failed
    refused: int = 0  # of the failed ones: ended with an error of ours
    survived: int = 0  # of the failed ones: ended as if nothing had been
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        facts = asdict(self)
        problems = facts.pop("problems")
        told = ", ".join(f"{name} {value}" for name, value in facts.items())
        return f"{told}, problems {len(problems)}"


class Bench:
    """A folder in which one story is run again and again from the same beginning."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story = story
        self._template, self._run = folder / "template", folder / "run"
        self._reference = folder / "reference"
        self.calls: list[Call] = []
        self._sure(apart(self._prepared))
        shutil.copytree(self._run, self._template)
        whole = self._once(lambda _: 0)
        self.calls = whole.calls
        self._sure(apart(self._refer))

    def strike(self, decide: Callable[[Call], int]) -> tuple[Watched, list[str]]:
        """Run the story once with `decide`; return how it went, and what is wrong afterwards."""
        run = self._once(decide, sure=False)
        return run, self.look()

    def begin(self) -> None:
        """Go back to the beginning."""
        shutil.rmtree(self._run, ignore_errors=True)
        shutil.copytree(self._template, self._run)

    def go_on(self, decide: Callable[[Call], int]) -> Watched:
        """Run the story on what the last run left."""
        return watch(self._act, self._run, decide)

    def look(self) -> list[str]:
        """Look at what is there, run the story undisturbed, look again; return what is wrong."""
        looked = apart(self._look)
        if looked.status:
            return [f"looking at it failed: {looked.told[-1500:]}"]
        found: list[str] = json.loads(looked.told)
        return found

    def _store(self) -> Store:
        # Always at the same place: a lake knows whose it is.
        home = self._run / "home"
        return Store(home, str(home / "lake"), lock_wait=10.0)

    def _prepared(self) -> str:
        self._run.mkdir(parents=True)
        self.story.prepare(self._store())
        return ""

    def _once(self, decide: Callable[[Call], int], *, sure: bool = True) -> Watched:
        self.begin()
        run = self.go_on(decide)
        if sure:
            self._sure(run)
        return run

    def _act(self) -> str:
        try:
            self.story.act(self._store(), NOW)
        except NightjarError as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def _refer(self) -> str:
        store = self._store()
        self._reference.write_bytes(pickle.dumps(content(store)))
        return "".join(check_batches(store))

    def _look(self) -> str:
        """Look, run the story once more, and look again."""
        store = self._store()
        breaches = check_invariants(store) if self.story.sound else []
        found = [f"before the rerun: {breach}" for breach in breaches]
        self.story.act(store, NOW + LATER)
        found += check_invariants(store)
        found += [str(damage) for damage in scrub(store)]
        found += unaccounted(store, self.story.returned())
        reference, now = pickle.loads(self._reference.read_bytes()), content(store)
        found += [
            f"{name} is {now[name].height} rows, not the {frame.height} of a run that nothing met"
            for name, frame in reference.items()
            if not frame.equals(now[name])
        ]
        return json.dumps(found)

    @staticmethod
    def _sure(run: Watched) -> None:
        if run.status or run.told:
            raise RuntimeError(f"a run without faults ended with {run.status}: {run.told}")


def apart(work: Callable[[], str]) -> Watched:
    """Do `work` in a forked process, unwatched; return what it said."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        code, told = 1, ""
        try:
            told, code = work(), 0
        except BaseException:  # noqa: BLE001 - whatever it was is told to the parent
            told = traceback.format_exc()
        finally:
            with os.fdopen(theirs, "w") as pipe:
                pipe.write(told)
            os._exit(code)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return Watched(os.waitstatus_to_exitcode(status), [], told)


def kill(bench: Bench, kills: int, seed: int) -> Figures:
    """Kill the story `kills` times, at calls drawn at random, and look after every few of them.

    A run that was killed is followed by another that is killed too, so that what it finds is
    never only what a whole run leaves. Where it goes on from there, few calls are left to it.
    """
    chance, began = random.Random(f"{seed} {bench.story.name}"), time.monotonic()
    figures = Figures(bench.story.name, len(bench.calls))
    while figures.struck < kills:
        bench.begin()
        strikes: list[str] = []
        left = len(bench.calls)
        for _ in range(min(CHAIN, kills - figures.struck)):
            number, mode = chance.randint(1, left), chance.choice([*KILLS])
            run = bench.go_on(lambda call: _strike(call, number, mode))  # noqa: B023 - asked before the next turn
            figures.runs += 1
            if run.status != -signal.SIGKILL:
                break  # it ended before that call
            figures.struck += 1
            if bench.story.resumes:
                left = max(left - number, len(bench.calls) // LEAST)
            call = run.calls[number - 1]
            strikes.append(f"{mode} call {number} ({call.name} {call.path})")
        problems = bench.look()
        if run.status not in {0, -signal.SIGKILL} or run.told:
            problems.append(f"ended with {run.status}: {run.told[-1500:]}")
        figures.problems += [f"killed {', then '.join(strikes)}: {one}" for one in problems]
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _strike(call: Call, number: int, mode: str) -> int:
    if call.number != number:
        return 0
    return KILLS[mode] if mode != "in the middle of" or call.name in WRITES else KILL


@dataclass(frozen=True)
class Fault:
    """What a call meets: an errno or a short write, once or from then on."""

    name: str
    code: int
    for_good: bool = False

    def meets(self, call: Call, number: int) -> bool:
        """Whether the call is one that the fault, met first at call `number`, may strike."""
        if call.number != number and not (self.for_good and call.number > number):
            return False
        if self.code == SHORT:
            return call.name in WRITES
        return call.needs_space if self.name.startswith("ENOSPC") else True


def fail(bench: Bench, fault: Fault, numbers: list[int]) -> Figures:
    """Let the story meet a fault at each call; it must end well or with an error of ours."""
    figures = Figures(f"{bench.story.name} with {fault.name}", len(bench.calls))
    began = time.monotonic()
    for number in numbers:
        struck = []

        def decide(call: Call, number: int = number, struck: list[Call] = struck) -> int:
            if not fault.meets(call, number):
                return 0
            struck.append(call)
            return fault.code

        run, problems = bench.strike(decide)
        figures.runs += 1
        figures.struck += bool(struck)
        if run.status:
            problems.append(f"ended with {run.status}: {run.told[-1500:]}")
        figures.refused += bool(run.told)
        figures.survived += bool(struck) and not run.told
        figures.problems += _placed(bench, number, fault.name, problems)
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _placed(bench: Bench, number: int, how: str, problems: list[str]) -> list[str]:
    call = bench.calls[number - 1]
    return [f"{how} call {number} ({call.name} {call.path}): {problem}" for problem in problems]
