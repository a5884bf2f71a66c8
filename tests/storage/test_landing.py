from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS
from core.errors import ContractBroken, InvalidInput, StoreDamaged
from storage import hot, landing
from tests.storage.samples import MINUTE, NOW, START, candles, rows_of

if TYPE_CHECKING:
    import polars as pl

    from core.receipts import Receipt
    from storage.store import Store

VERDICT = rows_of(DATASETS["verdicts"], 1).row(0, named=True)


def land(store: Store, frame: pl.DataFrame, source: str = "test") -> Receipt:
    return landing.land(store, CANDLES.name, frame, source=source, now=NOW)


@pytest.mark.parametrize("name", DATASETS)
def test_a_batch_comes_back_as_it_was_landed(store: Store, name: str) -> None:
    frame = rows_of(DATASETS[name], 7)
    receipt = landing.land(store, name, frame, source="made up: ü", now=NOW)
    assert_frame_equal(landing.read_batch(store, receipt), frame)
    assert landing.pending(store) == [receipt]


def test_a_receipt_says_what_lies_there(store: Store) -> None:
    receipt = land(store, candles(3))
    assert receipt.dataset == "candles"
    assert receipt.path.startswith("landing/candles/binance_BTC-USDT_1m_20260331T220000_")
    assert (receipt.rows, receipt.source) == (3, "test")
    assert (receipt.start, receipt.end) == (START, START + 2 * MINUTE)


def test_the_same_answer_twice_is_one_file(store: Store) -> None:
    first = land(store, candles(3))
    second = land(store, candles(3, ingested_at=NOW + MINUTE))
    assert first == second
    assert len(list(store.landing.rglob("*"))) == 2  # the dataset's folder and the file
    assert landing.read_batch(store, first)["ingested_at"].unique().to_list() == [NOW]


def test_another_answer_is_another_file(store: Store) -> None:
    paths = {land(store, candles(3, close=close)).path for close in (1, 2, 3)}
    assert len(paths) == 3


def test_a_batch_of_no_rows_can_be_landed(store: Store) -> None:
    receipt = land(store, CANDLES.empty())
    assert (receipt.rows, receipt.start, receipt.end) == (0, None, None)
    assert landing.pending(store) == [receipt]
    assert_frame_equal(landing.read_batch(store, receipt), CANDLES.empty())


def test_a_frame_that_is_no_batch_is_not_landed(store: Store) -> None:
    with pytest.raises(ContractBroken, match="volume"):
        land(store, candles(3).drop("volume"))
    assert not store.landing.exists()


@pytest.mark.parametrize("symbol", ["../../x", "A/B", "", "NUL\0", "币安人生", "x" * 300])
def test_no_symbol_of_a_venue_becomes_a_path(store: Store, symbol: str) -> None:
    receipt = land(store, candles(2, symbol=symbol))
    path = (store.home / receipt.path).resolve()
    assert path.parent == store.landing / "candles"
    assert path.name.isascii()
    assert landing.read_batch(store, receipt)["symbol"].to_list() == [symbol, symbol]


def test_pending_are_the_batches_that_nobody_settled_oldest_first(store: Store) -> None:
    batches = [
        landing.land(store, "candles", candles(2, close=n), source="test", now=NOW - n * MINUTE)
        for n in range(4)
    ]
    hot.merge(store, "candles", candles(2), batch=batches[0].path, now=NOW)
    hot.refuse(store, batches[3].path, VERDICT, NOW)
    assert landing.pending(store) == [batches[2], batches[1]]


def test_a_torn_or_foreign_file_is_named_and_keeps_no_batch_waiting(store: Store) -> None:
    good, torn = land(store, candles(3)), land(store, candles(5))
    path = store.home / torn.path
    path.write_bytes(path.read_bytes()[:-20])
    (store.landing / "candles" / "notes.txt").write_text("mine")
    (store.landing / "candles" / f"{'0' * 16}_{'0' * 16}.parquet").mkdir()
    (store.landing / "elsewhere").mkdir()
    (store.landing / "elsewhere" / path.name).write_bytes(path.read_bytes())
    stranger = store.landing / "candles" / f"{'2' * 16}_{'2' * 16}.parquet"
    candles(3).write_parquet(stranger)
    assert landing.pending(store) == [good]
    named = {error.path for error in landing.damaged(store)}
    assert len(named) == 5
    assert {str(path), str(stranger)} <= named
    with pytest.raises(StoreDamaged, match=r"\.parquet is damaged"):
        landing.read_batch(store, torn)


def test_a_torn_batch_is_landed_again(store: Store) -> None:
    receipt = land(store, candles(3))
    (store.home / receipt.path).write_bytes(b"PAR1")
    again = landing.land(store, "candles", candles(3), source="test", now=NOW + MINUTE)
    assert_frame_equal(landing.read_batch(store, again), candles(3))
    assert landing.pending(store) == [again]
    assert landing.damaged(store) == []


def test_no_flipped_bit_and_no_lost_end_of_a_batch_is_read(store: Store) -> None:
    receipt = land(store, candles(200, close=[n / 7 for n in range(200)]))
    path = store.home / receipt.path
    whole = path.read_bytes()
    chance = random.Random(7)
    harmed = [whole[: chance.randrange(len(whole))] for _ in range(100)]
    for _ in range(300):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        harmed.append(bytes(flipped))
    for content in harmed:
        path.write_bytes(content)
        with pytest.raises(StoreDamaged):
            landing.read_batch(store, receipt)
    path.write_bytes(whole)
    assert landing.read_batch(store, receipt).height == 200


def test_a_batch_that_is_gone_is_named(store: Store) -> None:
    receipt = land(store, candles(3))
    (store.home / receipt.path).unlink()
    with pytest.raises(StoreDamaged, match=receipt.path):
        landing.read_batch(store, receipt)


def test_sweeping_deletes_what_was_settled_long_ago_and_nothing_else(store: Store) -> None:
    merged, waiting = land(store, candles(3)), land(store, candles(5))
    hot.merge(store, "candles", candles(3), batch=merged.path, now=NOW)
    assert landing.sweep(store, now=NOW + timedelta(days=13), keep_days=14) == 0
    assert landing.sweep(store, now=NOW + timedelta(days=14), keep_days=14) == 1
    assert landing.pending(store) == [waiting]
    assert not (store.home / merged.path).exists()
    assert landing.sweep(store, now=NOW + timedelta(days=99), keep_days=14) == 0


def test_sweeping_never_leaves_landing(store: Store) -> None:
    mine = store.home / "mine.txt"
    hot.merge(store, "candles", candles(1), batch="mine.txt", now=NOW)
    mine.write_text("precious")
    assert landing.sweep(store, now=NOW, keep_days=0) == 0
    assert mine.exists()


def test_what_a_killed_process_left_half_written_is_no_batch_and_is_swept(store: Store) -> None:
    receipt = land(store, candles(3))
    half = (store.home / receipt.path).with_name(".tmp-1-x-half.parquet")
    half.write_bytes(b"PAR1")
    os.utime(half, (0, 0))
    assert landing.pending(store) == [receipt]
    assert landing.damaged(store) == []
    landing.sweep(store, now=NOW, keep_days=14)
    assert not half.exists()


def test_an_unknown_dataset_is_refused_with_the_known_ones(store: Store) -> None:
    with pytest.raises(InvalidInput, match="candles"):
        landing.land(store, "candels", candles(1), source="test", now=NOW)
