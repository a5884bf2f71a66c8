"""Watching what a process writes, call by call, and letting it fail or die at any of them.

The kernel stops the process at each call that changes a file and asks us what shall happen
(seccomp user notification, https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html), so that
writes of compiled libraries are seen like Python's own. Linux on x86-64 or ARM only.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Calls by number: what their first path or descriptor is, as an index of their arguments.
_DESCRIPTOR, _PATH, _AT = "descriptor", "path", "at"
_X86 = {
    1: ("write", _DESCRIPTOR), 18: ("pwrite", _DESCRIPTOR), 20: ("writev", _DESCRIPTOR),
    296: ("pwritev", _DESCRIPTOR), 328: ("pwritev2", _DESCRIPTOR), 40: ("sendfile", _DESCRIPTOR),
    285: ("fallocate", _DESCRIPTOR), 74: ("fsync", _DESCRIPTOR), 75: ("fdatasync", _DESCRIPTOR),
    77: ("ftruncate", _DESCRIPTOR), 76: ("truncate", _PATH), 2: ("open", _PATH),
    257: ("openat", _AT), 85: ("creat", _PATH), 82: ("rename", _PATH), 264: ("renameat", _AT),
    316: ("renameat2", _AT), 86: ("link", _PATH), 265: ("linkat", _AT), 87: ("unlink", _PATH),
    263: ("unlinkat", _AT), 83: ("mkdir", _PATH), 258: ("mkdirat", _AT),
}  # fmt: skip
_ARM = {
    64: ("write", _DESCRIPTOR), 68: ("pwrite", _DESCRIPTOR), 66: ("writev", _DESCRIPTOR),
    70: ("pwritev", _DESCRIPTOR), 287: ("pwritev2", _DESCRIPTOR), 71: ("sendfile", _DESCRIPTOR),
    47: ("fallocate", _DESCRIPTOR), 82: ("fsync", _DESCRIPTOR), 83: ("fdatasync", _DESCRIPTOR),
    46: ("ftruncate", _DESCRIPTOR), 45: ("truncate", _PATH), 56: ("openat", _AT),
    38: ("renameat", _AT), 276: ("renameat2", _AT), 37: ("linkat", _AT), 35: ("unlinkat", _AT),
    34: ("mkdirat", _AT),
}  # fmt: skip
_MACHINES = {"x86_64": (_X86, 0xC000003E, 317), "aarch64": (_ARM, 0xC00000B7, 277)}
WRITES = ("write", "pwrite")  # those that can be cut short
_SPACE = {*WRITES, "writev", "pwritev", "pwritev2", "sendfile", "fallocate", "open", "openat"} | {
    *("creat", "rename", "renameat", "renameat2", "link", "linkat", "mkdir", "mkdirat")
}

_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NO_NEW_PRIVILEGES, _SET_FILTER, _NEW_LISTENER = 38, 1, 1 << 3
_CONTINUE = 1
_PIDFD_GETFD = 438
_CREATES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NOTICE = struct.Struct("<QIIiIQ6Q")
_ANSWER = struct.Struct("<QqiI")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Call:
    """One call that would change a file below the watched folder; `number` counts from 1."""

    number: int
    name: str
    path: str

    @property
    def needs_space(self) -> bool:
        """Whether a full disk may refuse it."""
        return self.name in _SPACE


# What to do at a call: 0 is nothing, above it is the errno to fail with, or one of these.
SHORT, TORN, KILL, KILL_AFTER = -1, -2, -3, -4


@dataclass
class Watched:
    """What came of a watched process."""

    status: int = 0  # its exit code, or minus the signal that ended it
    calls: list[Call] = field(default_factory=list)
    told: str = ""  # what it wrote to its report


def available() -> str | None:
    """Return why calls cannot be watched here, None where they can."""
    if not sys.platform.startswith("linux") or platform.machine() not in _MACHINES:
        return f"watching calls needs Linux on {' or '.join(_MACHINES)}"
    try:
        found = watch(lambda: "seen", Path("/nowhere"), lambda _: 0)
    except OSError as error:
        return f"this kernel does not let us watch calls: {error}"
    return None if found.told == "seen" else "this kernel does not let us watch calls"


def watch(work: Callable[[], str], below: Path, decide: Callable[[Call], int]) -> Watched:
    """Run `work` in a forked child; ask `decide` at each call that changes a file `below`.

    Only for a process without threads. The text that `work` returns is in `told`.
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _become(work, theirs)
    theirs.close()
    found = Watched()
    told = bytearray()
    try:
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        if fds:
            told += _Supervisor(child, fds[0], str(below), found).run(ours, decide)
        while piece := ours.recv(65_536):
            told += piece
    finally:
        ours.close()
        _, status = os.waitpid(child, 0)
        found.status = os.waitstatus_to_exitcode(status)
    found.told = told.decode()
    return found


def _become(work: Callable[[], str], report: socket.socket) -> None:
    """In the child: put the filter on, do the work, send what it says, and end."""
    code = 1
    try:
        listener = _filter()
        socket.send_fds(report, [b"x"], [listener])
        os.close(listener)
        report.sendall(work().encode())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was is told to the parent
        report.sendall(traceback.format_exc().encode())
    finally:
        os._exit(code)


