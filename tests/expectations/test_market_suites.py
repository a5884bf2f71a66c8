"""The suites of what venues say of their markets, each with rows that break one rule."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.datasets import TICKERS as TICKERS_
from expectations.gate import gate
from expectations.moments import BY_VENUE, USUAL
from tests.expectations.judged import Cases, check, check_doubles, check_warnings, judge
from tests.expectations.rows import NOW, PROVENANCE, frame

NAN = math.nan
LONG_AGO = datetime(2008, 12, 31, 23, 59, tzinfo=UTC)
BEHIND, AHEAD = timedelta(seconds=USUAL.behind), timedelta(seconds=USUAL.ahead)
SLIGHTLY = timedelta(milliseconds=1)
MICRO = timedelta(microseconds=1)

MARKET = {"venue": "kraken", "symbol": "BTC-USD"}
BAD_NAMES: list[tuple[str, dict[str, Any]]] = [
    ("bad_name", {"symbol": "BTCUSD"}),
    ("bad_name", {"venue": "../x"}),
    ("missing_value", {"venue": None}),
]
TIMES: list[tuple[str, dict[str, Any]]] = [
    ("stale", {"time": NOW - BEHIND - SLIGHTLY}),
    ("stale", {"time": LONG_AGO}),
    ("in_future", {"time": NOW + AHEAD + SLIGHTLY}),
    ("missing_value", {"time": None}),
]
PAST: list[tuple[str, dict[str, Any]]] = [
    ("before_2009", {"time": LONG_AGO}),
    ("in_future", {"time": NOW + AHEAD + SLIGHTLY}),
    ("missing_value", {"time": None}),
]
TIMELY = [{"time": NOW - BEHIND + SLIGHTLY}, {"time": NOW + AHEAD - SLIGHTLY}]


def spread_out(number: int) -> dict[str, datetime]:
    """Give rows different times, all of them just now."""
    return {"time": NOW - timedelta(microseconds=10 * number)}


def ticker(number: int = 0) -> dict[str, Any]:
    return {
        **MARKET,
        **spread_out(number),
        "last": 100.0,
        "bid": 99.5,
        "bid_size": 1.0,
        "ask": 100.5,
        "ask_size": 2.0,
        "open_24h": 90.0,
        "high_24h": 110.0,
        "low_24h": 80.0,
        "volume_24h": 1_000.0,
        "quote_volume_24h": 100_000.0,
        **PROVENANCE,
    }


PRICES = ("last", "bid", "ask", "open_24h", "high_24h", "low_24h")
AMOUNTS = ("bid_size", "ask_size", "volume_24h", "quote_volume_24h")
TICKERS = Cases(
    ticker,
    [
        *BAD_NAMES,
        *TIMES,
        *(("price_not_positive", {name: 0.0}) for name in PRICES),
        *(("price_not_positive", {name: -1.0}) for name in PRICES),
        *(("negative_volume", {name: -0.001}) for name in AMOUNTS),
        *(("not_finite", {name: NAN}) for name in ("open_24h", *AMOUNTS)),
        ("implausible", {"ask": 2e12}),
        ("implausible", {"volume_24h": 2e18}),
        ("crossed", {"bid": 100.5}),
        ("crossed", {"ask": 99.0}),
        ("high_below_low", {"high_24h": 79.9}),
        ("says_nothing", {"last": None, "bid": None, "ask": None}),
        ("stale", {"venue": "okx", "time": NOW - timedelta(seconds=BY_VENUE["okx"].behind + 1)}),
    ],
    [
        *TIMELY,
        dict.fromkeys(("bid", "ask", *AMOUNTS)),
        dict.fromkeys(("last", "open_24h", "high_24h", "low_24h")),
        dict.fromkeys(AMOUNTS, 0.0),
        {"high_24h": 80.0},
        {"bid": 100.4999},
        {"venue": "okx", "time": NOW - timedelta(seconds=BY_VENUE["okx"].behind - 1)},
    ],
    [("last_far_from_book", {"last": 120.1}), ("last_far_from_book", {"last": 79.9})],
)


def trade(number: int = 0) -> dict[str, Any]:
    return {
        **MARKET,
        **spread_out(number),
        "trade_id": str(number),
        "price": 100.0,
        "amount": 0.5,
        "side": "buy",
        **PROVENANCE,
    }


TRADES = Cases(
    trade,
    [
        *BAD_NAMES,
        *PAST,
        ("empty_trade_id", {"trade_id": " "}),
        ("price_not_positive", {"price": 0.0}),
        ("price_not_positive", {"price": -1.0}),
        ("amount_not_positive", {"amount": 0.0}),
        ("implausible", {"amount": 2e18}),
        ("unknown_side", {"side": "BUY"}),
        ("not_finite", {"price": NAN}),
        ("missing_value", {"amount": None}),
    ],
    [{"time": datetime(2009, 1, 1, tzinfo=UTC)}, {"side": None}, {"side": "sell", "price": 80.0}],
    [("far_from_median", {"price": 120.1}), ("far_from_median", {"price": 79.9})],
)


def book(number: int = 0) -> dict[str, Any]:
    return {
        **MARKET,
        **spread_out(number),
        "sequence": number,
        "bid_prices": [99.0, 98.0, 97.0],
        "bid_sizes": [1.0, 2.0, 3.0],
        "ask_prices": [101.0, 102.0],
        "ask_sizes": [1.0, 2.0],
        **PROVENANCE,
    }


NO_BIDS: dict[str, list[float]] = {"bid_prices": [], "bid_sizes": []}
NO_ASKS: dict[str, list[float]] = {"ask_prices": [], "ask_sizes": []}
BOOKS = Cases(
    book,
    [
        *BAD_NAMES,
        *TIMES,
        ("empty_book", NO_BIDS | NO_ASKS),
        ("uneven_sides", {"bid_sizes": [1.0, 2.0]}),
        ("uneven_sides", {"ask_sizes": []}),
        ("price_not_positive", {"bid_prices": [99.0, 98.0, 0.0]}),
        ("price_not_positive", {"ask_prices": [-1.0, 102.0]} | NO_BIDS),
        ("size_not_positive", {"bid_sizes": [1.0, 0.0, 3.0]}),
        ("size_not_positive", {"ask_sizes": [1.0, -1.0]}),
        ("implausible", {"ask_prices": [101.0, 2e12]}),
        ("implausible", {"bid_sizes": [2e18, 1.0, 1.0]}),
        ("unsorted", {"bid_prices": [99.0, 97.0, 98.0]}),
        ("unsorted", {"bid_prices": [99.0, 99.0, 98.0]}),
        ("unsorted", {"ask_prices": [102.0, 101.0]}),
        ("crossed", {"bid_prices": [101.0, 98.0, 97.0]}),
        ("crossed", {"ask_prices": [98.5, 102.0]}),
        ("negative_sequence", {"sequence": -1}),
        ("not_finite", {"ask_prices": [101.0, NAN]}),
        ("missing_value", {"bid_prices": None, "bid_sizes": []}),
    ],
    [*TIMELY, NO_BIDS, NO_ASKS, {"sequence": None}],
)


def instrument(number: int = 0) -> dict[str, Any]:
    return {
        **MARKET,
        "native": "XXBTZUSD",
        "kind": "spot",
        "base": "BTC",
        "quote": "USD",
        "status": "trading",
        "tick_size": 0.1,
        "lot_size": 1e-8,
        "min_amount": 0.0001,
        "min_notional": 0.5,
        "contract_size": None,
        "listed_at": datetime(2013, 10, 6, tzinfo=UTC),
        "valid_from": NOW - timedelta(minutes=number),
        "valid_until": None,
        **PROVENANCE,
    }


INSTRUMENTS = Cases(
    instrument,
    [
        (
            "bad_name",
            {"symbol": "BTC_USD", "base": "BTC_USD", "quote": ""} | {"symbol": "BTC_USD-"},
        ),
        ("bad_name", {"venue": "Kraken"}),
        ("empty_native", {"native": ""}),
        ("unknown_kind", {"kind": "future"}),
        ("unknown_status", {"status": "online"}),
        *(("step_not_positive", {n: 0.0}) for n in ("tick_size", "lot_size", "contract_size")),
        *(("negative_minimum", {name: -1.0}) for name in ("min_amount", "min_notional")),
        ("implausible", {"min_amount": 2e18}),
        ("before_2009", {"listed_at": LONG_AGO}),
        ("name_mismatch", {"base": "ETH"}),
        ("name_mismatch", {"base": "USD", "quote": "BTC"}),
        ("kind_mismatch", {"kind": "perpetual"}),
        ("kind_mismatch", {"venue": "kraken_perp"}),
        ("ends_before_it_begins", {"valid_from": NOW, "valid_until": NOW}),
        ("before_2009", {"valid_from": LONG_AGO}),
        ("in_future", {"valid_from": NOW + AHEAD + SLIGHTLY}),
        ("not_finite", {"tick_size": NAN}),
        ("missing_value", {"base": None}),
    ],
    [
        dict.fromkeys(("tick_size", "lot_size", "min_amount", "min_notional", "listed_at")),
        {"valid_from": NOW - 2 * MICRO, "valid_until": NOW - MICRO},
        {"min_amount": 0.0, "min_notional": 0.0, "status": "delisted"},
        {"venue": "okx_perp", "kind": "perpetual", "contract_size": 0.01},
    ],
)


def status(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "kraken",
        **spread_out(number),
        "status": "up",
        "message": "online",
        **PROVENANCE,
    }


STATUS = Cases(
    status,
    [*BAD_NAMES[1:], *TIMES, ("unknown_status", {"status": "online"})],
    [*TIMELY, {"message": None, "status": "degraded"}, {"status": "maintenance"}],
)


def mark(number: int = 0) -> dict[str, Any]:
    return {
        **MARKET,
        "venue": "okx_perp",
        **spread_out(number),
        "mark_price": 100.0,
        "index_price": 100.0,
        **PROVENANCE,
    }


MARKS = Cases(
    mark,
    [
        *BAD_NAMES,
        ("stale", {"time": NOW - timedelta(hours=1) - SLIGHTLY}),
        ("in_future", {"time": NOW + AHEAD + SLIGHTLY}),
        ("price_not_positive", {"mark_price": 0.0}),
        ("price_not_positive", {"index_price": -1.0}),
        ("implausible", {"index_price": 2e12}),
        ("not_finite", {"mark_price": NAN}),
        ("missing_value", {"mark_price": None}),
    ],
    [{"index_price": None}, {"mark_price": 104.9}],
    [("far_from_index", {"mark_price": 105.1}), ("far_from_index", {"mark_price": 94.9})],
)


def funding(number: int = 0) -> dict[str, Any]:
    return {
        **MARKET,
        "venue": "bybit_perp",
        "funding_time": NOW - timedelta(hours=8 * number + 1),
        "rate": 0.0001,
        "hours": 8.0,
        "mark_price": 100.0,
        **PROVENANCE,
    }


FUNDING = Cases(
    funding,
    [
        *BAD_NAMES,
        ("rate_implausible", {"rate": 0.1001}),
        ("rate_implausible", {"rate": -0.1001}),
        ("hours_implausible", {"hours": 0.0}),
        ("hours_implausible", {"hours": 24.0}),
        ("price_not_positive", {"mark_price": 0.0}),
        ("implausible", {"mark_price": 2e12}),
        ("before_2009", {"funding_time": LONG_AGO}),
        ("in_future", {"funding_time": NOW + AHEAD + SLIGHTLY}),
        ("not_finite", {"rate": NAN}),
        ("missing_value", {"rate": None}),
    ],
    [{"hours": None, "mark_price": None}, {"rate": 0.0}, {"rate": -0.01}],
    [("rate_unusual", {"rate": 0.02}), ("rate_unusual", {"rate": -0.0101})],
)


def interest(number: int = 0) -> dict[str, Any]:
    return {
        **MARKET,
        "venue": "bybit_perp",
        "time": NOW - timedelta(minutes=5 * number),
        "amount": 1_000.0,
        "value": 100_000.0,
        **PROVENANCE,
    }


INTEREST = Cases(
    interest,
    [
        *BAD_NAMES,
        *PAST,
        ("implausible", {"value": 2e18}),
        ("negative_amount", {"amount": -0.001}),
        ("negative_amount", {"value": -0.001}),
        ("not_finite", {"amount": NAN}),
        ("missing_value", {"amount": None}),
    ],
    [{"value": None}, {"amount": 0.0, "value": 0.0}],
)

CASES = {
    "tickers": TICKERS,
    "market_trades": TRADES,
    "order_books": BOOKS,
    "instruments": INSTRUMENTS,
    "venue_status": STATUS,
    "mark_prices": MARKS,
    "funding_rates": FUNDING,
    "open_interest": INTEREST,
}


# A warning that needs other venues has a test of its own.
BESIDE: dict[str, list[tuple[str, dict[str, Any]]]] = {"tickers": [("venue_distance", {})]}


@pytest.mark.parametrize("name", CASES)
def test_each_row_meets_the_fate_that_its_one_change_deserves(name: str) -> None:
    cases = CASES[name]
    warned = [*cases.warned, *BESIDE.get(name, [])]
    check(name, cases._replace(warned=warned), judge(name, cases))


def test_a_venue_that_quotes_eight_percent_off_is_flagged() -> None:
    def at(venue: str, last: float) -> dict[str, Any]:
        return ticker() | {"venue": venue, "last": last, "bid": last - 0.1, "ask": last + 0.1}

    sound = [at("kraken", 100.0), at("binance", 100.2), at("coinbase", 99.9)]
    flagged = gate("tickers", frame(TICKERS_, [*sound, at("bybit", 108.0)]), now=NOW)
    assert (flagged.accepted.height, dict(flagged.warnings)) == (4, {"venue_distance": 1})
    past = frame(TICKERS_, sound)
    late = gate("tickers", frame(TICKERS_, [at("bybit", 108.0)]), history=past, now=NOW)
    assert dict(late.warnings) == {"venue_distance": 1}
    near = gate("tickers", frame(TICKERS_, [at("bybit", 104.0)]), history=past, now=NOW)
    assert not near.warnings


@pytest.mark.parametrize("name", [name for name, cases in CASES.items() if cases.warned])
def test_what_is_only_odd_is_accepted_with_a_warning(name: str) -> None:
    check_warnings(name, CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_the_first_row_of_a_market_datasets_key_is_kept(name: str) -> None:
    check_doubles(name, CASES[name])
