"""A crew of processes on this machine, each fed by a thread of its own.

Workers are started anew (`python -m tasks.crew.child`) and not forked: whoever fans out has
threads, and a fork copies their locks but not the threads that would release them. What all jobs
share lies in one nameless file that every worker inherits. A worker that dies takes nothing with it
but the job that it was doing, and another does that one again.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

from core.errors import JobLost, StoreUnwritable
from tasks.crew.window import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from multiprocessing.connection import Connection
    from types import TracebackType

Job = TypeVar("Job")
Result = TypeVar("Result")

ATTEMPTS = 3  # a job is begun again at most twice
AHEAD = 2  # jobs on their way for each worker
_BEAT = 1.0  # seconds between two looks at whether a silent worker lives
_ROOT = Path(__file__).resolve().parents[2]
# One thread each: there are as many processes as there should be threads, and no sum is split
# otherwise than in the next one.
_ONE_THREAD = {
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}


def on_processes(
    work: Callable[[bytes, Job], Result], shared: bytes, jobs: Iterable[Job], *, workers: int
) -> Generator[Result, None, None]:
    """Yield what `work` makes of each job, in order, out of `workers` processes."""
    # Left in reverse: the crew ends first, and then no thread has anything to wait for.
    with ThreadPoolExecutor(workers, "crew") as threads, _Crew(shared) as crew:

        def begin(job: Job) -> Future[Result]:
            return threads.submit(crew.do, work, job)

        try:
            yield from in_order(
                jobs, begin=begin, finish=Future.result, room=lambda: AHEAD * workers
            )
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


class _Gone(Exception):
    """A worker died, or the crew was sent home."""


class _Worker:
    """One child process and the line to it."""

    def __init__(self, shared: IO[bytes]) -> None:
        self._line, theirs = Pipe()
        with theirs:
            self._process = _start(theirs, shared)

    def ask(self, call: bytes) -> tuple[bool, Any]:
        """Return (True, the result) or (False, the error); raise `_Gone` where the child dies."""
        try:
            self._line.send_bytes(call)
            while not self._line.poll(_BEAT):
                if self._process.poll() is not None and not self._line.poll():
                    raise _Gone
            answer: tuple[bool, Any] = pickle.loads(self._line.recv_bytes())  # noqa: S301 - our own child
        except (EOFError, OSError):
            raise _Gone from None
        return answer

    @property
    def alive(self) -> bool:
        """Whether the child runs, as far as is known."""
        return self._process.poll() is None

    def end(self) -> str:
        """See to it that the child is dead; say what it died of."""
        self._process.kill()
        code = self._process.wait()
        return f"exit code {code}" if code >= 0 else _signal(-code)


def _start(line: Connection, shared: IO[bytes]) -> subprocess.Popen[bytes]:
    inherited = (line.fileno(), shared.fileno())
    command = [sys.executable, "-P", "-m", "tasks.crew.child"]
    return subprocess.Popen(  # noqa: S603 - our own module, our own arguments
        [*command, *(str(one) for one in (*inherited, os.getpid()))],
        stdin=subprocess.DEVNULL,
        stdout=2,  # a job that prints must not spoil what a program reads from us
        pass_fds=inherited,
        process_group=0,  # Ctrl-C is for us; we end the children
        env=os.environ
        | _ONE_THREAD
        | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)])},
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Crew:
    """Workers, started when they are first needed and when one has died."""

    def __init__(self, shared: bytes) -> None:
        self._shared = _nameless(shared)
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        """Send everybody home, whatever they are doing."""
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.end()
        self._shared.close()

    def do(self, work: Callable[[bytes, Job], Result], job: Job) -> Result:
        """Return what a worker makes of the job; called by many threads at once."""
        call = pickle.dumps((work, job))
        cause = ""
        for _ in range(ATTEMPTS):
            worker = self._take()
            try:
                done, outcome = worker.ask(call)
            except _Gone:
                cause = self._bury(worker)
                continue
            self._idle.append(worker)
            if done:
                result: Result = outcome
                return result
            raise outcome
        raise JobLost(
            f"job {job!r:.200}",
            f"{ATTEMPTS} workers died of it, the last one of {cause}; "
            "where memory ran out, fewer workers need less of it",
        )

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise _Gone
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:  # one that died between two jobs counts against neither
                    return worker
                self._workers.discard(worker)
            worker = _Worker(self._shared)
            self._workers.add(worker)
            return worker

    def _bury(self, worker: _Worker) -> str:
        with self._lock:
            self._workers.discard(worker)
            return worker.end()


def _nameless(data: bytes) -> IO[bytes]:
    """Return an open file that holds `data`, and that is gone when the last one closes it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the crew
    try:
        file.write(data)
        file.flush()
    except OSError as error:
        file.close()
        raise StoreUnwritable(tempfile.gettempdir(), str(error)) from None
    return file
