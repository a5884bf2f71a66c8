"""Rows leave hot for the lake, and nobody who asks in SQL notices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from flows.archive import archive
from flows.ingest import ingest
from storage.lake import sql

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
QUERY = "select * from candles order by symbol, open_time"


def collect(until: datetime) -> object:
    return ingest(source="sandbox", symbols=["NOISE1-USDT"], since=START, until=until)


def test_old_bars_move_to_parquet_and_the_view_stays_the_same(desk: Path) -> None:
    collect(START + timedelta(days=1))
    before = sql(QUERY)
    moved = archive()
    assert moved.rows == {"candles": 1_440}
    assert sql(QUERY).equals(before)
    files = list((desk / "lake" / "candles").glob("venue=*/symbol=*/interval=*/month=*/*.parquet"))
    assert sum(pl.read_parquet(file, hive_partitioning=False).height for file in files) == 1_440
    assert archive().rows == archive().partitions == archive().expired == {}


def test_what_is_in_the_lake_is_not_fetched_again(desk: Path) -> None:
    collect(START + timedelta(days=1))
    archive()
    summary = collect(START + timedelta(days=1, hours=1))
    assert summary.total("inserted") == 60
    assert sql("select bars, missing from coverage").rows() == [(1_500, 0)]
