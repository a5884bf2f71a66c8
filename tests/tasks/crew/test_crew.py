"""A crew gives the same results wherever it works, and leaves nothing behind."""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.errors import InvalidInput, JobLost, RateLimited
from tasks.crew import fan_out
from tests.tasks.crew import work

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
NUMBERS = np.random.default_rng(7).standard_normal(200_000).tobytes()


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def all_end(pids: set[int], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


def marks(folder: Path, number: int) -> set[int]:
    """Return the processes that left a mark, once there are `number`."""
    deadline = time.monotonic() + 30
    while len(found := list(folder.iterdir())) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    return {int(path.name.split(".")[-1]) for path in found}


def counted(total: int) -> tuple[Iterator[int], list[int]]:
    """Return jobs and the list of those that were read so far."""
    read: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(total):
            read.append(number)
            yield number

    return jobs(), read


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    assert list(fan_out(work.sleepy, b"", range(7), workers=workers)) == list(range(7))


def test_processes_give_the_bytes_that_this_process_gives() -> None:
    here = list(fan_out(work.correlated, NUMBERS, range(6), workers=1))
    assert list(fan_out(work.correlated, NUMBERS, range(6), workers=2)) == here
    assert len(set(here)) == 6


def test_every_byte_that_is_shared_arrives() -> None:
    shared = os.urandom(3_000_001)
    assert list(fan_out(work.digest, shared, range(3), workers=2)) == [
        work.digest(shared, job) for job in range(3)
    ]


def test_one_worker_needs_no_process() -> None:
    assert {pid for _, pid in fan_out(work.process, b"", range(3), workers=1)} == {os.getpid()}


def test_more_workers_are_processes_that_work_at_once() -> None:
    pids = {pid for _, pid in fan_out(work.process, b"", range(30), workers=2)}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_what_is_shared_is_decoded_once_in_each_process() -> None:
    seen = set(fan_out(work.decodings, NUMBERS, range(20), workers=2))
    assert len(seen) == len({pid for pid, _ in seen})


def test_each_process_has_one_thread() -> None:
    assert set(fan_out(work.threads, b"", range(2), workers=2)) == {(1, "1")}


def test_no_jobs_no_results_and_no_process() -> None:
    assert list(fan_out(work.digest, b"", [], workers=2)) == []


def test_less_than_one_worker_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 1 worker, was 0"):
        next(fan_out(work.digest, b"", [1], workers=0))


def test_jobs_are_read_as_they_are_needed() -> None:
    jobs, read = counted(1_000)
    with closing(fan_out(work.digest, b"", jobs, workers=2)) as results:
        assert read == []
        next(results)
        assert len(read) == 4
        list(itertools.islice(results, 3))
        assert len(read) == 7


def test_one_worker_reads_one_job_at_a_time() -> None:
    jobs, read = counted(1_000)
    with closing(fan_out(work.digest, b"", jobs, workers=1)) as results:
        next(results)
    assert read == [0]


def test_closing_early_ends_every_process_at_once(tmp_path: Path) -> None:
    results = fan_out(work.endless, b"", itertools.repeat(str(tmp_path)), workers=2)
    with pytest.raises(TimeoutError), closing(results):
        interrupt_after(results, tmp_path, 2)
    assert all_end({int(path.name) for path in tmp_path.iterdir()}, 0.5)


def interrupt_after(results: Iterator[None], folder: Path, number: int) -> None:
    """Wait for a result; be torn out of it once so many jobs have begun."""

    def torn(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGUSR1, torn)
    watching = (
        "import os, signal, sys, time\n"
        f"while len(os.listdir(sys.argv[1])) < {number}: time.sleep(0.02)\n"
        "os.kill(os.getppid(), signal.SIGUSR1)"
    )
    watcher = subprocess.Popen([sys.executable, "-c", watching, str(folder)])
    try:
        next(results)
    finally:
        watcher.wait(30)
        signal.signal(signal.SIGUSR1, before)


def test_a_killed_worker_costs_only_time(tmp_path: Path) -> None:
    jobs = [(number, str(tmp_path)) for number in range(8)]
    assert list(fan_out(work.killed_once, b"abc", jobs, workers=2)) == [n + 3 for n in range(8)]
    assert (tmp_path / "killed").exists()


def test_every_worker_killed_from_outside_costs_only_time(tmp_path: Path) -> None:
    jobs = ((number, str(tmp_path)) for number in range(8))
    with closing(fan_out(work.marking, b"", jobs, workers=2)) as results:
        first = next(results)
        killed = marks(tmp_path, 2)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert [first, *results] == list(range(8))
    assert marks(tmp_path, 8) > killed


def test_a_job_that_kills_its_workers_is_named() -> None:
    results = fan_out(work.suicidal, b"", range(6), workers=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(JobLost, match=r"job 2 was lost: 3 workers died of it, .* SIGKILL") as lost:
        next(results)
    assert lost.value.job == "job 2"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_work_comes_as_itself_in_its_turn(workers: int) -> None:
    results = fan_out(work.failing, b"", range(6), workers=workers)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RateLimited) as limited:
        next(results)
    assert (limited.value.status, limited.value.retry_after) == (429, 2.0)
    with pytest.raises(StopIteration):
        next(results)


def test_an_error_says_where_in_the_worker_it_came_from() -> None:
    with pytest.raises(RateLimited) as limited:
        list(fan_out(work.failing, b"", range(6), workers=2))
    assert "in failing" in "".join(limited.value.__notes__)


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    with pytest.raises(JobLost, match="Unpicklable, which cannot be pickled: very strange"):
        next(fan_out(work.strange, b"", [1], workers=2))


def test_work_without_a_name_is_refused_by_pickle() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        next(fan_out(lambda _shared, job: job, b"", [1], workers=2))


SCRIPT = """
import itertools, sys
from tasks.crew import fan_out
from tests.tasks.crew import work
try:
    for result in fan_out({work}, b"", {jobs}, workers=2):
        print(result, flush=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def script(name: str, jobs: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(work=f"work.{name}", jobs=jobs)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, blow: signal.Signals) -> None:
    parent = script("endless", f"itertools.repeat({str(tmp_path)!r})")
    workers = marks(tmp_path, 2)
    assert all(alive(pid) for pid in workers)
    parent.send_signal(blow)
    parent.communicate(timeout=10)
    assert all_end(workers)


def test_ctrl_c_ends_all_of_them_quietly(tmp_path: Path) -> None:
    parent = script("endless", f"itertools.repeat({str(tmp_path)!r})")
    workers = marks(tmp_path, 2)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
    said = parent.communicate(timeout=10)
    assert (parent.returncode, said) == (130, ("", ""))
    assert all_end(workers, 0.5)


def test_a_job_that_prints_does_not_print_where_we_do() -> None:
    out, complaints = script("printing", "range(2)").communicate(timeout=30)
    assert out == "0\n1\n"
    assert "a job that prints 1" in complaints
