"""Jobs begun a few ahead, results in the order of the jobs."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

Job = TypeVar("Job")
Begun = TypeVar("Begun")
Result = TypeVar("Result")


def in_order(
    jobs: Iterable[Job],
    *,
    begin: Callable[[Job], Begun],
    finish: Callable[[Begun], Result],
    room: Callable[[], int],
) -> Generator[Result, None, None]:
    """Yield what `finish` makes of each job that `begin` began, the oldest first.

    Args:
        jobs: Read one by one, never more than there is room for.
        begin: Set a job going, and return at once.
        finish: Wait for it.
        room: How many may be on their way now, at least 1; asked again after each result.
    """
    left = iter(jobs)
    begun: deque[Begun] = deque()
    while True:
        begun.extend(begin(job) for job in islice(left, max(0, room() - len(begun))))
        if not begun:
            return
        yield finish(begun.popleft())
