"""A venue's listing is stored as what it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.datasets import INSTRUMENTS, TICKERS
from storage import hot
from storage.lake import sql
from storage.store import Store
from tasks.listings import only_changes
from tests.research.test_eras import frame, terms

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def see(store: Store, day: int, *symbols: str, tick: float = 0.01) -> pl.DataFrame:
    now = NOW + timedelta(days=day)
    seen = frame(*(terms(day, symbol, tick_size=tick) for symbol in symbols))
    rows = only_changes(store, "instruments", seen, now)
    hot.put(store, INSTRUMENTS.name, rows, now=now)
    return rows


def test_a_listing_seen_day_after_day_keeps_what_was_true_when(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    names = ("BTC-USDT", "ETH-USDT", "SOL-USDT")
    assert see(store, 0, *names).height == 3
    assert see(store, 1, *names).is_empty()
    assert see(store, 2, *names[:2]).height == 2
    assert see(store, 3, *names[:2], tick=0.001).height == 4
    query = "select symbol, status, tick_size, valid_until is null as holds from instruments"
    found = sql(f"{query} order by symbol, valid_from", store=store)
    assert found.rows() == [
        ("BTC-USDT", "trading", 0.01, False),
        ("BTC-USDT", "trading", 0.001, True),
        ("ETH-USDT", "trading", 0.01, False),
        ("ETH-USDT", "trading", 0.001, True),
        ("SOL-USDT", "trading", 0.01, False),
        ("SOL-USDT", "delisted", 0.01, True),
    ]


def test_rows_of_other_datasets_are_left_as_they_are(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    rows = TICKERS.empty()
    assert only_changes(store, "tickers", rows, NOW) is rows
