"""The store's steps, killed at any call that changes a file, and meeting errors at each of them.

One process does it all, since it has to fork before any library starts a thread.
`make crashtest` does the same thousands of times.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.storage.crash.stories import STORIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# 200 kills together, fewer of the stories that take long; `make crashtest` does more of each.
KILLS = {"ingest": 14, "merge": 54, "archive": 40, "migration": 50, "compaction": 30, "repair": 12}
FAULTS = 1  # of each kind
NAMES = [*STORIES]


class Harness:
    """One process that runs what all tests ask for, started when the first of them does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: subprocess.Popen[str] | None = None

    def run(self, *options: str) -> list[dict[str, Any]]:
        """Run the harness; return its figures."""
        child = self._running()
        said = self._folder / "said"
        before = said.stat().st_size
        try:
            with suppress(BrokenPipeError):  # it has said why it ended
                print(shlex.join(options), file=child.stdin, flush=True)
            answer = child.stdout.readline()
        except BaseException:  # what it would answer later is nobody's
            child.kill()
            raise
        finally:
            told = said.read_text()[before:]
            print(told)
        if not answer and child.wait(60) == 2:
            pytest.skip(said.read_text().strip())
        assert answer, told
        found: list[dict[str, Any]] = json.loads(answer)
        return found

    def end(self) -> None:
        """End the process."""
        if self._child is not None:
            with suppress(BrokenPipeError):
                self._child.stdin.close()
            self._child.wait(60)
            self._child.stdout.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() not in {None, 2}:
            self.end()
            with (self._folder / "said").open("a") as said:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "tests.storage.crash", "--serve"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    text=True,
                    env=dict.fromkeys(("TMPDIR", "HOME"), str(self._folder))
                    | {"PATH": "/usr/bin:/bin"},
                )
        return self._child


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Start the harness for all tests of this process: importing all takes longer than a kill."""
    harness = Harness(tmp_path_factory.mktemp("crash"))
    yield harness
    harness.end()


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_killed_nothing_is_lost_and_nothing_is_there_twice(
    harness: Harness, name: str
) -> None:
    [figures] = harness.run("--kills", str(KILLS[name]), "--stories", name)
    assert figures["problems"] == []
    assert figures["struck"] == KILLS[name]


@pytest.mark.parametrize("name", NAMES)
def test_an_error_of_the_disk_at_any_call_loses_nothing(harness: Harness, name: str) -> None:
    found = harness.run("--faults", str(FAULTS), "--stories", name)
    assert [figures["problems"] for figures in found if figures["problems"]] == []
    assert all(figures["struck"] for figures in found)


def test_the_harness_sees_calls_of_compiled_libraries_and_can_strike_them(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SELF_TEST, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 2:
        pytest.skip(done.stdout.strip())
    assert done.stdout.split() == ["whole", "-9", "torn", "ENOSPC", "short"], done.stderr


SELF_TEST = """
import errno, sys
from pathlib import Path
from tests.storage.crash.syscalls import *
from tests.storage.crash import syscalls
if (why := available()):
    print(why)
    sys.exit(2)
folder = Path(sys.argv[1])
target = folder / "file"
DATA = b"x" * 100_000
def work():
    import os
    handle = os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    try:
        written = os.write(handle, DATA)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "whole" if written == len(DATA) else "short"
def at_write(wish):
    return watch(work, folder, lambda call: wish if call.name == "write" else 0)
print(at_write(0).told)
print(at_write(KILL).status)
assert target.stat().st_size == 0
at_write(TORN)
print("torn" if target.stat().st_size == len(DATA) // 2 else target.stat().st_size)
print(at_write(errno.ENOSPC).told)
print(at_write(SHORT).told)
"""
