"""One engine of others as a child process: `python -m benchmarks.peers.serve vectorbt-numba`.

Reads one JSON object per line: `load` a case, `run` it for a timing, `answer` with trades and
metrics as an .npz, `versions`. Writes one JSON object per line.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.timing import Timing, timed, turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers.case import Peer


def opened(name: str) -> Peer:
    """Return the engine of that name; its import is part of a first call."""
    if name == "backtesting":
        from benchmarks.peers.backtesting_peer import Backtesting  # noqa: PLC0415 - only one is

        return Backtesting()
    from benchmarks.peers.vectorbt_peer import Vectorbt  # noqa: PLC0415 - needed in a process

    return Vectorbt(name.removeprefix("vectorbt-"))


def answer(peer: Peer, order: dict[str, Any]) -> dict[str, Any]:
    """Do what one line asks for."""
    match order["do"]:
        case "load":
            peer.load(Path(order["path"]))
            return {}
        case "run":
            call: Callable[[], Any] = getattr(peer, order["what"])
            timing: Timing = timed(call)[0] if order["once"] else turn(call)
            return timing._asdict()
        case "answer":
            np.savez(order["path"], **peer.trades(), **peer.metrics())
            return {}
        case "versions":
            return {"versions": peer.versions}
    raise ValueError(f"expected load, run, answer or versions, was {order['do']!r}")


def main(name: str) -> None:
    """Answer line by line until the input ends."""
    warnings.filterwarnings("ignore")
    with os.fdopen(os.dup(1), "w", buffering=1) as replies:
        os.dup2(2, 1)  # whatever a library prints is no reply
        peer = opened(name)
        for line in sys.stdin:
            replies.write(json.dumps(answer(peer, json.loads(line))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
