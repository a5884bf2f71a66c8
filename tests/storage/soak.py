"""`python -m tests.storage.soak`: many processes write and read one store at once, for a while.

Writers land and merge batches; readers count them and must see each whole or not at all, and never
fewer than before. Prints what was done and how long it took; ends with 1 where anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import StoreBusy
from storage import hot, landing
from storage.invariants import check_batches, check_invariants
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import NOW, candles

BARS = 60  # a batch


@dataclass
class Told:
    """What one process did."""

    took: list[float] = field(default_factory=list)  # seconds of each write or look
    batches: int = 0
    waited_too_long: int = 0
    torn: list[str] = field(default_factory=list)


def write(store: Store, name: str, until: float) -> Told:
    """Land and merge one batch after the other; what could not be had is merged at the end."""
    told = Told()
    while time.time() < until:
        rows = candles([*range(told.batches * BARS, (told.batches + 1) * BARS)], symbol=name)
        receipt = landing.land(store, "candles", rows, source="soak", now=NOW)
        told.batches += 1
        began = time.perf_counter()
        try:
            hot.merge(store, "candles", rows, batch=receipt.path, now=NOW)
        except StoreBusy:
            told.waited_too_long += 1
        told.took.append(time.perf_counter() - began)
    return told


def look(store: Store, _: str, until: float) -> Told:
    """Count the bars of each symbol again and again."""
    told = Told()
    last: dict[str, int] = {}
    query = "select symbol, count(*), count(distinct open_time) from candles group by symbol"
    while time.time() < until:
        began = time.perf_counter()
        try:
            seen = sql(query, store=store)
        except StoreBusy:
            told.waited_too_long += 1
            continue
        told.took.append(time.perf_counter() - began)
        for symbol, count, distinct in seen.iter_rows():
            if count % BARS or distinct != count or count < last.get(symbol, 0):
                told.torn.append(f"{symbol}: {count} bars, {distinct} distinct, {last}")
            last[symbol] = count
    return told


def soak(folder: Path, *, writers: int, readers: int, seconds: float, wait: float) -> list[str]:
    """Run them all; print figures; return what was wrong."""
    store = Store(folder / "home", str(folder / "home" / "lake"), lock_wait=wait)
    hot.put(store, "candles", candles(BARS, symbol="FIRST-USDT"), now=NOW)
    kinds = ["write"] * writers + ["look"] * readers
    processes = [_start(store, kind, f"S{n}-USDT", wait) for n, kind in enumerate(kinds)]
    for process in processes:
        _line(process)  # all have started
    for process in processes:
        print(time.time() + seconds, file=process.stdin, flush=True)
    ended = [process.communicate()[0] for process in processes]
    codes = [process.returncode for process in processes]
    wrong = [
        f"a process that shall {k} ended with {c}" for k, c in zip(kinds, codes, strict=True) if c
    ]
    if wrong:
        return wrong
    told = [Told(**json.loads(text)) for text in ended]
    for receipt in landing.pending(store):  # what had to wait, as the next run does
        hot.merge(store, "candles", landing.read_batch(store, receipt), batch=receipt.path, now=NOW)
    _print(kinds, told)
    batches = sum(one.batches for one in told)
    stored = sql("select count(*) from candles", store=store).item()
    wrong += [line for one in told for line in one.torn]
    if not all(one.took or one.waited_too_long for one in told):
        wrong.append("a process did nothing at all")
    if stored != (batches + 1) * BARS:
        wrong.append(f"{(batches + 1) * BARS} bars were landed, {stored} are stored")
    return wrong + check_invariants(store) + check_batches(store)


def _start(store: Store, kind: str, name: str, wait: float) -> subprocess.Popen[str]:
    options = {"--as": kind, "--home": str(store.home), "--name": name, "--wait": str(wait)}
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.storage.soak",
            *(part for pair in options.items() for part in pair),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _print(kinds: list[str], told: list[Told]) -> None:
    for kind in ("write", "look"):
        those = [one for name, one in zip(kinds, told, strict=True) if name == kind]
        took = sorted(second for one in those for second in one.took)
        busy = sum(one.waited_too_long for one in those)
        if took:
            places = [took[int(share * (len(took) - 1))] * 1e3 for share in (0.5, 0.95, 0.99, 1)]
            spread = ", ".join(f"{ms:.0f}" for ms in places)
            print(
                f"{len(those)} that {kind}: {len(took)} times, ms at 50 %, 95 %, 99 % and worst "
                f"{spread}; {busy} gave up waiting"
            )


def main() -> int:
    """Run the soak, or one process of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.storage.soak", description=__doc__)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--readers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--wait", type=float, default=30)
    parser.add_argument("--as", dest="kind", choices=("write", "look"), help=argparse.SUPPRESS)
    for name in ("--home", "--name"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind:
        home = Path(options.home)
        store = Store(home, str(home / "lake"), lock_wait=options.wait)
        work = {"write": write, "look": look}[options.kind]
        print("ready", flush=True)
        print(json.dumps(vars(work(store, options.name, float(sys.stdin.readline())))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        wrong = soak(
            Path(folder),
            writers=options.writers,
            readers=options.readers,
            seconds=options.seconds,
            wait=options.wait,
        )
    print("\n".join(wrong) or "nothing was lost, torn or there twice")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
