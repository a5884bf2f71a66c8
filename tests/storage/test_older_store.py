"""A store that the first version left opens whole: nothing is lost, what is new is null."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest
from deltalake import write_deltalake
from polars.testing import assert_frame_equal

from core.datasets import DATASETS, Dataset
from storage import hot
from storage.archive import archive
from storage.hot_file import reading
from storage.lake import sql
from storage.quarantine import read, write
from storage.schema import hot_ddl
from tests.storage.samples import NOW, candles, rows_of

if TYPE_CHECKING:
    from storage.store import Store

LATER = {"candidates", "ledger", "paper"}


def first(dataset: Dataset) -> Dataset:
    """Return a dataset as the first version declared it."""
    columns = {n: kind for n, kind in dataset.columns.items() if n not in dataset.since}
    return replace(dataset, columns=columns, since={})


FIRST = {name: first(dataset) for name, dataset in DATASETS.items() if name not in LATER}


@pytest.fixture
def rows(store: Store) -> dict[str, pl.DataFrame]:
    """Make a store as the first version left it, two trials of it in the lake; return its rows."""
    rows = {name: rows_of(dataset, 6) for name, dataset in FIRST.items()}
    store.home.mkdir()
    with duckdb.connect(store.hot_path) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(
            "create table schema_migrations (version INTEGER, name VARCHAR, applied_at TIMESTAMPTZ)"
        )
        con.execute("insert into schema_migrations values (1, 'make the first tables', now())")
        con.execute(
            "create table batches "
            "(batch VARCHAR, dataset VARCHAR, state VARCHAR, rows BIGINT, settled_at TIMESTAMPTZ)"
        )
        con.execute(
            "create table files (dataset VARCHAR, path VARCHAR, rows BIGINT, sha256 VARCHAR, "
            "written_at TIMESTAMPTZ)"
        )
        for name, frame in rows.items():
            con.execute(hot_ddl(FIRST[name]))
            con.register("given", frame.slice(2) if name == "trials" else frame)
            con.execute(f'insert into "{name}" by name from given')
            con.unregister("given")
    write_deltalake(
        store.lake_table("trials"),
        rows["trials"].head(2).with_columns(month=pl.lit("2026-03")),
        partition_by=["month"],
    )
    return rows


def check_whole(store: Store, rows: dict[str, pl.DataFrame]) -> None:
    for name, frame in rows.items():
        found = sql(f"from {name}", store=store)
        assert found.columns == list(DATASETS[name].columns)
        older = found.select(frame.columns)
        key = list(DATASETS[name].key)
        assert_frame_equal(older.join(frame, on=key, how="semi").sort(key), frame.sort(key))
        new = found.join(frame, on=key, how="semi").select(*DATASETS[name].since)
        assert all(column.is_null().all() for column in new)


def test_a_reader_sees_it_whole_before_anybody_migrated_it(
    store: Store, rows: dict[str, pl.DataFrame]
) -> None:
    check_whole(store, rows)
    assert sql("from ledger", store=store).is_empty()
    with reading(store) as con:
        assert con.execute("select max(version) from hot.schema_migrations").fetchall() == [(1,)]
    assert sql("select count(*) from trials where text is null", store=store).item() == 6


def test_a_writer_migrates_it_and_nothing_is_lost(
    store: Store, rows: dict[str, pl.DataFrame]
) -> None:
    hot.put(store, "candles", candles(1), now=NOW)
    check_whole(store, rows)
    for name in DATASETS:
        later = rows_of(DATASETS[name], 9).slice(6)
        hot.put(store, name, later, now=NOW)
        found = sql(f"from {name}", store=store).join(later, on=DATASETS[name].key, how="semi")
        assert_frame_equal(found, later, check_row_order=False)
    check_whole(store, rows)


def test_rows_of_both_ages_share_a_month_of_the_lake(
    store: Store, rows: dict[str, pl.DataFrame]
) -> None:
    later = rows_of(DATASETS["trials"], 9).slice(6)
    hot.put(store, "trials", later, now=NOW)
    moved = archive(store, "trials", now=NOW, hot_days=0)
    assert sum(part.rows for part in moved) == 7
    check_whole(store, rows)
    found = sql("from trials", store=store)
    assert found.height == 9
    assert_frame_equal(
        found.join(later, on=DATASETS["trials"].key, how="semi"), later, check_row_order=False
    )
    again = rows_of(DATASETS["trials"], 11).slice(9)
    hot.put(store, "trials", again, now=NOW)
    archive(store, "trials", now=NOW, hot_days=0)
    assert sql("select count(*) from trials", store=store).item() == 11


def test_months_of_both_ages_are_read_beside_each_other(
    store: Store, rows: dict[str, pl.DataFrame]
) -> None:
    later = rows_of(DATASETS["trials"], 9).slice(6)
    in_may = later.with_columns(scored_at=pl.lit(NOW.replace(month=5)))
    hot.put(store, "trials", DATASETS["trials"].conform(in_may), now=NOW)
    archive(store, "trials", now=NOW, hot_days=0)
    check_whole(store, rows)
    found = sql("select text from trials where scored_at >= '2026-05-01' order by 1", store=store)
    assert found["text"].to_list() == later["text"].sort(nulls_last=True).to_list()


def test_what_the_first_version_quarantined_is_still_readable(
    store: Store, rows: dict[str, pl.DataFrame]
) -> None:
    held = rows["trials"].with_columns(
        reasons=pl.lit(["broken"]), batch=pl.lit("old"), quarantined_at=pl.lit(NOW)
    )
    path = store.quarantine / "trials" / "0.parquet"
    path.parent.mkdir(parents=True)
    held.write_parquet(path)
    seen = sql("select dataset, trades from quarantine", store=store)
    assert seen.rows() == [("trials", None)] * 6
    more = rows_of(DATASETS["trials"], 2).with_columns(reasons=pl.lit(["broken"]))
    write(store, "trials", more, "new", NOW)
    assert read(store, "trials").height == 8
    assert sql("select trades from quarantine order by 1", store=store)["trades"].to_list() == [
        *(0, 1),
        *[None] * 6,
    ]
