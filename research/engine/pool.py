"""Batches shared out to threads, each with a room of its own."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from research.engine.batches import Work
    from research.engine.run import Room

T = TypeVar("T")


def each(
    works: Iterable[Work], run: Callable[[Work, Room], T], make: Callable[[], Room], workers: int
) -> Iterator[T]:
    """Yield what `run` makes of each piece of work, in order.

    Kernels run without the interpreter's lock, so that the caller's thread prepares the next
    batches meanwhile. Only a few wait at a time: memory does not grow with the work.
    """
    if workers == 1:
        room = make()
        yield from (run(work, room) for work in works)
        return
    rooms = [make() for _ in range(workers)]

    def one(work: Work) -> T:
        room = rooms.pop()  # there are as many as threads
        try:
            return run(work, room)
        finally:
            rooms.append(room)

    with ThreadPoolExecutor(workers) as pool:
        running: deque[Future[T]] = deque()
        try:
            for work in works:
                running.append(pool.submit(one, work))
                if len(running) > 2 * workers:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()