def _filter() -> int:
    """Install the filter on this process; return the descriptor on which it asks."""
    calls, machine, seccomp = _MACHINES[platform.machine()]
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, machine), (0x06, 0, 0, _ALLOW), (0x20, 0, 0, 0)]
    for number, (name, _) in calls.items():
        if name in {"open", "openat"}:
            flags = 16 + 8 * (1 if name == "open" else 2)
            program += [(0x15, 0, 4, number), (0x20, 0, 0, flags), (0x45, 0, 1, _CREATES)]
            program += [(0x06, 0, 0, _NOTIFY), (0x06, 0, 0, _ALLOW)]
        else:
            program += [(0x15, 0, 1, number), (0x06, 0, 0, _NOTIFY)]
    program.append((0x06, 0, 0, _ALLOW))
    code = b"".join(struct.pack("<HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(buffer))
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    return _checked(_libc.syscall(seccomp, _SET_FILTER, _NEW_LISTENER, header))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


class _Supervisor:
    """Answers the questions of one child until it ends or closes its report."""

    def __init__(self, child: int, listener: int, below: str, found: Watched) -> None:
        self._child, self._listener, self._below = child, listener, below
        self._handle = os.pidfd_open(child)
        self._calls = _MACHINES[platform.machine()][0]
        self._found = found

    def run(self, report: socket.socket, decide: Callable[[Call], int]) -> bytes:
        """Return what the child reported meanwhile."""
        told = bytearray()
        poll = select.poll()
        for descriptor in (self._listener, self._handle, report.fileno()):
            poll.register(descriptor, select.POLLIN)
        ended = False
        try:
            while not ended:
                for descriptor, _ in poll.poll():
                    if descriptor == self._listener:
                        self._answer(decide)
                    elif descriptor == self._handle:
                        ended = True
                    elif piece := report.recv(65_536):
                        told += piece
                    else:
                        poll.unregister(report.fileno())
        finally:
            os.close(self._listener)
            os.close(self._handle)
        return bytes(told)

    def _answer(self, decide: Callable[[Call], int]) -> None:
        notice = bytearray(_NOTICE.size)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, notice)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.EINTR}:
                return
            raise
        ident, thread, _, number, _, _, *arguments = _NOTICE.unpack(notice)
        name, kind = self._calls[number]
        path = _target(thread, kind, arguments)
        wish = 0
        if path.startswith(self._below):
            call = Call(len(self._found.calls) + 1, name, path[len(self._below) + 1 :])
            self._found.calls.append(call)
            wish = decide(call)
        if wish in {SHORT, TORN} and name in WRITES:
            half = _half(thread, self._handle, name, arguments)
            if wish == SHORT:
                _send(self._listener, ident, value=half)
        elif wish > 0:
            _send(self._listener, ident, error=-wish)
        elif wish != KILL:
            _send(self._listener, ident, flags=_CONTINUE)
        if wish in {TORN, KILL, KILL_AFTER}:
            os.kill(self._child, signal.SIGKILL)


def _send(listener: int, ident: int, *, value: int = 0, error: int = 0, flags: int = 0) -> None:
    try:
        fcntl.ioctl(listener, _SEND, bytearray(_ANSWER.pack(ident, value, error, flags)))
    except OSError as failed:
        if failed.errno != errno.ENOENT:  # the thread is gone
            raise


def _target(thread: int, kind: str, arguments: list[int]) -> str:
    """Return the file that a call would change."""
    try:
        if kind == _DESCRIPTOR:
            return str(Path(f"/proc/{thread}/fd/{arguments[0]}").readlink())
        path = _text(thread, arguments[0] if kind == _PATH else arguments[1])
        if kind == _AT and not path.startswith("/"):
            base = ctypes.c_int(arguments[0]).value
            where = f"fd/{base}" if base >= 0 else "cwd"
            return os.path.normpath(Path(f"/proc/{thread}/{where}").readlink() / path)
    except OSError:  # it has just ended
        return ""
    return os.path.normpath(path)


def _text(thread: int, address: int) -> str:
    with Path(f"/proc/{thread}/mem").open("rb", buffering=0) as memory:
        piece = os.pread(memory.fileno(), 4_096 - address % 4_096, address)
        if b"\0" not in piece:
            piece += os.pread(memory.fileno(), 4_096, address + len(piece))
    return piece.split(b"\0", 1)[0].decode(errors="replace")


def _half(thread: int, handle: int, name: str, arguments: list[int]) -> int:
    """Write the first half of what the process would write, for it; return how much that is."""
    half = max(1, arguments[2] // 2)
    with Path(f"/proc/{thread}/mem").open("rb", buffering=0) as memory:
        data = os.pread(memory.fileno(), half, arguments[1])
    copy = _checked(_libc.syscall(_PIDFD_GETFD, handle, arguments[0], 0))
    try:
        return os.pwrite(copy, data, arguments[3]) if name == "pwrite" else os.write(copy, data)
    finally:
        os.close(copy)
