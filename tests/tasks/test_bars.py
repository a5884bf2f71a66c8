"""Research reads other venues' bars when a setting says so, and never otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from core.errors import SettingsError
from core.settings import load
from research.market import markets_of
from storage import hot
from storage.store import default_store
from tasks.bars import research_candles, snapshot
from tasks.nightly import ask, night_candles, pin, quality
from tests.research.test_eras import frame, terms
from tests.storage.samples import MINUTE, NOW, START, candles

WINDOW: dict[str, Any] = {
    "venue": "binance",
    "symbols": ["BTC-USDT"],
    "interval": "1m",
    "start": START,
    "end": START + timedelta(hours=1),
}


@pytest.fixture(autouse=True)
def _two_venues() -> None:
    store = default_store()
    hot.put(store, "candles", candles([n for n in range(60) if n not in {7, 8}]), now=NOW)
    hot.put(store, "candles", candles(60, venue="okx", source="okx:rest"), now=NOW)
    hot.put(store, "candles", candles(60, venue="okx", symbol="ETH-USDT"), now=NOW)


def question(**changes: Any) -> Any:
    asked = {"as_of": START + timedelta(hours=1), "venue": "binance", "symbols": None}
    rest = {"strategies": 4, "days": 2, "seed": 1}
    return ask(**(asked | rest | changes))


def test_without_lenders_a_venue_has_its_own_bars_alone() -> None:
    bars = research_candles(default_store(), **WINDOW, lenders=())
    assert bars.height == 58
    assert set(bars["source"]) == {"binance:rest"}


def test_a_lent_bar_joins_the_series_and_says_where_it_is_from() -> None:
    bars = research_candles(default_store(), **WINDOW, lenders=["okx"])
    assert bars.height == 60
    assert set(bars["venue"]) == {"binance"}
    assert bars.filter(source="okx:rest")["trades"].to_list() == [7, 8]
    [market] = markets_of(bars)
    assert market.bars.time.size == 60


def test_the_settings_decide_and_the_default_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_REPAIR_VENUES", "okx,kraken")
    assert load().repair_venues == ("okx", "kraken")
    assert question().lenders == ()
    monkeypatch.setenv("NIGHTJAR_BORROW", "true")
    assert question().lenders == ("okx", "kraken")
    monkeypatch.setenv("NIGHTJAR_REPAIR_VENUES", "OKX")
    with pytest.raises(SettingsError, match="repair_venues"):
        load()


def test_a_night_that_borrows_reads_and_names_what_it_borrowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = pin.fn(question(), NOW)
    assert "lenders" not in alone.manifest
    monkeypatch.setenv("NIGHTJAR_REPAIR_VENUES", "okx")
    monkeypatch.setenv("NIGHTJAR_BORROW", "true")
    borrowing = pin.fn(question(), NOW)
    assert borrowing.manifest["lenders"] == ["okx"]
    assert borrowing.manifest["data"] != alone.manifest["data"]
    assert borrowing.night != alone.night
    store = default_store()
    assert night_candles(store, alone).height == 58
    assert night_candles(store, borrowing).height == 60
    assert quality(store, alone.question).row(0)[1] == 58
    assert quality(store, borrowing.question).row(0)[1] == 60
    assert quality(store, borrowing.question)["symbol"].to_list() == ["BTC-USDT"]


def test_the_snapshot_of_a_night_that_borrows_is_of_the_lenders_too() -> None:
    store = default_store()
    before = [snapshot(store, **WINDOW, lenders=lenders) for lenders in ((), ("okx",))]
    changed = candles([7], venue="okx", close=5.0, ingested_at=NOW + MINUTE)
    hot.put(store, "candles", changed, now=NOW + MINUTE)
    after = [snapshot(store, **WINDOW, lenders=lenders) for lenders in ((), ("okx",))]
    assert before[0] == after[0]
    assert before[1] != after[1]
    own = research_candles(store, **WINDOW, lenders=())
    assert_frame_equal(own, own.filter(venue="binance"))


def test_bars_from_before_a_symbol_changed_its_unit_are_of_another_market() -> None:
    halfway = START + timedelta(minutes=30)
    old = terms(tick_size=1e-8, lot_size=1e5, valid_from=START - timedelta(days=9))
    new = terms(tick_size=1e-5, lot_size=1e2, valid_from=halfway, status="trading")
    row = {"symbol": "BTC-USDT", "valid_until": None, "listed_at": None}
    hot.put(default_store(), "instruments", frame(old | row, new | row), now=NOW)
    bars = research_candles(default_store(), **WINDOW, lenders=())
    assert bars["open_time"].min() == halfway
    assert bars.height == 30
    assert bars.columns == candles(1).columns
    others = WINDOW | {"venue": "okx", "symbols": ["ETH-USDT"]}
    assert research_candles(default_store(), **others, lenders=()).height == 60
