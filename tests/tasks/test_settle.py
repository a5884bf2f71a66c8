"""Landed batches that are settled together end as if each had been settled by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.datasets import PRICES
from core.errors import GateRefused, StoreBusy, StoreDamaged
from core.receipts import Merge
from storage import landing, lock, quarantine
from storage.invariants import check_invariants
from storage.lake import sql
from storage.store import Store
from tasks.settle import settle_together
from tests.storage.samples import MINUTE, NOW, candles

if TYPE_CHECKING:
    from pathlib import Path

    from core.errors import NightjarError
    from core.receipts import Receipt
    from expectations.verdict import Verdict

TABLES = {
    "candles": "symbol, open_time",
    "batches": "batch",
    "verdicts": "batch",
}


def sound(
    minutes: range,
    *,
    level: float = 100.0,
    symbol: str = "BTC-USDT",
    venue: str = "binance",
    late: int = 0,
) -> pl.DataFrame:
    """Return bars that no rule objects to, unless their level does; `late` is in minutes."""
    prices = {name: pl.lit(level) for name in ("open", "high", "low", "close")}
    return candles(
        minutes, symbol=symbol, venue=venue, ingested_at=NOW + late * MINUTE
    ).with_columns(**prices, taker_buy_volume=pl.lit(1.0), trades=pl.lit(1, pl.Int64))


def land(store: Store, *frames: pl.DataFrame) -> list[Receipt]:
    return [landing.land(store, "candles", bars, source="test", now=NOW) for bars in frames]


def one_by_one(store: Store, receipts: list[Receipt]) -> list[Merge | NightjarError]:
    return [became for receipt in receipts for became in settle_together(store, [receipt], NOW)]


def said(became: list[Merge | NightjarError]) -> list[str]:
    return [repr(one) if isinstance(one, Merge) else f"{type(one)} {one}" for one in became]


def in_two_stores(folder: Path, *frames: pl.DataFrame) -> tuple[Store, list[Merge | NightjarError]]:
    """Settle the same batches apart and together, compare, and return the second store."""
    stores = [Store(folder / name, str(folder / name / "lake")) for name in ("apart", "together")]
    apart, together = stores
    expected = one_by_one(apart, land(apart, *frames))
    became = settle_together(together, land(together, *frames), NOW)
    assert said(became) == said(expected)
    for table, order in TABLES.items():
        assert_frame_equal(*(sql(f"from {table} order by {order}", store=s) for s in stores))
    held = [quarantine.read(s, "candles").sort("open_time", "batch") for s in stores]
    assert_frame_equal(*held)
    assert check_invariants(together) == []
    return together, became


def test_months_in_a_row_are_merged_at_once(tmp_path: Path) -> None:
    store, became = in_two_stores(
        tmp_path,
        sound(range(600)),
        sound(range(600, 1_300)),
        sound(range(1_300, 1_350)),
        sound(range(50), symbol="ETH-USDT"),
    )
    assert [one.inserted for one in became if isinstance(one, Merge)] == [600, 700, 50, 50]
    assert sql("select count(distinct batch) from batches", store=store).item() == 4


def test_the_bars_before_a_batch_count_though_they_are_not_stored_yet(tmp_path: Path) -> None:
    # 2 bars of 40 at another level wait until bars of the next batch confirm it.
    jump = pl.concat([sound(range(38)), sound(range(38, 40), level=150.0)])
    store, became = in_two_stores(tmp_path, jump, sound(range(40, 80), level=150.0, late=1))
    first, second = became
    assert isinstance(first, Merge)
    assert isinstance(second, Merge)
    assert (first.inserted, first.quarantined) == (38, 2)
    assert (second.inserted, second.released) == (42, 2)
    assert sql("select count(*) from candles", store=store).item() == 80


def test_released_bars_do_not_wait_any_more(tmp_path: Path) -> None:
    jump = pl.concat([sound(range(38)), sound(range(38, 40), level=150.0)])
    later = [sound(range(n, n + 40), level=150.0, late=1) for n in (40, 80, 120)]
    _, became = in_two_stores(tmp_path, jump, *later)
    assert [one.released for one in became if isinstance(one, Merge)] == [0, 2, 0, 0]


def test_the_same_bars_twice_and_a_later_correction_are_told_apart(tmp_path: Path) -> None:
    corrected = sound(range(10), level=101.0, late=1)
    _, became = in_two_stores(tmp_path, sound(range(20)), sound(range(5)), corrected)
    counts = [(m.inserted, m.unchanged, m.revised) for m in became if isinstance(m, Merge)]
    assert counts == [(20, 0, 0), (0, 5, 0), (0, 0, 10)]


def test_one_that_is_refused_does_not_keep_the_others(tmp_path: Path) -> None:
    wrong = sound(range(20, 40)).with_columns(low=pl.lit(200.0))
    _, became = in_two_stores(tmp_path, sound(range(20)), wrong, sound(range(40, 60)))
    assert [type(one) for one in became] == [Merge, GateRefused, Merge]


def test_one_that_is_damaged_does_not_keep_the_others(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    receipts = land(store, sound(range(20)), sound(range(20, 40)))
    path = store.home / receipts[0].path
    path.write_bytes(path.read_bytes()[:-1])
    damaged, merged = settle_together(store, receipts, NOW)
    assert isinstance(damaged, StoreDamaged)
    assert isinstance(merged, Merge)
    assert merged.inserted == 20
    assert [receipt.path for receipt in receipts if receipt in landing.pending(store)] == []


def test_a_batch_that_is_named_twice_is_settled_once(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    [receipt] = land(store, sound(range(20)))
    verdicts: list[Verdict] = []
    became = settle_together(store, [receipt, receipt], NOW, show=verdicts.append)
    assert became[0] == became[1]
    assert len(verdicts) == 1
    assert sql("select count(*) from verdicts", store=store).item() == 1


def test_a_store_that_is_held_leaves_all_in_landing(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"), lock_wait=0.1)
    receipts = land(store, sound(range(20)), sound(range(20, 40)))
    with lock.one_writer(store, "a test", lock.Patience(1.0)), pytest.raises(StoreBusy):
        settle_together(store, receipts, NOW)
    assert sorted(one.path for one in landing.pending(store)) == sorted(
        one.path for one in receipts
    )
    assert sql("from candles", store=store).is_empty()


def test_a_venue_far_off_is_flagged_whether_the_others_are_stored_or_come_with_it(
    tmp_path: Path,
) -> None:
    venues = {"binance": 100.0, "okx": 100.3, "kraken": 108.0, "kucoin": 99.9}
    frames = [sound(range(30), level=level, venue=venue) for venue, level in venues.items()]
    store, _ = in_two_stores(tmp_path, *frames)
    found = sql("select batch, warnings from verdicts order by batch", store=store)
    flagged = {batch.split("/")[-1].split("_")[0]: text for batch, text in found.iter_rows()}
    assert json.loads(flagged["kraken"])["venue_distance"] == 30
    for venue in ("binance", "okx", "kucoin"):
        assert "venue_distance" not in flagged[venue]


def test_another_market_or_another_time_is_no_measure(tmp_path: Path) -> None:
    elsewhere = [
        sound(range(30), symbol="ETH-USDT", venue="okx"),
        sound(range(60, 90), venue="okx"),
        sound(range(30), level=108.0),
    ]
    store, _ = in_two_stores(tmp_path, *elsewhere)
    found = sql("select warnings from verdicts", store=store)["warnings"]
    assert not any("venue_distance" in text for text in found)


def quoted(prices: dict[str, float]) -> pl.DataFrame:
    same = {
        "symbol": "BTC-USD",
        "time": NOW - MINUTE,
        "source": "test",
        "ingested_at": NOW,
    }
    rows = [same | {"venue": venue, "price": price} for venue, price in prices.items()]
    return pl.DataFrame(rows, schema=PRICES.schema)


def test_quotes_of_two_batches_are_compared_with_each_other(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    quotes = [{"coingecko": 100.0, "jupiter": 100.1}, {"dexscreener": 108.0}]
    receipts = [
        landing.land(store, PRICES.name, quoted(prices), source="test", now=NOW)
        for prices in quotes
    ]
    verdicts: list[Verdict] = []
    settle_together(store, receipts, NOW, show=verdicts.append)
    assert [verdict.warnings for verdict in verdicts] == [{}, {"venue_distance": 1}]
