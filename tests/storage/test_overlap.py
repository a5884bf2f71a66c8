from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, TIME
from storage import hot, landing
from storage.archive import archive
from storage.catalog import coverage, gaps, snapshot
from storage.invariants import check_invariants
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import NOW

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "candles/mohsenjfar+trade"
FIRST = "513f63a1/user_data/data/kucoin/BTC_USDT-1m.json"  # 2023-02-18 to 2023-03-21
SECOND = "83932a30/user_data/data/kucoin/BTC_USDT-1m.json"  # 2023-03-05 to 2023-04-04


def read(path: Path, minutes_later: int = 0) -> pl.DataFrame:
    """Return one downloaded file of `[ms, open, high, low, close, volume]` as candles."""
    names = ["ms", "open", "high", "low", "close", "volume"]
    rows = pl.DataFrame(json.loads(path.read_text()), schema=names, orient="row")
    return CANDLES.conform(
        rows.select(
            pl.lit("kucoin").alias("venue"),
            pl.lit("BTC-USDT").alias("symbol"),
            pl.lit("1m").alias("interval"),
            (pl.col("ms").cast(pl.Int64) * 1000).cast(TIME).alias("open_time"),
            *(pl.col(name).cast(pl.Float64) for name in names[1:]),
            pl.lit(None).alias("quote_volume"),
            pl.lit(None).alias("trades"),
            pl.lit(None).alias("taker_buy_volume"),
            pl.lit(value=False).alias("synthetic"),
            pl.lit(f"files:{path.parts[-5]}").alias("source"),
            pl.lit(NOW + timedelta(minutes=minutes_later)).cast(TIME).alias("ingested_at"),
        )
    )


@pytest.mark.real
def test_two_overlapping_downloads_join_without_a_seam(store: Store, real_data: Path) -> None:
    first, second = read(real_data / FOLDER / FIRST), read(real_data / FOLDER / SECOND, 1)
    assert (first.height, second.height) == (44_320, 43_199)
    merges = []
    for frame in (first, second):
        receipt = landing.land(store, "candles", frame, source="files", now=NOW)
        merges.append(
            hot.merge(
                store,
                "candles",
                landing.read_batch(store, receipt),
                batch=receipt.path,
                now=NOW,
            )
        )
    assert (merges[0].inserted, merges[1].inserted) == (44_320, 43_199 - 22_660)
    assert merges[1].unchanged + merges[1].revised == 22_660
    [series] = coverage(store).to_dicts()
    assert series["bars"] == series["expected"] == 44_320 + 43_199 - 22_660
    assert gaps(store).is_empty()
    assert landing.pending(store) == []
    # Joined by hand, the later download winning, nothing else is there.
    by_hand = pl.concat([first.join(second, on="open_time", how="anti"), second])
    joined = sql("from candles order by open_time", store=store)
    columns = [name for name in CANDLES.columns if name not in {"source", "ingested_at"}]
    assert_frame_equal(joined.select(columns), by_hand.sort("open_time").select(columns))
    revised = sql("select count(*) from revisions", store=store).item()
    assert revised == merges[1].revised

    other = Store(store.home.parent / "other", str(store.home.parent / "other" / "lake"))
    for frame in (second, first, second.tail(30_000).sample(fraction=1, shuffle=True, seed=1)):
        hot.put(other, "candles", frame, now=NOW)
    assert snapshot(other) == snapshot(store)
    archive(other, "candles", now=NOW)
    archive(other, "candles", now=NOW)
    assert snapshot(other) == snapshot(store)
    assert check_invariants(other) == []
