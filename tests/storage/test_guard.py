from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from core.errors import QueryRefused
from storage import hot, lake
from storage.archive import archive
from storage.cold import cold_files
from storage.guard import check_statement
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import NOW, candles

if TYPE_CHECKING:
    from pathlib import Path


READS = [
    "select 1",
    "SELECT count(*) FROM candles",
    "from candles",
    "with c as (from candles) select count(*) from c",
    "with recursive n(x) as (select 1 union all select x + 1 from n where x < 5) from n",
    "describe candles",
    "show tables",
    "summarize candles",
    "summarize select close from candles",
    "explain select 1",
    "explain analyze select count(*) from candles",
    "EXPLAIN (FORMAT json) select 1",
    "values (1), (2)",
    "table candles",
    "select 1;",
    "  -- what is there?\n select 1",
    "select * from query_table('candles')",
    "select 'drop table candles; delete from candles' as text",
]
WRITES = [
    "insert into candles select * from candles",
    "insert into hot.candles select * from candles",
    "delete from hot.candles",
    "update hot.candles set close = 0",
    "drop view candles",
    "drop table hot.candles",
    "create table x (a int)",
    "create temp table x (a int)",
    "create macro f(x) as x",
    "alter table hot.candles add column x int",
    "truncate hot.candles",
    "copy candles to 'out.parquet'",
    "copy candles to '{lake}/candles/x.parquet'",
    "copy candles to '{file}'",
    "export database '{lake}/out'",
    "import database '{lake}/out'",
    "attach '{lake}/x.duckdb'",
    "attach '{hot}' as again",
    "detach hot",
    "use hot",
    "checkpoint",
    "vacuum",
    "begin",
    "install httpfs",
    "load httpfs",
    "pragma database_list",
    "pragma enable_profiling",
    "set threads = 1",
    "set enable_external_access = true",
    "reset threads",
    "set variable x = 1",
    "call pragma_version()",
    "prepare p as select 1",
    "execute p",
    "create secret s (type s3)",
    "merge into hot.candles using candles on false when not matched then insert",
    "explain copy candles to '{lake}/x.csv'",
    "explain analyze copy candles to '{file}'",
    "explain analyze copy candles to '{lake}/x.csv'",
    "explain analyze delete from hot.candles",
    "explain (format json) copy candles to '{lake}/x.csv'",
    "/* hm */ explain analyze copy candles to '{lake}/x.csv'",
    "with gone as (delete from hot.candles returning *) select * from gone",
    "select 1; select 2",
    "select 1; drop view candles",
    "",
    " -- nothing\n",
]
OUTSIDE = [
    "from read_csv('/etc/passwd')",
    "from '/etc/passwd'",
    "from read_text('/etc/passwd')",
    "from read_blob('/etc/hostname')",
    "from read_json('/etc/passwd')",
    "from sniff_csv('/etc/passwd')",
    "from glob('/etc/*')",
    "from glob('{lake}/*')",
    "from read_text('{lake}/candles/_delta_log/00000000000000000000.json')",
    "from read_parquet('{secret}')",
    "from '{secret}'",
    "from read_text('{file}/../../../../../../../../../etc/passwd')",
    "from read_csv('http://127.0.0.1:{port}/x.csv')",
    "from read_parquet('s3://bucket/x.parquet')",
    "select getenv('HOME')",
    "from duckdb_secrets()",
    "from which_secret('s3://x', 's3')",
    "from sqlite_scan('x.db', 't')",
    "from secret_frame",
    "select * from query('copy candles to ''{lake}/x.csv''')",
]

secret_frame = candles(1)  # a variable of Python that SQL must not see


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with bars in both tiers; no test can change it."""
    home = tmp_path_factory.mktemp("filled")
    store = Store(home, str(home / "lake"))
    hot.merge(store, "candles", candles(180), batch="b", now=NOW)
    archive(store, "candles", now=NOW, hot_days=35)
    return store


def tree(store: Store) -> dict[str, int]:
    """Return the size of every file of the store but its locks."""
    return {
        str(path): path.stat().st_size
        for path in store.home.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


@pytest.mark.parametrize("query", READS)
def test_reading_is_welcome_in_all_its_forms(filled: Store, query: str) -> None:
    assert sql(query, store=filled).height > 0


@pytest.mark.parametrize("query", WRITES)
def test_nothing_is_written_and_the_message_says_why(filled: Store, query: str) -> None:
    file = cold_files(filled, lake.CANDLES)[0].path
    query = query.format(lake=filled.lake, hot=filled.hot_path, file=file)
    before = tree(filled)
    with pytest.raises(QueryRefused) as refused:
        sql(query, store=filled)
    if not query.startswith("with gone"):
        assert "nightjar sql only reads the store" in str(refused.value)
    assert tree(filled) == before
    assert sql("select count(*) from candles", store=filled).item() == 180


@pytest.mark.parametrize("query", OUTSIDE)
def test_nothing_outside_the_store_is_reached(filled: Store, tmp_path: Path, query: str) -> None:
    secret = tmp_path / "secret.parquet"
    candles(1).write_parquet(secret)
    file = cold_files(filled, lake.CANDLES)[0].path
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        port = server.getsockname()[1]
        with pytest.raises(QueryRefused):
            sql(query.format(lake=filled.lake, secret=secret, file=file, port=port), store=filled)
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_environment_cannot_be_seen(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_BINANCE_API_KEY", "canary-7")
    assert os.environ["NIGHTJAR_BINANCE_API_KEY"] == "canary-7"
    settings = sql("from duckdb_settings()", store=filled)
    assert not settings.filter(settings["value"].str.contains("canary")).height


def test_both_tiers_can_be_read_behind_the_lock(filled: Store) -> None:
    months = sql(
        "select strftime(open_time, '%Y-%m') m, count(*) n from candles group by m order by m",
        store=filled,
    )
    assert months.rows() == [("2026-03", 120), ("2026-04", 60)]
    assert len(cold_files(filled, lake.CANDLES)) == 1


def test_wrong_sql_is_refused_with_duckdbs_hint(store: Store) -> None:
    with pytest.raises(QueryRefused, match="symbol"):
        sql("select symbl from candles", store=store)
    with pytest.raises(QueryRefused, match="candles"):
        sql("select * from candels", store=store)
    with pytest.raises(QueryRefused, match=r"(?i)syntax error"):
        sql("selec 1", store=store)


@pytest.mark.parametrize("query", ["selec 1", "select (", "'"])
def test_what_is_no_sql_is_refused(query: str) -> None:
    with pytest.raises(QueryRefused):
        check_statement(query)
