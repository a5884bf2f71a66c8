from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.datasets import DATASETS
from core.errors import StoreTooNew
from storage import hot, migrations
from storage.hot_file import in_memory, opened, reading
from storage.lake import sql
from storage.migrations import MIGRATIONS, Migration, applied, migrate
from tests.storage.samples import NOW, candles

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from storage.store import Store


NEWEST = MIGRATIONS[-1].version


def put(store: Store) -> None:
    hot.put(store, "candles", candles(3), now=NOW)


def recorded(store: Store) -> list[tuple[int, str]]:
    with reading(store) as con:
        return con.execute(
            "select version, name from hot.schema_migrations order by version"
        ).fetchall()


def test_a_new_store_has_every_migration_and_every_table(store: Store) -> None:
    put(store)
    put(store)
    assert recorded(store) == [(change.version, change.name) for change in MIGRATIONS]
    with reading(store) as con:
        tables = {
            row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()
        }
    assert tables == {*DATASETS, "arrivals", "batches", "files", "schema_migrations"}


def test_numbers_ascend_without_a_hole() -> None:
    assert [change.version for change in MIGRATIONS] == [*range(1, len(MIGRATIONS) + 1)]


def test_tables_made_at_once_are_those_that_the_migrations_make(store: Store) -> None:
    said = (
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'hot' order by all"
    )
    found = []
    for make in (migrations.start, lambda con, now: migrate(con, store.hot_path, now)):
        with in_memory() as con:
            con.execute("attach ':memory:' as hot")
            con.execute("use hot")
            make(con, NOW)
            found.append((con.execute(said).fetchall(), applied(con)))
            con.execute("use memory")
            con.execute("detach hot")
    assert found[0] == found[1]
    assert found[0][1] == NEWEST


def test_an_older_store_gets_what_it_has_not_had(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store)
    new = NEWEST + 1
    add = Migration(new, "add a table", lambda con: con.execute("create table hot.extra (a INT)"))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, add))
    put(store)
    put(store)
    assert recorded(store)[-1:] == [(new, "add a table")]
    assert sql("select count(*) from candles", store=store).item() == 3


def test_a_migration_that_fails_half_way_did_not_happen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(con: DuckDBPyConnection) -> None:
        con.execute("drop table hot.candles")
        raise RuntimeError("killed")

    put(store)
    broken = (*MIGRATIONS, Migration(NEWEST + 1, "break", half))
    with monkeypatch.context() as newer:
        newer.setattr(migrations, "MIGRATIONS", broken)
        with pytest.raises(RuntimeError, match="killed"):
            put(store)
    assert recorded(store) == [(change.version, change.name) for change in MIGRATIONS]
    assert sql("select count(*) from candles", store=store).item() == 3


def test_a_store_of_a_newer_nightjar_is_refused_by_readers_and_writers(store: Store) -> None:
    put(store)
    with opened(store, now=NOW) as con:
        con.execute("insert into hot.schema_migrations values (99, 'from the future', now())")
    for use in (put, lambda store: sql("from candles", store=store)):
        with pytest.raises(StoreTooNew, match=r"expected version \d+ or older, was 99"):
            use(store)


def test_a_hot_file_without_tables_reads_as_empty(store: Store) -> None:
    store.home.mkdir()
    with opened(store, now=NOW) as con:
        con.execute("drop table hot.schema_migrations")
        for name in (*DATASETS, "batches", "files"):
            con.execute(f"drop table hot.{name}")
    assert sql("from candles", store=store).is_empty()
    assert sql("from batches", store=store).is_empty()
    with reading(store) as con:
        assert applied(con) == 0
    put(store)
    assert sql("select count(*) from candles", store=store).item() == 3
