from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from storage import connections
from storage.connections import borrowed
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_idle() -> Iterator[None]:
    yield
    while connections._idle:
        connections._idle.pop().close()


def databases(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        row[0] for row in con.execute("select database_name from duckdb_databases()").fetchall()
    }


def test_a_database_is_used_again_and_nothing_of_the_last_use_is_in_it(tmp_path: Path) -> None:
    with borrowed() as con:
        con.execute(f"attach '{tmp_path / 'hot.duckdb'}' as hot")
        con.execute("use hot")
        con.execute("create table hot.kept (a int)")
        con.execute("create temp table passing (a int)")
        con.register("seen", pl.DataFrame({"a": [1]}))
    [database] = connections._idle
    with borrowed() as con:
        assert connections._idle == []
        assert "hot" not in databases(con)
        for name in ("kept", "passing", "seen"):
            with pytest.raises(duckdb.CatalogException):
                con.execute(f"from {name}")
        assert con.execute("select current_setting('TimeZone')").fetchall() == [("UTC",)]
    assert connections._idle == [database]


def test_two_at_once_do_not_see_each_other(tmp_path: Path) -> None:
    with borrowed() as one, borrowed() as other:
        one.execute(f"attach '{tmp_path / 'hot.duckdb'}' as hot")
        assert "hot" not in databases(other)


def test_a_database_that_was_locked_down_is_not_used_again() -> None:
    with borrowed() as con:
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
    assert connections._idle == []


def test_a_database_in_which_something_failed_is_not_used_again_and_frees_its_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hot.duckdb"
    use = borrowed()
    con = use.__enter__()
    con.execute(f"attach '{path}' as hot")
    con.execute("begin")
    con.execute("create table hot.never (a int)")
    assert not use.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert connections._idle == []
    with duckdb.connect(path) as con:
        assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]


def test_a_change_is_in_the_file_itself_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "hot.duckdb"
    with borrowed() as con:
        con.execute(f"attach '{path}' as hot")
        con.execute("create table hot.kept as select 7 as a")
    assert [one.name for one in tmp_path.iterdir()] == ["hot.duckdb"]


def test_few_are_kept(tmp_path: Path) -> None:
    uses = [borrowed() for _ in range(8)]
    for use in uses:
        use.__enter__()
    for use in uses:
        use.__exit__(None, None, None)
    assert len(connections._idle) == connections._MOST_IDLE


def test_a_forked_process_makes_its_own() -> None:
    with borrowed():
        pass
    ours, theirs = os.pipe()
    if not (child := os.fork()):
        os.write(theirs, b"none" if not connections._idle else b"some")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(ours, 4) == b"none"
    os.close(ours)
    os.close(theirs)
    assert len(connections._idle) == 1


_LEAVING = """
import threading
from storage.connections import borrowed

def use():
    with borrowed() as con:
        con.execute("select 1").fetchall()

use()
threading.Thread(target=lambda: threading.Event().wait(), daemon=True).start()
"""


def test_a_process_leaves_without_a_word_while_a_daemon_thread_still_runs() -> None:
    """Whatever a daemon thread's stack reaches outlives the interpreter, and DuckDB complains."""
    done = subprocess.run(
        [sys.executable, "-c", _LEAVING], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
