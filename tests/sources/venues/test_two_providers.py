"""Bars of one market from two providers are as far apart as they were measured to be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from sources.files import read_file

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def bars(path: Path, venue: str) -> pl.DataFrame:
    return read_file(path, venue=venue, symbol="BTC-USDT", interval="1m", now=NOW).frame


def test_two_venues_perpetuals_differ_by_their_measured_distance(real_data: Path) -> None:
    """In basis points of the close: Bybit's is 0.62 higher at the median, and 7.6 apart at most.

    One venue is ahead by 3.2 at most, the other by 7.6; a hundredth is over 4.3 apart.
    """
    candles = real_data / "candles"
    binance = bars(
        next(candles.glob("typhonun*/*/user_data/data/binance/futures/BTC_USDT_USDT-1m-*.feather")),
        "binance_perp",
    )
    bybit = bars(next(candles.glob("cobra0506*/c1a15665/data/BTCUSDT_1m.csv")), "bybit_perp")
    both = binance.join(bybit, on="open_time", suffix="_bybit")
    apart = (both["close"] / both["close_bybit"] - 1) * 1e4
    assert both.height > 6_000
    assert apart.median() == pytest.approx(-0.62, abs=0.01)
    assert (apart.min(), apart.max()) == pytest.approx((-7.6, 3.2), abs=0.05)
    assert apart.abs().quantile(0.99) == pytest.approx(4.3, abs=0.05)


def test_two_copies_of_one_venues_bars_agree_to_the_last_digit(real_data: Path) -> None:
    candles = real_data / "candles"
    one = bars(
        next(candles.glob("paparocketeer*/*/user_data/data/binance/BTC_USDT-1m.feather")), "binance"
    )
    months = sorted(candles.glob("AegisFintech*/*/data/raw/BTCUSDT-1m-2026-0[34].zip"))
    other = pl.concat([bars(month, "binance") for month in months])
    both = one.join(other, on="open_time", suffix="_other")
    assert both.height == one.height == 43_199
    for name in ("open", "high", "low", "close", "volume"):
        assert both.filter(pl.col(name) != pl.col(f"{name}_other")).is_empty()
