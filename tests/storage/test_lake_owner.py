"""One lake, one desk: a second one is told so, and can take the lake over."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable, write_deltalake

from core.datasets import CANDLES
from core.errors import LakeTaken, StoreDamaged, StoreTooNew, StoreUnwritable
from storage import freezing, hot, identity
from storage.archive import archive
from storage.cold import cold_files, open_table
from storage.freezing import own, replace_partition
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, candles

if TYPE_CHECKING:
    from pathlib import Path


def desk(place: Path, name: str, lake: str) -> Store:
    return Store(place / name, lake, lock_wait=20.0)


def store_and_archive(store: Store, symbol: str, close: float = 100.0) -> None:
    later = NOW + close * MINUTE
    hot.put(store, "candles", candles(60, symbol=symbol, close=close, ingested_at=later), now=later)
    archive(store, "candles", now=NOW, hot_days=0)


@pytest.fixture(params=["folder", "bucket"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "shared")
    address: str = request.getfixturevalue("bucket")
    return address


def test_a_second_desk_reads_and_is_not_allowed_to_write(tmp_path: Path, lake: str) -> None:
    first, second = (desk(tmp_path, name, lake) for name in ("first", "second"))
    store_and_archive(first, "BTC-USDT")
    assert sql("select count(*) from candles", store=second).item() == 60
    with pytest.raises(LakeTaken, match=r"by the desk .*/first, expected this desk") as told:
        store_and_archive(second, "ETH-USDT")
    assert "nightjar doctor --own-lake" in str(told.value)
    assert sql("select count(*) from candles", store=second).item() == 120  # still hot there
    store_and_archive(first, "BTC-USDT", close=200)  # the first one does not notice
    assert len(cold_files(first, CANDLES)) == 1


def test_whoever_takes_the_lake_over_stops_the_other(tmp_path: Path) -> None:
    lake = str(tmp_path / "shared")
    first, second = (desk(tmp_path, name, lake) for name in ("first", "second"))
    store_and_archive(first, "BTC-USDT")
    assert own(second, CANDLES)
    store_and_archive(second, "ETH-USDT")
    with pytest.raises(LakeTaken, match=r"second, expected this desk"):
        store_and_archive(first, "BTC-USDT", close=200)
    assert sql("select count(*) from candles", store=first).item() == 120
    assert own(first, CANDLES)
    archive(first, "candles", now=NOW, hot_days=0)
    assert sql("select distinct close from candles where symbol like 'BTC%'", store=second).item()


def test_a_commit_under_way_when_the_lake_was_taken_over_does_not_happen(
    tmp_path: Path, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (desk(tmp_path, name, lake) for name in ("first", "second"))
    store_and_archive(first, "BTC-USDT")
    ask = identity.next_commit

    def meanwhile(*args: object) -> object:
        properties = ask(*args)
        assert own(second, CANDLES)
        return properties

    monkeypatch.setattr(freezing.identity, "next_commit", meanwhile)
    with pytest.raises(LakeTaken, match="second"):
        store_and_archive(first, "ETH-USDT")
    assert len(cold_files(first, CANDLES)) == 1
    assert sql("select count(*) from candles", store=first).item() == 120


def test_a_copy_of_a_desk_is_another_desk(tmp_path: Path) -> None:
    lake = str(tmp_path / "shared")
    first, copy = desk(tmp_path, "first", lake), desk(tmp_path, "copy", lake)
    store_and_archive(first, "BTC-USDT")
    shutil.copytree(first.home, copy.home)
    store_and_archive(first, "BTC-USDT", close=200)
    with pytest.raises(LakeTaken, match="first"):
        store_and_archive(copy, "ETH-USDT")


def test_a_desk_that_moved_with_its_lake_goes_on(store: Store) -> None:
    store_and_archive(store, "BTC-USDT")
    elsewhere = store.home.with_name("elsewhere")
    store.home.rename(elsewhere)
    moved = Store(elsewhere, str(elsewhere / "lake"), lock_wait=20.0)
    store_and_archive(moved, "BTC-USDT", close=200)
    assert sql("select distinct close from candles", store=moved).item() == 200


def test_a_commit_that_failed_or_was_never_confirmed_leaves_the_desk_the_owner(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_and_archive(store, "BTC-USDT")
    with monkeypatch.context() as broken:
        broken.setattr(DeltaTable, "create_write_transaction", fail)
        for _ in range(3):
            with pytest.raises(StoreUnwritable, match="no space"):
                replace_partition(store, CANDLES, MARCH, candles(1))
    commit = DeltaTable.create_write_transaction

    def unconfirmed(*args: object, **options: object) -> None:
        commit(*args, **options)
        fail()

    with monkeypatch.context() as broken:
        broken.setattr(DeltaTable, "create_write_transaction", unconfirmed)
        with pytest.raises(StoreUnwritable, match="no space"):
            replace_partition(store, CANDLES, MARCH, candles(1))
    store_and_archive(store, "ETH-USDT")
    assert len(cold_files(store, CANDLES)) == 2


MARCH = ("binance", "BTC-USDT", "1m", "2026-03")


def fail(*_: object, **__: object) -> None:
    raise OSError("no space")


def test_what_another_program_wrote_is_somebody_elses(store: Store) -> None:
    hot.put(store, "candles", candles(3), now=NOW)
    folder = store.lake_table("candles")
    rows = candles(2, symbol="X-Y").with_columns(month=__import__("polars").lit("2026-03"))
    write_deltalake(folder, rows, partition_by=list(CANDLES.partition_by))
    archive(store, "candles", now=NOW, hot_days=0)  # nobody's yet: an older nightjar's is so
    assert open_table(store, CANDLES).transaction_version(identity.APPLICATION) is not None
    (store.home / "lake.tokens").write_text("{")
    with pytest.raises(StoreDamaged, match=r"lake\.tokens"):
        store_and_archive(store, "BTC-USDT", close=200)
    (store.home / "lake.tokens").unlink()
    with pytest.raises(LakeTaken):
        archive(store, "candles", now=NOW, hot_days=0)


def test_a_lake_of_a_newer_nightjar_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = identity.MIGRATIONS[-1].version + 7
    with monkeypatch.context() as future:
        future.setattr(identity, "MIGRATIONS", (type(identity.MIGRATIONS[0])(newer, "x", print),))
        future.setattr("storage.cold.MIGRATIONS", identity.MIGRATIONS)
        store_and_archive(store, "BTC-USDT")
    for use in (lambda: sql("from candles", store=store), lambda: store_and_archive(store, "X-Y")):
        with pytest.raises(StoreTooNew, match=f"was {newer}"):
            use()
