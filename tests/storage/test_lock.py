from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pytest

from core.errors import StoreBusy
from storage import hot, landing
from storage.hot_file import reading, writing
from storage.lake import sql
from storage.lock import Patience
from storage.store import Store
from tests.storage.samples import NOW, candles

if TYPE_CHECKING:
    from collections.abc import Iterator

HASTY = 0.3  # seconds that a test waits for a lock it shall not get


def hasty(store: Store) -> Store:
    return Store(store.home, store.lake, lock_wait=HASTY)


@contextmanager
def program(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run Python code in another process until it prints a line; end it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield process
    finally:
        process.kill()
        process.communicate()


FOREIGN = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "True")
print("ready", flush=True)
sys.stdin.readline()
con.close()
print("closed", flush=True)
"""
WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from storage.hot_file import writing
from storage.store import Store
store, now = Store(Path(sys.argv[1]), sys.argv[2]), datetime(2026, 6, 1, tzinfo=UTC)
with writing(store, "a long merge", now=now):
    print("ready", flush=True)
    time.sleep(60)
"""


def put(store: Store, symbol: str = "BTC-USDT") -> None:
    hot.put(store, "candles", candles(3, symbol=symbol), now=NOW)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_person_who_holds_the_file_is_named_and_loses_nothing(
    store: Store,
    read_only: bool,  # noqa: FBT001 - a case of the test
) -> None:
    put(store)
    receipt = landing.land(store, "candles", candles(5), source="test", now=NOW)
    with program(FOREIGN, store.hot_path, read_only) as shell:
        with pytest.raises(StoreBusy, match=rf"python.*\(PID {shell.pid}\)") as busy:
            hot.merge(hasty(store), "candles", candles(5), batch=receipt.path, now=NOW)
        assert HASTY <= busy.value.waited < HASTY + 5
        if read_only:
            assert sql("select count(*) from candles", store=store).item() == 3
            assert landing.pending(store) == [receipt]
        else:
            with pytest.raises(StoreBusy, match=rf"\(PID {shell.pid}\)"):
                sql("from candles", store=hasty(store))
        shell.stdin.write("\n")
        shell.stdin.flush()
        assert shell.stdout.readline().strip() == "closed"
    assert landing.pending(store) == [receipt]
    hot.merge(store, "candles", candles(5), batch=receipt.path, now=NOW)
    assert sql("select count(*) from candles", store=store).item() == 5


def test_a_merge_waits_for_a_person_who_is_done_soon(store: Store) -> None:
    put(store)
    with program(FOREIGN, store.hot_path, "False") as shell:

        def leave() -> None:
            print(file=shell.stdin, flush=True)

        timer = threading.Timer(0.4, leave)
        timer.start()
        put(store, "ETH-USDT")
        timer.join()
    assert sql("select count(*) from candles", store=store).item() == 6


def test_another_connection_of_this_process_is_named(store: Store) -> None:
    put(store)
    with (
        duckdb.connect(store.hot_path),
        pytest.raises(StoreBusy, match="another connection of this process"),
    ):
        put(hasty(store))


def test_a_writer_of_ours_is_named_with_what_it_does(store: Store) -> None:
    put(store)
    with program(WRITER, store.home, store.lake) as other:
        named = rf"process {other.pid} \(a long merge\)"
        with pytest.raises(StoreBusy, match=named):
            put(hasty(store))
        with pytest.raises(StoreBusy, match=named):
            sql("from candles", store=hasty(store))


def test_a_killed_writer_blocks_nobody(store: Store) -> None:
    put(store)
    with program(WRITER, store.home, store.lake) as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        assert (store.home / "write.holder").exists()
        put(hasty(store), "ETH-USDT")
    assert sql("select count(*) from candles", store=store).item() == 6
    assert not (store.home / "write.holder").exists()


def test_one_readers_end_does_not_free_the_file_under_another(store: Store) -> None:
    # A POSIX lock on a file ends when its process closes any handle of that file.
    put(store)
    with reading(store) as con:
        with reading(store):
            pass
        with pytest.raises(StoreBusy, match="a reader"), writing(hasty(store), "x", now=NOW):
            pass
        with program(TRY, store.home, store.lake) as other:
            assert other.stdout.readline().strip() == "StoreBusy"
        assert con.execute("select count(*) from hot.candles").fetchall() == [(3,)]


TRY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from core.errors import StoreBusy
from storage.hot_file import writing
from storage.store import Store
store, now = Store(Path(sys.argv[1]), sys.argv[2], 0.3), datetime(2026, 6, 1, tzinfo=UTC)
print("ready", flush=True)
try:
    with writing(store, "x", now=now):
        print("wrote", flush=True)
except StoreBusy:
    print("StoreBusy", flush=True)
"""


def test_what_fails_in_a_transaction_leaves_no_trace(store: Store) -> None:
    put(store)

    def fail() -> None:
        with writing(store, "a test", now=NOW) as con:
            con.execute("delete from hot.candles")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert sql("select count(*) from candles", store=store).item() == 3
    put(store, "ETH-USDT")


def test_patience_runs_out_and_never_goes_below_nothing() -> None:
    patience = Patience(0.02)
    assert 0 < patience.left <= 0.02
    time.sleep(0.03)
    assert patience.left == 0.0
    assert patience.waited >= 0.03
