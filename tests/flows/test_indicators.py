"""Indicators as stored data, read from bars of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.errors import InvalidInput
from flows.indicators import indicators
from flows.ingest import ingest
from research.readings import at_interval, readings
from storage.lake import sql

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
SYMBOL = "NOISE1-USDT"


def collect(hours: int, first: int = 0) -> None:
    since = START + timedelta(hours=first)
    until = since + timedelta(hours=hours)
    ingest(source="sandbox", symbols=[SYMBOL], since=since, until=until)


def stored(interval: str) -> pl.DataFrame:
    query = "from indicators where interval = $interval order by open_time"
    return sql(query, {"interval": interval})


def test_readings_are_made_once_of_what_closed_since(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTJAR_DAYS", "3650")
    collect(10)
    first = indicators()
    minutes = sql("from candles order by open_time")
    expected = readings(at_interval(minutes, "5m")).filter(pl.col("ema_9").is_not_null())
    assert stored("5m").drop("source", "ingested_at").equals(expected)
    assert stored("1h").height == 10 - 8
    assert first.total("inserted") == expected.height + 2
    assert indicators().total("inserted") == 0
    collect(2, first=10)
    again = indicators(intervals=["5m"])
    assert again.total("inserted") == 2 * 12
    assert again.total("revised") == 0
    minutes = sql("from candles order by open_time")
    whole = readings(at_interval(minutes, "5m")).filter(pl.col("ema_9").is_not_null())
    assert stored("5m").drop("source", "ingested_at").equals(whole)
    # Asked for anew, the readings are the same, so that nothing is revised.
    assert indicators(since=START, intervals=["5m"]).total("revised") == 0
    assert sql("select count(*) as n from verdicts where dataset = 'indicators'")["n"][0] >= 3


def test_an_empty_store_has_nothing_to_read(desk: Path) -> None:
    assert indicators().total("inserted") == 0


def test_an_interval_that_is_none_is_refused(desk: Path) -> None:
    with pytest.raises(InvalidInput, match="expected an interval"):
        indicators(intervals=["7m"])
