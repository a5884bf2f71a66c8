"""A crew: many independent jobs over the same data, done here, in processes or on a cluster.

A job is a pure function of (shared bytes, job), found by its name, so that what comes back does
not depend on where it ran, on how many workers there were, or on how often it had to be repeated.
None of this needs Prefect: a step that fans out is one step, and its jobs are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from core.errors import InvalidInput
from tasks.crew.processes import on_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

Job = TypeVar("Job")
Result = TypeVar("Result")


def fan_out(
    work: Callable[[bytes, Job], Result],
    shared: bytes,
    jobs: Iterable[Job],
    *,
    workers: int,
    dask: str | None = None,
) -> Generator[Result, None, None]:
    """Yield `work(shared, job)` for each job, in their order; equal for any number of workers.

    Jobs are read as they are needed: not more than twice as many as there are workers are on their
    way, counting those done whose turn has not come. Who has enough closes the generator, best by
    `with contextlib.closing(...)`, and what is on its way is given up.

    Args:
        work: A pure function at the top level of a module, as workers import it by its name.
            `shared` is the same object in each call of one process, so that what is decoded from
            it can be kept (`core.once.OncePerBytes`).
        shared: What all jobs read; given to each worker once.
        jobs: Small values that can be pickled; a job's `repr` is its name in errors.
        workers: Processes here; 1 does the work in this one. A cluster has its own number.
        dask: A scheduler's address, such as `tcp://127.0.0.1:8786`; its workers do the work.

    Raises:
        JobLost: The workers that ran a job died, three times.
        ClusterUnavailable: Nothing answers at the address, or it has no workers.
        ClusterDiffers: The cluster's workers would not give the results that this process gives.
        InvalidInput: There are no workers.
        Exception: Whatever `work` raises, where the turn of its job comes.
    """
    if workers < 1:
        raise InvalidInput(f"expected at least 1 worker, was {workers}")
    if dask is not None:
        # Dask takes a second to import, and most nights need none.
        from tasks.crew.cluster import on_cluster  # noqa: PLC0415

        yield from on_cluster(work, shared, jobs, address=dask)
    elif workers > 1:
        yield from on_processes(work, shared, jobs, workers=workers)
    else:
        for job in jobs:
            yield work(shared, job)
