from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

from storage import hot
from storage.archive import archive
from storage.catalog import gaps
from storage.invariants import check_invariants
from storage.lake import sql
from storage.scrub import scrub
from tests.storage.samples import NOW, candles

if TYPE_CHECKING:
    import polars as pl

    from storage.store import Store

BARS = 50  # a batch; readers must see all of it or nothing


def batch(number: int) -> pl.DataFrame:
    """Return bars of one of four symbols, from March into April, next to the batch before."""
    start = number // 4 * BARS
    return candles([*range(start, start + BARS)], symbol=f"S{number % 4}-USDT")


def merge(store: Store, number: int) -> None:
    hot.merge(store, "candles", batch(number), batch=f"batch {number}", now=NOW)


def counts(store: Store) -> dict[str, int]:
    return dict(
        sql("select symbol, count(*) from candles group by symbol", store=store).iter_rows()
    )


def assert_whole(store: Store, batches: int) -> None:
    """All batches are there, once, without a hole, as they were."""
    assert check_invariants(store) == []
    assert scrub(store) == []
    assert gaps(store).is_empty()
    everything = sql("from candles order by symbol, open_time", store=store)
    symbols = sorted({f"S{n % 4}-USDT" for n in range(batches)})
    for symbol in symbols:
        found = everything.filter(symbol=symbol)
        assert_frame_equal(found, candles(found.height, symbol=symbol))
    assert everything.height == batches * BARS


def test_threads_that_write_read_and_archive_at_once_see_whole_batches(store: Store) -> None:
    done = threading.Event()
    looks = []

    def look() -> None:
        last: dict[str, int] = {}
        while not done.is_set():
            seen = counts(store)
            assert all(count % BARS == 0 for count in seen.values()), seen
            assert all(seen.get(symbol, 0) >= count for symbol, count in last.items())
            last = seen
            looks.append(seen)
            done.wait(0.03)

    def keep_archiving() -> None:
        while not done.is_set():
            archive(store, "candles", now=datetime(2026, 4, 15, tzinfo=UTC), hot_days=0)
            done.wait(0.2)

    with ThreadPoolExecutor(5) as pool:
        background = [pool.submit(look), pool.submit(look), pool.submit(keep_archiving)]
        try:
            list(pool.map(lambda number: merge(store, number), range(12)))
        finally:
            done.set()
        for future in background:
            future.result()
    assert len(looks) > 2
    assert_whole(store, 12)


WORK = """
import sys
from pathlib import Path
from storage.store import Store
from tests.storage.test_concurrency import merge
store = Store(Path(sys.argv[1]), sys.argv[2], 60.0)
print("ready", flush=True)
for number in map(int, sys.argv[3:]):
    merge(store, number)
    print(number, flush=True)
"""


def worker(store: Store, *numbers: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(store.home), store.lake, *map(str, numbers)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process


def test_processes_that_write_at_once_lose_nothing(store: Store) -> None:
    workers = [worker(store, *range(n, 18, 3)) for n in range(3)]
    while any(process.poll() is None for process in workers):
        assert all(count % BARS == 0 for count in counts(store).values())
        time.sleep(0.2)
    for process in workers:
        process.communicate()
        assert process.returncode == 0
    assert_whole(store, 18)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_writer_killed_at_any_moment_loses_nothing_it_had_confirmed(
    store: Store, seed: int
) -> None:
    chance = random.Random(seed)
    confirmed: set[int] = set()
    for _ in range(2):
        process = worker(store, *[n for n in range(40) if n not in confirmed])
        try:
            assert process.stdout.readline().strip() == "ready"
            for _ in range(chance.randrange(1, 6)):
                confirmed.add(int(process.stdout.readline()))
            time.sleep(chance.random() * 0.05)
        finally:
            process.kill()
            rest, _ = process.communicate()
        confirmed |= {int(line) for line in rest.split()}
        stored = counts(store)
        assert all(count % BARS == 0 for count in stored.values())
        assert sum(stored.values()) // BARS in {len(confirmed), len(confirmed) + 1}
        assert check_invariants(store) == []
    for number in range(12):
        merge(store, number)
    assert_whole(store, max(12, len(confirmed)))
