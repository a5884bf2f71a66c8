"""The suite of candles: a row that breaks only one rule, beside rows that just do not."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.datasets import CANDLES
from core.market import INTERVALS
from expectations.candles import SUITE
from expectations.gate import gate
from tests.expectations.rows import MINUTE, NOW, START, bar, bars, frame

if TYPE_CHECKING:
    from expectations.verdict import Verdict

NAN = math.nan
MICRO = timedelta(microseconds=1)
REQUIRED = [name for name in CANDLES.columns if name not in SUITE.optional]

BROKEN: list[tuple[str, dict[str, Any]]] = [
    *(("missing_value", {name: None}) for name in REQUIRED),
    ("not_finite", {"quote_volume": NAN}),
    ("implausible", {"quote_volume": 1.1e18}),
    ("not_finite", {"taker_buy_volume": NAN}),
    ("not_finite", {"volume": NAN}),
    ("implausible", {"volume": 1.1e18}),
    *(("not_finite", {name: NAN}) for name in ("open", "high", "low", "close")),
    ("bad_name", {"symbol": "BTCUSDT"}),
    ("bad_name", {"symbol": "../BTC-USDT"}),
    ("bad_name", {"symbol": "BTC-USDT\n"}),
    ("bad_name", {"venue": "Binance"}),
    ("bad_name", {"venue": ""}),
    ("unknown_interval", {"interval": "7m"}),
    ("unknown_interval", {"interval": ""}),
    ("price_not_positive", {"low": 0.0}),
    ("price_not_positive", {"low": -1e-9}),
    ("price_not_positive", dict.fromkeys(("open", "high", "low", "close"), -100.0)),
    ("ohlc_inconsistent", {"high": 99.999}),
    ("ohlc_inconsistent", {"low": 100.001}),
    ("ohlc_inconsistent", {"open": 100.001}),
    ("ohlc_inconsistent", {"close": 99.999}),
    ("high_implausible", {"high": 1000.001}),
    ("negative_volume", {"volume": -1e-9}),
    ("negative_volume", {"quote_volume": -1e-9}),
    ("negative_volume", {"taker_buy_volume": -1e-9}),
    ("negative_trades", {"trades": -1}),
    ("taker_exceeds_volume", {"taker_buy_volume": 5.001}),
    ("taker_exceeds_volume", {"taker_buy_volume": 0.1, "volume": 0.0}),
    ("off_grid", {"open_time": START + MICRO}),
    ("off_grid", {"open_time": START + MINUTE, "interval": "3m"}),
    ("off_grid", {"open_time": START + timedelta(hours=8), "interval": "1d"}),
    ("before_2009", {"open_time": datetime(2008, 12, 31, 23, 59, tzinfo=UTC)}),
    ("before_2009", {"open_time": datetime(1970, 1, 1, tzinfo=UTC)}),
    ("in_future", {"open_time": NOW + MINUTE}),
    ("in_future", {"open_time": datetime(9999, 12, 31, tzinfo=UTC)}),
    ("still_forming", {"open_time": NOW}),
    ("still_forming", {"open_time": NOW, "interval": "1d"}),
]

# Rows at the very edge of a rule, on the right side of it.
SOUND: list[dict[str, Any]] = [
    dict.fromkeys(SUITE.optional),
    {"volume": 0.0, "quote_volume": 0.0, "taker_buy_volume": 0.0, "trades": 0},
    {"taker_buy_volume": 5.0},
    {"taker_buy_volume": math.nextafter(5.0, 6.0)},
    {"low": 1e-12},
    {"high": 1000.0},
    {"high": 101.0, "low": 99.0, "open": 101.0, "close": 99.0},
    {"open_time": NOW - MINUTE},
    {"open_time": datetime(2009, 1, 1, tzinfo=UTC)},
    {"open_time": NOW - timedelta(days=1), "interval": "1d"},
    {"open_time": NOW - timedelta(hours=12), "interval": "12h"},
    {"symbol": "1000SATS-FDUSD"},
    {"venue": "sandbox", "synthetic": True},
    *({"interval": interval, "open_time": START} for interval in INTERVALS if interval != "1m"),
]


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    """Judge every row of both lists in one batch, among enough others that it passes."""
    rows = [bar(minute) for minute in range(600)]
    rows += [bar(600 + at, source=f"sound {at}") | change for at, change in enumerate(SOUND)]
    rows += [bar(700 + at, source=f"broken {at}") | change for at, (_, change) in enumerate(BROKEN)]
    return gate("candles", frame(CANDLES, rows), now=NOW, name="all rules")


@pytest.mark.parametrize("at", range(len(BROKEN)), ids=lambda at: f"{BROKEN[at][0]}-{at}")
def test_a_row_that_breaks_one_rule_is_quarantined_for_it_alone(verdict: Verdict, at: int) -> None:
    code, change = BROKEN[at]
    named = pl.col("source") == f"broken {at}"
    mine = pl.col("source").is_null() if "source" in change else named
    assert verdict.quarantined.filter(mine)["reasons"].to_list() == [[code]]


@pytest.mark.parametrize("at", range(len(SOUND)), ids=lambda at: str(SOUND[at]))
def test_a_row_at_the_edge_of_a_rule_is_accepted(verdict: Verdict, at: int) -> None:
    assert verdict.accepted.filter(pl.col("source") == f"sound {at}").height == 1


def test_the_rest_of_the_batch_goes_on_in_its_order(verdict: Verdict) -> None:
    assert verdict.passed
    assert verdict.rows == 600 + len(SOUND) + len(BROKEN)
    assert verdict.accepted.height == 600 + len(SOUND)
    assert verdict.quarantined_rows == verdict.quarantined.height == len(BROKEN)
    assert verdict.accepted.schema == CANDLES.schema
    assert verdict.accepted["open_time"].head(600).is_sorted()
    assert verdict.reasons["missing_value"] == len(REQUIRED)


def test_every_rule_of_one_row_has_a_row_that_breaks_it() -> None:
    rules = [rule for rule in SUITE.all_rules if rule.severity == "critical"]
    alone = {rule.code for rule in rules if not rule.beside}
    assert alone == {code for code, _ in BROKEN}


def test_a_row_may_break_several_rules() -> None:
    rows = [bar(minute) for minute in range(20)] + [bar(20, high=NAN, volume=-1.0, symbol="x")]
    found = gate("candles", frame(CANDLES, rows), now=NOW)
    assert found.quarantined["reasons"].to_list() == [["bad_name", "negative_volume", "not_finite"]]
    assert found.reasons == {"bad_name": 1, "negative_volume": 1, "not_finite": 1}
    assert found.quarantined_rows == 1


def test_the_first_row_of_a_key_is_kept() -> None:
    rows = [bar(minute) for minute in range(40)]
    rows[20:20] = [bar(5), bar(6, close=101.0), bar(5, close=99.0)]
    found = gate("candles", frame(CANDLES, rows), now=NOW)
    assert found.quarantined["close"].to_list() == [100.0, 101.0, 99.0]
    assert found.quarantined["reasons"].to_list() == [["duplicate"]] * 3
    assert found.accepted["open_time"].is_sorted()
    assert found.accepted.height == 40


def test_a_broken_row_does_not_take_the_place_of_a_sound_one_of_its_key() -> None:
    rows = [bar(minute) for minute in range(40)]
    rows[20:20] = [bar(30, close=NAN)]
    found = gate("candles", frame(CANDLES, rows), now=NOW)
    assert found.quarantined["reasons"].to_list() == [["not_finite"]]
    assert found.accepted.height == 40


def test_rows_broken_by_themselves_are_no_level_for_others() -> None:
    rows = [bar(minute) for minute in range(60)]
    for minute in range(20, 26):  # six closes agree on a level, but are no bars
        rows[minute] = bar(minute, close=200.0, volume=-1.0)
    found = gate("candles", frame(CANDLES, rows), now=NOW)
    assert found.reasons == {"negative_volume": 6}


def test_each_series_is_judged_by_itself() -> None:
    batch = pl.concat(
        [
            bars([100.0] * 30),
            bars([5.0] * 30, symbol="XRP-USDT"),
            bars([0.05] * 15 + [0.09] + [0.05] * 14, symbol="ETH-BTC"),
            bars([100.0] * 10, venue="sandbox"),
        ]
    )
    mixed = batch.sort("open_time", maintain_order=True)
    for order in (batch, mixed, batch.reverse()):
        found = gate("candles", order, now=NOW)
        assert found.quarantined["symbol"].to_list() == ["ETH-BTC"]
        assert found.quarantined["close"].to_list() == [0.09]
        assert found.accepted.equals(order.filter(pl.col("close") != 0.09))


def test_a_gap_and_a_burst_of_volume_are_warnings_only() -> None:
    rows = [bar(minute, volume=5.0 + minute % 3) for minute in range(100)]
    del rows[50:53]
    rows[80]["volume"] = 5_000.0
    found = gate("candles", frame(CANDLES, rows), now=NOW)
    assert found.accepted.height == 97
    assert found.warnings == {"gap_before": 1, "volume_spike": 1}


def test_a_long_wick_is_a_warning_only() -> None:
    wicks = {20: {"high": 120.1}, 40: {"low": 79.9}, 60: {"high": 130.0, "low": 70.0}}
    even = {30: {"high": 120.0}, 50: {"low": 80.0}}
    rows = [bar(minute) | (wicks | even).get(minute, {}) for minute in range(80)]
    found = gate("candles", frame(CANDLES, rows), now=NOW)
    assert found.accepted.height == 80
    assert found.warnings == {"long_wick": 3}


def test_the_facts_see_the_history_before_the_batch() -> None:
    history = bars([100.0] * 100)
    batch = bars([100.0] * 20, first=102, volume=9.0)
    assert gate("candles", batch, now=NOW).warnings == {}
    assert gate("candles", batch, history=history, now=NOW).warnings == {"gap_before": 1}


def test_a_column_of_nulls_where_the_source_does_not_say_is_sound() -> None:
    batch = bars([100.0] * 5).with_columns(
        quote_volume=pl.lit(None), trades=pl.lit(None), taker_buy_volume=pl.lit(None)
    )
    assert gate("candles", batch, now=NOW).accepted.height == 5


def beside(closes: dict[str, float], venue: str = "binance", close: float = 100.0) -> Verdict:
    """Judge ten bars of a venue whose bars before are stored, as are those of other venues."""
    before = [bar(number - 10, close, venue=venue) for number in range(10)]
    others = [bar(n, price, venue=name) for name, price in closes.items() for n in range(10)]
    history = frame(CANDLES, before + others)
    batch = frame(CANDLES, [bar(number, close, venue=venue) for number in range(10)])
    return gate("candles", batch, history=history, now=NOW)


@pytest.mark.parametrize(
    ("closes", "close", "flagged"),
    [
        ({}, 108.0, 0),
        ({"okx": 100.0}, 105.0, 0),
        ({"okx": 100.0}, 105.1, 10),
        ({"okx": 100.0}, 94.9, 10),
        ({"okx": 100.0, "kraken": 107.0, "kucoin": 107.5}, 108.0, 0),
        ({"okx": 100.0, "kraken": 108.0}, 108.0, 0),  # from 104 it is 3.8 %
        ({"okx": 0.0}, 108.0, 0),  # that is no price
    ],
)
def test_bars_far_from_the_middle_of_other_venues_are_flagged(
    closes: dict[str, float], close: float, flagged: int
) -> None:
    verdict = beside(closes, close=close)
    assert verdict.passed
    assert verdict.accepted.height == 10
    assert verdict.warnings.get("venue_distance", 0) == flagged


def test_other_venues_are_no_bars_before() -> None:
    # Neither a gap, nor a jump, nor a volume is measured by what another venue has.
    assert set(beside({"okx": 300.0}).warnings) == {"venue_distance"}


def test_venues_of_one_batch_are_compared_with_each_other() -> None:
    venues = {"binance": 100.0, "okx": 100.2, "kraken": 110.0}
    batch = [bar(n, price, venue=name) for name, price in venues.items() for n in range(10)]
    verdict = gate("candles", frame(CANDLES, batch), now=NOW)
    assert verdict.warnings == {"venue_distance": 10}


def test_the_same_minute_of_another_interval_is_no_measure() -> None:
    other = frame(CANDLES, [bar(0, 200.0, venue="okx", interval="1h")])
    batch = frame(CANDLES, [bar(number, 100.0) for number in range(10)])
    assert gate("candles", batch, history=other, now=NOW).warnings == {}
