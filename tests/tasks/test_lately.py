"""A batch is judged beside what was stored before it, as far back as its suite looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import PRICES, STOCK_INDICES
from storage import landing
from storage.store import Store
from tasks.settle import settle_together

if TYPE_CHECKING:
    from pathlib import Path

    from core.datasets import Dataset
    from expectations.verdict import Verdict

NOW = datetime(2026, 6, 10, 12, 0, 1, tzinfo=UTC)
MARKS = {"source": "test", "ingested_at": NOW}


def bring(store: Store, dataset: Dataset, *rows: dict[str, Any]) -> Verdict:
    """Land, judge and merge rows; return the verdict."""
    frame = pl.DataFrame([row | MARKS for row in rows], schema=dataset.schema)
    receipt = landing.land(store, dataset.name, frame, source="test", now=NOW)
    verdicts: list[Verdict] = []
    settle_together(store, [receipt], NOW, show=verdicts.append)
    return verdicts[0]


def quote(venue: str, price: float) -> dict[str, Any]:
    time = NOW - timedelta(minutes=1)
    return {"venue": venue, "symbol": "BTC-USD", "time": time, "price": price}


def close(day: int, value: float) -> dict[str, Any]:
    return {
        "venue": "yahoo",
        "index": "SP500",
        "interval": "1d",
        "time": datetime(2026, 5, 1, 13, 30, tzinfo=UTC) + timedelta(days=day),
        **dict.fromkeys(("open", "high", "low", "close"), value),
    }


def test_a_quote_is_compared_with_what_others_said_before(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    assert bring(store, PRICES, quote("coingecko", 100.0), quote("jupiter", 100.1)).warnings == {}
    far = bring(store, PRICES, quote("dexscreener", 108.0))
    assert far.warnings == {"venue_distance": 1}
    assert far.accepted.height == 1


def test_a_level_of_weeks_ago_is_still_known(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    days = [close(day, 7_000.0 + day) for day in range(0, 20, 5)]
    assert bring(store, STOCK_INDICES, *days).passed
    wrong = bring(store, STOCK_INDICES, close(20, 70.0))
    assert (wrong.passed, wrong.reasons) == (False, {"off_level": 1})
