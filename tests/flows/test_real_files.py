"""Files that others recorded, with the defects they really have, and files broken on purpose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.errors import CollectionIncomplete, GateRefused, InvalidInput
from flows.ingest import ingest
from storage import catalog
from storage.lake import sql
from storage.store import default_store

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.tally import Summary

KUCOIN = "candles/mohsenjfar+trade/{}/user_data/data/kucoin/BTC_USDT-1m.json"
BYBIT = "candles/cobra0506+crypto_backtester/{}/data/BTCUSDT_1m.csv"
BENICIO = "candles/Benicio1007+Bot_trading/"
ETH = BENICIO + "b06f30a4/data/dataset/2025/ETHUSDT_1m.csv"
OUTAGE = BENICIO + "626bdc9a/data/BTCUSDT_5m_1680035700001.csv"
ARCHIVE = "candles/AegisFintech+AIQuant/3e61c9d8/data/raw/BTCUSDT-1m-2026-03.zip"


def read(path: Path, venue: str, symbol: str = "BTC-USDT", **options: object) -> Summary:
    return ingest(source="files", path=path, venue=venue, symbols=[symbol], **options)


def missing() -> int:
    return catalog.coverage(default_store())["missing"].sum()


def bars() -> int:
    return sql("select count(*) as n from candles").item()


@pytest.mark.real
def test_two_overlapping_snapshots_merge_without_a_seam(desk: Path, real_data: Path) -> None:
    for snapshot in ("513f63a1", "83932a30"):
        read(real_data / KUCOIN.format(snapshot), "kucoin")
    # 44,320 and 43,199 bars, of which 22,660 are the same
    assert bars() == 44_320 + 43_199 - 22_660
    assert missing() == 0
    assert sql("select count(*) as n from revisions").item() == 0


@pytest.mark.real
def test_a_file_with_holes_reports_them_and_a_whole_one_heals_them(
    desk: Path, real_data: Path
) -> None:
    read(real_data / BYBIT.format("3838ce84"), "bybit")
    assert missing() == 42
    assert catalog.gaps(default_store())["bars"].to_list() == [1] * 42
    read(real_data / BYBIT.format("c1a15665"), "bybit")
    assert missing() == 0


@pytest.mark.real
def test_a_crash_that_happened_is_kept(desk: Path, real_data: Path) -> None:
    read(real_data / ETH, "binance", "ETH-USDT", zone="UTC")
    crash = sql(
        "select close / open - 1 as move from candles where open_time = $t",
        {"t": datetime(2025, 2, 3, 2, 7, tzinfo=UTC)},
    ).item()
    assert crash == pytest.approx(-0.0959, abs=5e-4)
    assert bars() == 50_000


@pytest.mark.real
def test_an_outage_of_the_venue_is_a_known_gap(desk: Path, real_data: Path) -> None:
    read(real_data / OUTAGE, "binance", interval="5m", zone="UTC")
    gap = catalog.gaps(default_store()).row(0, named=True)
    assert gap["bars"] == missing() == 16
    assert datetime(2023, 3, 24, 12, 35, tzinfo=UTC) <= gap["start"]
    assert gap["end"] <= datetime(2023, 3, 24, 14, 0, tzinfo=UTC)


@pytest.mark.real
def test_a_half_written_zip_is_named_and_the_store_stays_as_it_was(
    desk: Path, real_data: Path, tmp_path: Path
) -> None:
    whole = (real_data / ARCHIVE).read_bytes()
    (tmp_path / "BTCUSDT-1m-2026-03.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CollectionIncomplete, match=r"BTCUSDT-1m-2026-03\.zip"):
        ingest(source="binance-archive", path=tmp_path, symbols=["BTC-USDT"])
    assert bars() == 0


def write_csv(path: Path, change: dict[str, pl.Expr], *, rows: int = 300) -> Path:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=minute) for minute in range(rows)]
    close = [100 + (minute % 7) / 10 for minute in range(rows)]
    frame = pl.DataFrame({"timestamp": times, "close": close}).select(
        pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S+00:00"),
        open=pl.col("close"),
        high=pl.col("close") + 1,
        low=pl.col("close") - 1,
        close=pl.col("close"),
        volume=pl.lit(12_345.0),
    )
    frame.with_columns(**change).write_csv(path)
    return path


EVERY_50TH = pl.int_range(pl.len()) % 50 == 7


def now_and_then(value: float) -> pl.Expr:
    return pl.when(EVERY_50TH).then(pl.lit(value)).otherwise(pl.col("close"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        (0.0, "price_not_positive"),
    ],
)
def test_a_price_that_is_none_is_quarantined_with_its_reason(
    desk: Path, tmp_path: Path, value: float, reason: str
) -> None:
    read(write_csv(tmp_path / "bars.csv", {"close": now_and_then(value)}), "mine")
    assert bars() == 294
    reasons = sql("select distinct unnest(reasons) as r from quarantine")["r"].to_list()
    assert reason in reasons


@pytest.mark.parametrize(
    "change",
    [
        {"high": pl.col("low"), "low": pl.col("high")},
        {"close": pl.col("volume"), "volume": pl.col("close")},
        {"timestamp": pl.col("close"), "close": pl.col("timestamp")},
    ],
    ids=["high and low", "close and volume", "time and close"],
)
def test_exchanged_columns_are_refused_and_nothing_is_stored(
    desk: Path, tmp_path: Path, change: dict[str, pl.Expr]
) -> None:
    with pytest.raises((InvalidInput, GateRefused)):
        read(write_csv(tmp_path / "bars.csv", change), "mine")
    assert bars() == 0


def test_local_times_are_not_taken_for_utc(desk: Path, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "bars.csv", {"timestamp": pl.col("timestamp").str.strip_suffix("+00:00")}
    )
    with pytest.raises(InvalidInput, match="zone"):
        read(path, "mine")
    assert bars() == 0
    read(path, "mine", zone="America/New_York")
    first = sql("select min(open_time) as t from candles").item()
    assert first == datetime(2026, 3, 1, 5, tzinfo=UTC)
