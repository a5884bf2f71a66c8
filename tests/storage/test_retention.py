"""Rows stay where, and as long as, their dataset says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from deltalake import write_deltalake
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS
from storage import hot, lock, objects
from storage.archive import archive
from storage.cold import cold_files
from storage.hot_file import reading
from storage.invariants import check_invariants
from storage.lake import sql
from storage.retention import expire
from tests.storage.samples import MINUTE, NOW, START, candles

if TYPE_CHECKING:
    from storage.store import Store

DAY = 24 * 60


def hourly(days: int) -> pl.DataFrame:
    """Return a bar each hour from 31 March 22:00 on."""
    return candles(range(0, days * DAY, 60))


def hot_rows(store: Store) -> int:
    with reading(store) as con:
        return con.execute("select count(*) from hot.candles").fetchall()[0][0]


def test_on_request_single_days_leave_hot(store: Store) -> None:
    hot.put(store, "candles", hourly(5), now=NOW)
    before = sql("from candles order by open_time", store=store)
    now = datetime(2026, 4, 12, 3, tzinfo=UTC)
    moved = archive(store, "candles", now=now, hot_days=10, whole_months=False)
    assert [(part.partition[-7:], part.rows) for part in moved] == [("2026-03", 2), ("2026-04", 24)]
    assert hot_rows(store) == 94
    assert_frame_equal(sql("from candles order by open_time", store=store), before)
    again = archive(store, "candles", now=now + timedelta(days=1), hot_days=10, whole_months=False)
    assert [part.rows for part in again] == [24]
    assert archive(store, "candles", now=now, hot_days=10) == []  # no whole month is old
    assert_frame_equal(sql("from candles order by open_time", store=store), before)
    assert check_invariants(store) == []


def test_days_that_went_to_cold_stay_there_when_more_is_kept_hot_later(store: Store) -> None:
    hot.put(store, "candles", hourly(5), now=NOW)
    now = datetime(2026, 4, 12, tzinfo=UTC)
    archive(store, "candles", now=now, hot_days=8, whole_months=False)
    changed = candles([180], close=7, ingested_at=NOW + MINUTE)
    hot.put(store, "candles", changed, now=NOW)
    before = sql("from candles order by open_time", store=store)
    archive(store, "candles", now=now, hot_days=10, whole_months=False)
    assert_frame_equal(sql("from candles order by open_time", store=store), before)
    assert sum(file.rows for file in cold_files(store, CANDLES)) == 2 + 3 * 24
    assert check_invariants(store) == []


def test_a_month_left_in_several_files_becomes_one(store: Store) -> None:
    for minutes in (range(30), range(30, 60), range(60, 90)):
        rows = candles(minutes).with_columns(month=pl.lit("2026-03"))
        write_deltalake(
            store.lake_table("candles"), rows, mode="append", partition_by=[*CANDLES.partition_by]
        )
    assert len(cold_files(store, CANDLES)) == 3
    assert [part.rows for part in archive(store, "candles", now=NOW)] == [0]
    [file] = cold_files(store, CANDLES)
    assert file.rows == 90
    assert [f.path for f in objects.list_files(store.lake) if f.path.endswith("parquet")] == [
        file.path
    ]
    assert_frame_equal(sql("from candles order by open_time", store=store), candles(90))
    assert archive(store, "candles", now=NOW) == []


def test_a_reader_puts_the_deletion_of_old_files_off_and_not_the_archive(store: Store) -> None:
    hot.put(store, "candles", candles(60), now=NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    [old] = cold_files(store, CANDLES)
    rows = candles([3], close=7, ingested_at=NOW + MINUTE).with_columns(month=pl.lit("2026-03"))
    hot.put(store, "candles", rows.drop("month"), now=NOW)
    impatient = replace(store, lock_wait=0.5)
    from storage import vacuum

    stop = vacuum.lock.hot_alone

    def read_meanwhile(where: Store, patience: lock.Patience):
        if where is impatient and patience.left <= 0.2:
            with lock.hot_shared(store, lock.Patience(1.0)):
                return stop(where, patience).__enter__()
        return stop(where, patience)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vacuum.lock, "hot_alone", read_meanwhile)
        assert [part.rows for part in archive(impatient, "candles", now=NOW, hot_days=0)] == [1]
    assert objects.exists(old.path)
    archive(store, "candles", now=NOW, hot_days=0)
    assert not objects.exists(old.path)


@pytest.fixture
def short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "candles", replace(CANDLES, keep_days=20))


def test_rows_that_are_kept_no_longer_leave_both_tiers(any_store: Store, short_lived: None) -> None:
    hot.put(any_store, "candles", hourly(40), now=NOW)
    archive(any_store, "candles", now=datetime(2026, 5, 1, tzinfo=UTC), hot_days=0)
    assert {file.partition[-1] for file in cold_files(any_store, CANDLES)} == {"2026-03", "2026-04"}
    now = datetime(2026, 5, 24, 13, tzinfo=UTC)
    gone = expire(any_store, "candles", now=now)
    assert (gone.cold_rows, gone.hot_rows) == (2 + 30 * 24, 3 * 24)
    assert [part[-7:] for part in gone.partitions] == ["2026-03", "2026-04"]
    left = sql("select min(open_time) as first, count(*) as bars from candles", store=any_store)
    assert left.rows() == [(datetime(2026, 5, 4, tzinfo=UTC), 40 * 24 - 2 - 33 * 24)]
    assert sql("from files", store=any_store).is_empty()
    assert check_invariants(any_store) == []
    again = expire(any_store, "candles", now=now)
    assert (again.cold_rows, again.hot_rows) == (0, 0)


def test_a_month_stays_cold_until_all_of_it_is_too_old(store: Store, short_lived: None) -> None:
    hot.put(store, "candles", hourly(20), now=NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    gone = expire(store, "candles", now=datetime(2026, 5, 20, tzinfo=UTC))
    assert [part[-7:] for part in gone.partitions] == ["2026-03"]
    assert sql("select min(open_time) from candles", store=store).item() == START + 120 * MINUTE


def test_what_is_kept_for_ever_is_never_expired(store: Store) -> None:
    hot.put(store, "candles", candles(3), now=NOW)
    assert expire(store, "candles", now=NOW + timedelta(days=99_999)).hot_rows == 0
    assert sql("select count(*) from candles", store=store).item() == 3
    for name in ("strategies", "backtests", "trials", "candles", "revisions", "ledger"):
        assert DATASETS[name].keep_days is None
