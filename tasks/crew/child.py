"""What a process of the crew runs: one call after the other, until its line is cut.

The main thread listens, so that the process ends at once when whoever started it does, however
that ended; another one works. A call is a pickled (work, job), an answer a pickled (True, result)
or (False, error).
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection

from core.errors import JobLost

_BEAT = 1.0  # seconds between two looks at who our parent is


def main(line: Connection, shared: bytes, parent: int) -> None:
    """Answer every call on `line` until it is cut or `parent` is not our parent any more."""
    hands = ThreadPoolExecutor(1)
    while (call := _heard(line, parent)) is not None:
        hands.submit(_done, shared, call).add_done_callback(lambda done: _say(line, done))
    os._exit(0)  # whatever is being worked on: nobody waits for it


def _heard(line: Connection, parent: int) -> bytes | None:
    try:
        while not line.poll(_BEAT):
            if os.getppid() != parent:
                return None
        return line.recv_bytes()
    except (EOFError, OSError):
        return None


def _done(shared: bytes, call: bytes) -> bytes:
    work, job = pickle.loads(call)  # noqa: S301 - from our own parent
    return pickle.dumps((True, work(shared, job)))


def _say(line: Connection, done: Future[bytes]) -> None:
    error = done.exception()
    with suppress(OSError):  # nobody listens: the main thread ends us
        line.send_bytes(done.result() if error is None else _told(error))


def _told(error: BaseException) -> bytes:
    """Return an answer that carries `error`; its text alone where it cannot be pickled.

    Where it came from travels as a note, since a traceback cannot.
    """
    came = "".join(traceback.format_exception(error))
    error.add_note(f"in a worker process:\n{came}")
    with ThreadPoolExecutor(1) as trial:  # pickling runs code of the error's class
        arrives = trial.submit(lambda: pickle.loads(pickle.dumps(error)))  # noqa: S301 - as above
        if arrives.exception() is None:
            return pickle.dumps((False, error))
    lost = JobLost("a job", f"it raised {type(error).__name__}, which cannot be pickled: {error}")
    lost.add_note(f"in a worker process:\n{came}")
    return pickle.dumps((False, lost))


def _read(descriptor: int) -> bytes:
    """Return the whole file from its start; its position is shared with our siblings."""
    size, parts, at = os.fstat(descriptor).st_size, [], 0
    while at < size:
        parts.append(os.pread(descriptor, size - at, at))
        at += len(parts[-1])
    return b"".join(parts)


if __name__ == "__main__":
    _line, _shared, _parent = (int(argument) for argument in sys.argv[1:])
    main(Connection(_line), _read(_shared), _parent)
