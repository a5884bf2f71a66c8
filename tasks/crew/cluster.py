"""A crew on an existing Dask cluster: https://distributed.dask.org/en/stable/client.html.

The cluster is somebody else's: we bring data and the names of functions, no code. So the workers
are asked first what they have, and refused where that would give other results than ours. Dask
runs the jobs of a worker that dies again by itself; what it cannot bring back is data that no
living worker holds any more, and that we hand out again.
"""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import uuid4

from distributed import Client, Future, KilledWorker

from core.errors import ClusterDiffers, ClusterUnavailable, JobLost
from tasks.crew.remote import Facts, differences, do, facts
from tasks.crew.window import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Job = TypeVar("Job")
Result = TypeVar("Result")

AHEAD = 2  # jobs on their way for each thread of the cluster
ATTEMPTS = 3  # how often a job may be handed out, beside what Dask repeats by itself
PATIENCE = 60.0  # seconds for an answer at first, and for a worker to come back
_BEAT = 5.0  # seconds between two looks at whether anybody works
_ROOMS = {"core", "research", "tasks"}  # what a worker imports of ours


def on_cluster(
    work: Callable[[bytes, Job], Result],
    shared: bytes,
    jobs: Iterable[Job],
    *,
    address: str,
    patience: float = PATIENCE,
) -> Generator[Result, None, None]:
    """Yield what `work` makes of each job, in order, out of the cluster at `address`."""
    with _connected(address, patience) as client:
        check_workers(client, address, facts())
        crew = _Crew(client, address, work, shared, patience)
        yield from in_order(jobs, begin=crew.begin, finish=crew.finish, room=crew.room)


@contextmanager
def _connected(address: str, patience: float) -> Iterator[Client]:
    """Yield a client of a cluster that has workers; whatever it still does ends with it."""
    try:
        client = Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterUnavailable(address, str(error)) from None
    with client:
        with _heard(address):
            _wait_for_workers(client, address, patience)
        yield client


@contextmanager
def _heard(address: str) -> Iterator[None]:
    """Translate what asking the scheduler raises; no job's error passes through here."""
    try:
        yield
    except OSError as error:  # Dask's own errors of communication among them
        raise ClusterUnavailable(address, f"the scheduler went away: {error}") from None


def _wait_for_workers(client: Client, address: str, patience: float) -> None:
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        raise ClusterUnavailable(address, f"no worker within {patience:g} s") from None


def check_workers(client: Client, address: str, wanted: Facts) -> None:
    """Raise `ClusterDiffers` where a worker has no nightjar or another one, or adds otherwise."""

    def look() -> Facts:
        # Sent as code, since a worker without nightjar could not find it by name.
        from tasks.crew.remote import facts  # noqa: PLC0415

        return facts()

    with _heard(address):
        found: dict[str, Facts | Exception] = client.run(look, on_error="return")
    for worker, said in sorted(found.items()):
        if isinstance(said, Exception):
            raise ClusterDiffers(
                address,
                f"worker {worker} cannot import nightjar ({said}); install it there from the "
                "same checkout, or put the checkout on the workers' PYTHONPATH",
            )
        if different := differences(wanted, said):
            raise ClusterDiffers(
                address,
                f"results would differ from those of this process: worker {worker}: {different}",
            )


class _Begun(Generic[Job]):
    """A job on its way."""

    def __init__(self, job: Job, future: Future[Any]) -> None:
        self.job = job
        self.future = future
        self.attempts = 1


class _Crew(Generic[Job, Result]):
    """One kind of work over one piece of shared data."""

    def __init__(
        self,
        client: Client,
        address: str,
        work: Callable[[bytes, Job], Result],
        shared: bytes,
        patience: float,
    ) -> None:
        self._client = client
        self._address = address
        self._work = work
        self._data = shared
        self._patience = patience
        self._shared = self._scatter()
        self._begun: list[_Begun[Job]] = []

    def room(self) -> int:
        """Return how many jobs may be on their way, by the workers that there are now."""
        return max(1, AHEAD * self._threads())

    def begin(self, job: Job) -> _Begun[Job]:
        """Send a job off."""
        begun = _Begun(job, self._submit(job))
        self._begun.append(begun)
        return begun

    def finish(self, begun: _Begun[Job]) -> Result:
        """Wait for a job's result, for as long as anybody works."""
        while True:
            try:
                self._wait(begun.future)
                result: Result = begun.future.result()
            except CancelledError:
                self._again(begun)
                continue
            except KilledWorker as error:
                raise JobLost(
                    _name(begun.job), f"{error.allowed_failures + 1} workers died of it"
                ) from None
            except ModuleNotFoundError as error:
                if (error.name or "").split(".")[0] not in _ROOMS:
                    raise
                raise ClusterDiffers(
                    self._address, f"a worker joined that cannot import nightjar ({error})"
                ) from None
            self._begun.remove(begun)
            return result

    def _wait(self, future: Future[Any]) -> None:
        """Return when the future is done; raise where nobody has worked for too long."""
        idle_since: float | None = None
        while True:
            try:
                future.exception(timeout=_BEAT)  # to `result`, late is the same as TimeoutError
            except TimeoutError:
                if self._threads():
                    idle_since = None
                    continue
                idle_since = idle_since or time.monotonic() - _BEAT
                if time.monotonic() - idle_since >= self._patience:
                    raise ClusterUnavailable(
                        self._address, f"no worker within {self._patience:g} s"
                    ) from None
            else:
                return

    def _again(self, lost: _Begun[Job]) -> None:
        """Hand out once more what the cluster has forgotten, with the data that it needs."""
        if lost.attempts >= ATTEMPTS:
            raise JobLost(
                _name(lost.job), f"all workers that held its data died, {ATTEMPTS} times in a row"
            )
        if self._client.status != "running":
            raise ClusterUnavailable(self._address, "the scheduler went away")
        with _heard(self._address):
            _wait_for_workers(self._client, self._address, self._patience)
        self._shared = self._scatter()
        for begun in self._begun:
            if begun.future.cancelled():
                begun.future = self._submit(begun.job)
                begun.attempts += 1

    def _threads(self) -> int:
        with _heard(self._address):
            threads: dict[str, int] = self._client.nthreads()
        return sum(threads.values())

    def _scatter(self) -> Future[bytes]:
        with _heard(self._address):
            scattered: Future[bytes] = self._client.scatter(self._data, broadcast=True, hash=False)
        return scattered

    def _submit(self, job: Job) -> Future[Any]:
        # No `retries`: those are for errors, and what fails once fails again. A job whose worker
        # died is repeated by the scheduler.
        future: Future[Any] = self._client.submit(
            do,
            self._work,
            self._shared,
            job,
            facts(),
            self._address,
            key=f"nightjar-{uuid4()}",
            pure=False,
        )
        return future


def _name(job: object) -> str:
    return f"job {job!r:.200}"
