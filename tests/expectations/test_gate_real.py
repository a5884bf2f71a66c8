"""Real recordings: true extremes pass, and what was recorded whole is accepted whole."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.datasets import CANDLES, TIME
from expectations.gate import gate

if TYPE_CHECKING:
    from pathlib import Path

    from polars._typing import IntoExpr

pytestmark = pytest.mark.real
NOW = datetime(2026, 6, 10, tzinfo=UTC)
OHLCV = ("open", "high", "low", "close", "volume")
BENICIO = "candles/Benicio1007+Bot_trading"


def candles(frame: pl.DataFrame, symbol: str, interval: str, **more: IntoExpr) -> pl.DataFrame:
    """Put what a recording does not say beside what it does."""
    absent = {"quote_volume": None, "trades": None, "taker_buy_volume": None}
    named = {"venue": "binance", "symbol": symbol, "interval": interval, "source": "recording"}
    return CANDLES.conform(
        frame.with_columns(
            pl.col(OHLCV).cast(pl.Float64), pl.col("open_time").cast(TIME)
        ).with_columns(
            **{name: pl.lit(value) for name, value in named.items()},
            **(absent | more),
            synthetic=pl.lit(value=False),
            ingested_at=pl.lit(NOW, TIME),
        )
    )


def month(path: Path) -> pl.DataFrame:
    """Read one of Binance's monthly dumps: no header, microseconds."""
    with zipfile.ZipFile(path) as archive:
        raw = pl.read_csv(io.BytesIO(archive.read(archive.namelist()[0])), has_header=False)
    raw.columns = [
        *("open_time", *OHLCV, "close_time", "quote_volume"),
        *("trades", "taker_buy_volume", "taker_quote", "ignore"),
    ]
    return candles(
        raw.drop("close_time", "taker_quote", "ignore"),
        "BTC-USDT",
        "1m",
        quote_volume=pl.col("quote_volume").cast(pl.Float64),
        trades=pl.col("trades").cast(pl.Int64),
        taker_buy_volume=pl.col("taker_buy_volume").cast(pl.Float64),
    )


def table(path: Path, symbol: str, interval: str) -> pl.DataFrame:
    """Read a CSV of `timestamp,open,high,low,close,volume`."""
    opened = pl.col("timestamp").str.to_datetime(time_unit="us").dt.replace_time_zone("UTC")
    raw = pl.read_csv(path).with_columns(open_time=opened)
    return candles(raw.select("open_time", *OHLCV), symbol, interval)


def feather(path: Path, symbol: str, interval: str) -> pl.DataFrame:
    raw = pl.read_ipc(path).rename({"date": "open_time"})
    return candles(raw.select("open_time", *OHLCV), symbol, interval)


def test_three_months_of_bitcoin_pass_whole(real_data: Path) -> None:
    files = sorted(real_data.glob("candles/AegisFintech+AIQuant/*/data/raw/BTCUSDT-1m-*.zip"))
    batch = pl.concat([month(file) for file in files])
    assert batch.height == 132_480
    gate("candles", batch.head(10), now=NOW)  # pays for the import
    started = time.process_time()
    verdict = gate("candles", batch, now=NOW)
    spent = time.process_time() - started
    assert verdict.passed
    assert verdict.quarantined.is_empty()
    assert verdict.accepted.equals(batch)
    assert set(verdict.warnings) <= {"volume_spike"}
    assert verdict.warnings["volume_spike"] < batch.height / 1_000
    assert spent < 5


def test_the_crash_of_ether_is_no_error(real_data: Path) -> None:
    found = list(real_data.glob(f"{BENICIO}/b06f30a4*/data/dataset/2025/ETHUSDT_1m.csv"))
    batch = table(found[0], "ETH-USDT", "1m")
    crash = batch.filter(pl.col("open_time") == datetime(2025, 2, 3, 2, 7, tzinfo=UTC))
    assert crash.select(pl.col("close") / pl.col("open") - 1).item() < -0.08
    verdict = gate("candles", batch, now=NOW)
    assert verdict.quarantined.is_empty()
    assert verdict.accepted.equals(batch)


def test_an_outage_is_a_gap_and_no_error(real_data: Path) -> None:
    found = list(real_data.glob(f"{BENICIO}/626bdc9a*/data/BTCUSDT_5m_*.csv"))
    verdict = gate("candles", table(found[0], "BTC-USDT", "5m"), now=NOW)
    assert verdict.quarantined.is_empty()
    assert verdict.warnings["gap_before"] == 1


def test_a_market_without_a_trade_in_many_minutes_passes(real_data: Path) -> None:
    found = list(
        real_data.glob("candles/freqtrade+freqtrade/*/tests/testdata/UNITTEST_BTC-1m.feather")
    )
    verdict = gate("candles", feather(found[0], "UNITTEST-BTC", "1m"), now=NOW)
    assert verdict.quarantined.is_empty()
    assert verdict.warnings["gap_before"] == 538


FUTURES = "candles/typhonun+DcaTpStrategy/*/user_data/data/binance/futures"


def test_mark_prices_without_volume_pass(real_data: Path) -> None:
    files = list(real_data.glob(f"{FUTURES}/*-8h-mark.feather"))
    assert len(files) == 3
    for file in files:
        verdict = gate("candles", feather(file, "X-USDT", "8h"), now=NOW)
        assert verdict.quarantined.is_empty()


def test_a_real_jump_of_over_a_fifth_is_confirmed_by_what_followed(real_data: Path) -> None:
    days = list(real_data.glob("candles/gbeced+basana/*/tests/data/binance_btcusdt_day_2020.csv"))
    opened = pl.col("datetime").str.to_datetime(time_unit="us").dt.replace_time_zone("UTC")
    raw = pl.read_csv(days[0]).with_columns(open_time=opened)
    batch = candles(raw.select("open_time", *OHLCV), "BTC-USDT", "1d")
    crash = batch.filter(pl.col("open_time") == datetime(2020, 3, 12, tzinfo=UTC))
    assert crash.select(pl.col("close") / pl.col("open") - 1).item() < -0.35
    verdict = gate("candles", batch, now=NOW)
    assert verdict.accepted.equals(batch)
    assert verdict.warnings == {"level_shift": 6, "long_wick": 1}


def test_funding_rates_are_no_candles(real_data: Path) -> None:
    files = list(real_data.glob(f"{FUTURES}/*-8h-funding_rate.feather"))
    assert len(files) == 3
    for file in files:
        assert not gate("candles", feather(file, "X-USDT", "8h"), now=NOW).passed


def test_swapped_columns_are_refused(real_data: Path) -> None:
    found = list(real_data.glob(f"{BENICIO}/cb055307*/data/SOLUSDT_5m.csv"))
    batch = table(found[0], "SOL-USDT", "5m")
    swapped = batch.with_columns(high=pl.col("volume"), volume=pl.col("high"))
    assert gate("candles", batch, now=NOW).passed
    assert not gate("candles", swapped, now=NOW).passed
    seconds = batch.with_columns(pl.col("open_time").cast(pl.Int64).floordiv(1000).cast(TIME))
    refused = gate("candles", seconds, now=NOW)
    assert refused.reasons["before_2009"] == batch.height
