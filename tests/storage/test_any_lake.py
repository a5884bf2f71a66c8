"""The same promises whether the lake is a folder or a bucket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS
from core.errors import LakeUnavailable, QueryRefused, SettingsError, StoreDamaged
from storage import hot, objects
from storage.archive import archive
from storage.catalog import coverage, snapshot
from storage.cold import cold_files
from storage.hot_file import reading
from storage.invariants import check_invariants
from storage.lake import read_candles, sql
from storage.scrub import scrub
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, START, candles, rows_of

if TYPE_CHECKING:
    from pathlib import Path

MAY = datetime(2026, 5, 15, tzinfo=UTC)


def hot_rows(store: Store, table: str = "candles") -> int:
    with reading(store) as con:
        return con.execute(f"select count(*) from hot.{table}").fetchall()[0][0]


def test_rows_leave_hot_and_sql_does_not_notice(any_store: Store) -> None:
    hot.put(any_store, "candles", candles(180), now=NOW)
    hot.put(any_store, "candles", candles(180, symbol="ETH-USDT"), now=NOW)
    before, version = sql("from candles order by all", store=any_store), snapshot(any_store)
    moved = archive(any_store, "candles", now=MAY, hot_days=20)
    assert [part.rows for part in moved] == [120, 120]
    assert hot_rows(any_store) == 120
    assert_frame_equal(sql("from candles order by all", store=any_store), before)
    assert snapshot(any_store) == version
    assert coverage(any_store)["missing"].to_list() == [0, 0]
    some = read_candles(
        any_store, venue="binance", symbols=["ETH-USDT"], start=START, end=START + 7 * MINUTE
    )
    assert_frame_equal(some, candles(7, symbol="ETH-USDT"))
    assert archive(any_store, "candles", now=MAY, hot_days=20) == []
    assert check_invariants(any_store) == scrub(any_store) == []


def test_a_revised_bar_joins_its_month_and_the_old_file_goes(any_store: Store) -> None:
    hot.put(any_store, "candles", candles(60), now=NOW)
    archive(any_store, "candles", now=NOW, hot_days=0)
    [old] = cold_files(any_store, CANDLES)
    later = NOW.replace(year=2030)
    hot.put(any_store, "candles", candles([3], close=7, ingested_at=later), now=later)
    assert sql("select close from candles where trades = 3", store=any_store).item() == 7
    archive(any_store, "candles", now=later, hot_days=0)
    [new] = cold_files(any_store, CANDLES)
    assert objects.exists(new.path)
    assert not objects.exists(old.path)
    assert sql("select close from candles where trades = 3", store=any_store).item() == 7
    assert sql("select count(*) from revisions", store=any_store).item() == 1


@pytest.mark.parametrize("name", ["trials", "revisions"])
def test_every_type_comes_back_equal(any_store: Store, name: str) -> None:
    frame = rows_of(DATASETS[name], 7)
    hot.put(any_store, name, frame, now=NOW)
    archive(any_store, name, now=NOW, hot_days=0)
    assert hot_rows(any_store, name) == 0
    assert_frame_equal(sql(f"from {name}", store=any_store), frame, check_row_order=False)


def test_a_changed_and_a_lost_file_are_found(any_store: Store) -> None:
    hot.put(any_store, "candles", candles(60), now=NOW)
    archive(any_store, "candles", now=NOW, hot_days=0)
    [file] = cold_files(any_store, CANDLES)
    data = bytearray(objects.read(file.path))
    data[100] ^= 1
    objects.put(file.path, bytes(data))
    [damage] = scrub(any_store)
    assert (damage.path, damage.reason[:11]) == (file.path, "its SHA-256")
    hot.put(any_store, "candles", candles([3], close=7, ingested_at=NOW + MINUTE), now=NOW)
    with pytest.raises(StoreDamaged, match="SHA-256"):
        archive(any_store, "candles", now=NOW, hot_days=0)
    objects.delete(file.path)
    assert [damage.reason for damage in scrub(any_store)] == [objects.GONE]
    with pytest.raises(StoreDamaged, match="not there"):
        sql("select sum(close) from candles", store=any_store)


def test_the_walls_around_sql_stand_in_front_of_a_bucket(bucket: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "home", bucket)
    hot.put(store, "candles", candles(60), now=NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    for query in ("from read_text('/etc/passwd')", f"from read_parquet('{bucket}/**')"):
        with pytest.raises(QueryRefused):
            sql(f"select *, (select count(*) from candles) from ({query})", store=store)


def test_files_of_a_lake_elsewhere_stay_an_hour_for_readers_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "home", str(tmp_path / "shared"))
    hot.put(store, "candles", candles(60), now=NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    [file] = cold_files(store, CANDLES)
    [found] = [f for f in objects.list_files(store.lake) if f.path == file.path]
    for minutes in (30, 61):
        moment = found.modified + minutes * MINUTE
        changed = candles([3], close=float(minutes), ingested_at=moment)
        hot.put(store, "candles", changed, now=moment)
        archive(store, "candles", now=moment, hot_days=0)
        assert objects.exists(file.path) == (minutes < 60)


def test_an_object_store_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "REGION": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(objects, "_TIMEOUT", 1.0)
    monkeypatch.setattr(objects, "_ATTEMPTS", 1)
    store = Store(tmp_path / "home", "s3://nowhere/lake")
    with pytest.raises(LakeUnavailable, match="s3://nowhere/lake/candles cannot be reached"):
        cold_files(store, CANDLES)
    with pytest.raises(LakeUnavailable, match="s3://nowhere/lake"):
        objects.read("s3://nowhere/lake/x")


@pytest.mark.parametrize(
    "lake", ["s3://", "s3://a", "s3://Bucket/x", "gs://bucket/x", "s3://b-b//x"]
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, lake: str) -> None:
    with pytest.raises(SettingsError, match="expected a folder or s3://bucket/prefix"):
        Store(tmp_path, lake)


def test_files_name_their_own_hash_and_the_same_rows_make_the_same_file(any_store: Store) -> None:
    hot.put(any_store, "candles", candles(60), now=NOW)
    archive(any_store, "candles", now=NOW, hot_days=0)
    [file] = cold_files(any_store, CANDLES)
    assert file.sha256 == objects.sha256(file.path)
    listed = sql("select path, sha256 from files", store=any_store).rows()
    assert listed == [(any_store.in_lake(file.path), file.sha256)]
    assert pl.read_parquet(objects.read(file.path)).height == 60
