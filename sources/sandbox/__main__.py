"""Run the sandbox: `python -m sources.sandbox --port 8490 --seed 1`; prints its URL when ready."""

from __future__ import annotations

import argparse
import sys

import msgspec

from core.clock import parse_utc
from core.errors import NightjarError
from sources.sandbox.clock import Clock
from sources.sandbox.faults import Faults
from sources.sandbox.incidents import Script
from sources.sandbox.process import serve


def main() -> int:
    """Serve until asked to stop; return the exit code."""
    given = _parser().parse_args()
    try:
        clock = Clock(parse_utc(given.at) if given.at else None, given.speed)
        faults = Faults.of(msgspec.json.decode(given.faults))
        serve(
            given.port,
            given.seed,
            faults,
            script=Script.read(given.script),
            markets=given.markets,
            clock=clock,
            announce=_announce,
            parent=given.parent,
        )
    except (NightjarError, msgspec.DecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sources.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8490, help="0: one that is free")
    parser.add_argument("--seed", type=int, default=1, help="decides the markets")
    parser.add_argument("--faults", default="{}", help="a JSON object, see docs/sandbox.md")
    parser.add_argument("--script", default="{}", help="a JSON object, see docs/sandbox.md")
    parser.add_argument("--markets", type=int, default=8, help="how many it lists")
    parser.add_argument("--at", help="where the clock starts, for example 2026-06-01T03:00Z")
    parser.add_argument("--speed", type=float, default=1.0, help="of the clock; 0 stands still")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    return parser


def _announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
