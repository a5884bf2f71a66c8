from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS
from core.errors import ContractBroken, StoreDamaged, StoreUnwritable
from storage import hot
from storage.archive import archive
from storage.lake import sql
from storage.quarantine import held, read, write
from tests.storage.samples import MINUTE, NOW, candles, rows_of

if TYPE_CHECKING:
    from storage.store import Store

SERIES = ("binance", "BTC-USDT", "1m")


def bad(minutes: list[int], *reasons: str, **options: object) -> pl.DataFrame:
    return candles(minutes, **options).with_columns(reasons=pl.lit([*reasons]))


def keep(store: Store, frame: pl.DataFrame, batch: str = "batch") -> object:
    return write(store, "candles", frame, batch, NOW)


def test_rows_are_kept_with_their_reasons_and_their_batch(store: Store) -> None:
    frame = bad([1, 2], "negative_volume", "off_grid")
    assert keep(store, frame, "landing/candles/a.parquet") is not None
    kept = read(store, "candles")
    assert_frame_equal(kept.select(frame.columns), frame)
    assert kept["batch"].unique().to_list() == ["landing/candles/a.parquet"]
    assert kept["quarantined_at"].unique().to_list() == [NOW]


def test_nothing_quarantined_leaves_no_file(store: Store) -> None:
    assert keep(store, bad([], "x")) is None
    assert not store.quarantine.exists()
    assert read(store, "candles").is_empty()


def test_the_same_batch_again_is_kept_once(store: Store) -> None:
    assert keep(store, bad([1, 2], "x")) == keep(store, bad([1, 2], "x"))
    assert read(store, "candles").height == 2


def test_rows_judged_again_with_a_later_batch_are_kept_once(store: Store) -> None:
    keep(store, bad([1], "price_jump"), "first")
    keep(store, pl.concat([bad([1], "price_jump"), bad([5], "off_grid")]), "second")
    kept = read(store, "candles").select("trades", "batch").sort("trades")
    assert kept.rows() == [(1, "first"), (5, "second")]


def test_two_different_rows_of_one_key_are_both_kept(store: Store) -> None:
    keep(store, pl.concat([bad([1], "duplicate"), bad([1], "duplicate", close=7)]))
    assert sorted(read(store, "candles")["close"].to_list()) == [7.0, 100.0]


def test_rows_of_any_dataset_can_be_kept(store: Store) -> None:
    judged = {name: dataset for name, dataset in DATASETS.items() if name != "verdicts"}
    for name, dataset in judged.items():
        frame = rows_of(dataset, 3).with_columns(reasons=pl.lit(["broken"]))
        write(store, name, frame, f"batch of {name}", NOW)
        assert_frame_equal(read(store, name).select(frame.columns), frame)
    counts = sql("select dataset, count(*) from quarantine group by all order by 1", store=store)
    assert counts.rows() == [(name, 3) for name in sorted(judged)]


def test_sql_sees_quarantined_candles_whole(store: Store) -> None:
    assert sql("from quarantine", store=store).is_empty()
    keep(store, bad([1, 2], "off_grid", close=7))
    found = sql("from quarantine order by open_time", store=store)
    assert found.columns == ["dataset", *CANDLES.columns, "reasons", "batch", "quarantined_at"]
    assert_frame_equal(found.select(*CANDLES.columns), candles([1, 2], close=7))
    assert found["reasons"].to_list() == [["off_grid"]] * 2


def test_a_frame_without_reasons_or_columns_is_refused(store: Store) -> None:
    with pytest.raises(ContractBroken, match="reasons"):
        keep(store, candles(1))
    with pytest.raises(ContractBroken, match="volume"):
        keep(store, bad([1], "x").drop("volume"))


def test_held_are_the_rows_that_wait_for_a_reason_of_one_series(store: Store) -> None:
    keep(
        store,
        pl.concat(
            [
                bad([2, 1], "price_jump", close=200),
                bad([3], "off_grid", "price_jump", close=200),
                bad([4], "off_grid"),
                bad([5], "price_jump", symbol="ETH-USDT"),
                bad([6], "price_jump", venue="sandbox"),
            ]
        ),
    )
    assert_frame_equal(held(store, *SERIES), candles([1, 2, 3], close=200))
    assert held(store, *SERIES, reason="off_grid")["trades"].to_list() == [3, 4]
    assert held(store, "binance", "SOL-USDT", "1m").is_empty()


@pytest.mark.parametrize("tier", ["hot", "cold"])
def test_a_released_row_waits_no_more(store: Store, tier: str) -> None:
    keep(store, bad([1, 2], "price_jump", close=200))
    hot.put(store, "candles", candles([1], close=200), now=NOW)
    if tier == "cold":
        archive(store, "candles", now=NOW, hot_days=0)
    assert held(store, *SERIES)["trades"].to_list() == [2]


def test_a_row_waits_no_more_once_a_newer_one_of_its_key_was_accepted(store: Store) -> None:
    keep(store, bad([1], "price_jump", close=200))
    hot.put(store, "candles", candles([1], ingested_at=NOW - MINUTE), now=NOW)
    assert held(store, *SERIES).height == 1
    hot.put(store, "candles", candles([1], close=90, ingested_at=NOW + MINUTE), now=NOW)
    assert held(store, *SERIES).is_empty()


def test_of_one_key_the_newest_row_waits(store: Store) -> None:
    keep(store, bad([1], "price_jump", close=200), "first")
    keep(store, bad([1], "price_jump", close=210, ingested_at=NOW + MINUTE), "second")
    assert held(store, *SERIES)["close"].to_list() == [210.0]


def test_a_torn_file_is_named(store: Store) -> None:
    path = keep(store, bad([1], "x"))
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreDamaged, match="quarantine"):
        read(store, "candles")


def test_rows_that_changed_on_the_disk_are_not_read_as_if_they_had_not(store: Store) -> None:
    path = keep(store, bad([1, 2], "price_jump"))
    assert isinstance(path, Path)
    facts = pl.read_parquet_metadata(path)
    rows = pl.read_parquet(path).with_columns(close=pl.lit(7.5))
    rows.write_parquet(path, metadata=facts)
    with pytest.raises(StoreDamaged, match="not those that were written"):
        read(store, "candles")
    with pytest.raises(StoreDamaged, match="not those that were written"):
        held(store, *SERIES)


def test_a_disk_without_room_is_named_and_what_was_held_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, bad([1], "price_jump"), "first")

    def refuse(path: Path, _: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(StoreUnwritable, match="No space left"):
        keep(store, bad([2], "price_jump"), "second")
    assert read(store, "candles")["batch"].to_list() == ["first"]
