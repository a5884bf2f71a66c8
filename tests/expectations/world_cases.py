"""Rows of what is quoted beyond venues: sound ones, and what to change to break one rule."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from expectations.moments import USUAL
from tests.expectations.judged import Cases
from tests.expectations.rows import NOW, PROVENANCE

NAN, INF = math.nan, math.inf
LONG_AGO = datetime(2008, 12, 31, 23, 59, tzinfo=UTC)
SLIGHTLY = timedelta(milliseconds=1)
AHEAD, BEHIND = timedelta(seconds=USUAL.ahead), timedelta(seconds=USUAL.behind)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

SOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
PAST: list[tuple[str, dict[str, Any]]] = [
    ("before_2009", {"time": LONG_AGO}),
    ("in_future", {"time": NOW + AHEAD + SLIGHTLY}),
    ("missing_value", {"time": None}),
]
TIMES: list[tuple[str, dict[str, Any]]] = [
    ("stale", {"time": NOW - BEHIND - SLIGHTLY}),
    *PAST[1:],
]
BAD_VENUE: list[tuple[str, dict[str, Any]]] = [("bad_name", {"venue": "../x"})]


def price(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "coingecko",
        "symbol": "BTC-USD",
        "time": NOW - number * MINUTE,
        "price": 100.0,
        "volume_24h": 1_000.0,
        "market_cap": 1e6,
        **PROVENANCE,
    }


PRICES = Cases(
    price,
    [
        *BAD_VENUE,
        ("bad_name", {"symbol": "bitcoin"}),
        *PAST,
        ("price_not_positive", {"price": 0.0}),
        ("price_not_positive", {"price": -1.0}),
        ("negative_volume", {"volume_24h": -0.1}),
        ("negative_market_cap", {"market_cap": -0.1}),
        ("not_finite", {"price": NAN}),
        ("implausible", {"price": 1.1e12}),
        ("missing_value", {"price": None}),
    ],
    [
        {"volume_24h": None, "market_cap": None},
        {"volume_24h": 0.0, "market_cap": 0.0},
        {"symbol": "ETH-USD", "price": 1e-12, "time": NOW},
        {"time": NOW + AHEAD - SLIGHTLY},
        {"venue": "jupiter", "price": 104.9, "time": NOW - 7_000 * MINUTE},
    ],
    [
        ("price_move", {"price": 121.0, "time": NOW + SLIGHTLY}),
        ("stale", {"symbol": "ETH-USD", "time": NOW - HOUR - MINUTE}),
    ],
)


def listing(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "coinmarketcap",
        "asset_id": str(number),
        "asset": "BTC",
        "name": "Bitcoin",
        "time": NOW - MINUTE,
        "rank": number + 1,
        "price": 100.0,
        "market_cap": 1e6,
        "volume_24h": 1_000.0,
        "circulating_supply": 1e4,
        "total_supply": 1e4,
        "max_supply": 2.1e4,
        "change_1h": 0.01,
        "change_24h": -0.02,
        "change_7d": 0.5,
        "listed_at": datetime(2013, 4, 28, tzinfo=UTC),
        **PROVENANCE,
    }


LISTINGS = Cases(
    listing,
    [
        *BAD_VENUE,
        *PAST,
        *(("empty_name", {name: " "}) for name in ("asset_id", "asset", "name")),
        ("bad_rank", {"rank": 0}),
        ("price_not_positive", {"price": 0.0}),
        ("negative_market_cap", {"market_cap": -1.0}),
        ("negative_volume", {"volume_24h": -1.0}),
        *(
            ("negative_supply", {name: -1.0})
            for name in ("circulating_supply", "total_supply", "max_supply")
        ),
        *(("lost_more_than_all", {f"change_{span}": -1.001}) for span in ("1h", "24h", "7d")),
        ("listed_in_future", {"listed_at": NOW + MINUTE}),
        ("implausible", {"volume_24h": 1.1e18}),
        ("implausible", {"change_7d": 1.1e9}),
        ("not_finite", {"price": NAN}),
    ],
    [
        dict.fromkeys(("rank", "price", "market_cap", "volume_24h", "listed_at")),
        dict.fromkeys(("circulating_supply", "total_supply", "max_supply")),
        dict.fromkeys(("change_1h", "change_24h", "change_7d")),
        {"change_24h": -1.0, "max_supply": 0.0},
        {"market_cap": 0.0, "volume_24h": 0.0},
        {"market_cap": 1.04e6},
    ],
    [
        ("supply_exceeds_most", {"max_supply": 9_999.0}),
        ("market_cap_mismatch", {"market_cap": 1.1e6}),
        ("stale", {"time": NOW - 2 * HOUR}),
    ],
)


def pool(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "dexscreener",
        "chain": "ethereum",
        "dex": "uniswap",
        "pair_address": f"0x{number:040x}",
        "base_address": f"0x{'ab' * 20}",
        "base": "TOKEN",
        "quote_address": f"0x{'cd' * 20}",
        "quote": "WETH",
        "time": NOW,
        "price": 0.05,
        "price_usd": 100.0,
        "liquidity_usd": 1e6,
        "volume_24h_usd": 1e5,
        "buys_24h": 10,
        "sells_24h": 9,
        "fully_diluted_usd": 1e9,
        "created_at": NOW - DAY,
        **PROVENANCE,
    }


POOLS = Cases(
    pool,
    [
        *BAD_VENUE,
        *TIMES,
        ("bad_chain", {"chain": "Ether eum"}),
        ("bad_address", {"pair_address": "0x12"}),
        ("bad_address", {"base_address": SOL}),
        ("bad_address", {"quote_address": f"0x{'zz' * 20}"}),
        ("empty_name", {"dex": ""}),
        ("same_token", {"quote_address": f"0x{'ab' * 20}"}),
        ("price_not_positive", {"price": 0.0}),
        ("price_not_positive", {"price_usd": -1.0}),
        ("negative_liquidity", {"liquidity_usd": -1.0}),
        ("negative_volume", {"volume_24h_usd": -1.0}),
        ("negative_trades", {"buys_24h": -1}),
        ("negative_trades", {"sells_24h": -1}),
        ("negative_market_cap", {"fully_diluted_usd": -1.0}),
        ("made_in_future", {"created_at": NOW + MINUTE}),
        ("implausible", {"fully_diluted_usd": 1.1e18}),
        ("not_finite", {"price": NAN}),
        ("missing_value", {"price": None}),
    ],
    [
        dict.fromkeys(("base", "quote", "price_usd", "liquidity_usd", "volume_24h_usd")),
        dict.fromkeys(("buys_24h", "sells_24h", "fully_diluted_usd", "created_at")),
        {
            "chain": "solana",
            "pair_address": "FVZqEg9dYKqRXUmswwtBRPSaneoV6guujtCvLrDyt6qi",
            "base_address": SOL,
            "quote_address": USDC,
        },
        {"pair_address": f"0x{'0f' * 32}", "price_usd": 104.9},
        {"chain": "ton", "pair_address": "EQA-X_yo3fzzbDbJ_0bzFWKqtRuZFIRa1sJsveZJ1YpViO3r"},
    ],
    [
        ("thin", {"liquidity_usd": 999.0, "volume_24h_usd": 1.0}),
        ("churned", {"volume_24h_usd": 1.1e8}),
        ("pool_distance", {"price_usd": 106.0}),
    ],
)


def quote(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "jupiter",
        "chain": "solana",
        "input": SOL,
        "output": USDC,
        "time": NOW,
        "input_amount": str(1_000_000_000 + number),
        "output_amount": "171250000",
        "price": 171.25,
        "price_impact": 0.001,
        "route": ["Whirlpool"],
        "slot": 1,
        **PROVENANCE,
    }


QUOTES = Cases(
    quote,
    [
        *BAD_VENUE,
        *TIMES,
        ("bad_chain", {"chain": "S"}),
        ("bad_address", {"input": "SOL"}),
        ("bad_address", {"output": f"0x{'ab' * 20}"}),
        ("same_token", {"output": SOL}),
        *(
            ("bad_amount", {name: text})
            for name in ("input_amount", "output_amount")
            for text in ("0", "-1", "1.5", "", "１")
        ),
        ("price_not_positive", {"price": 0.0}),
        ("impact_out_of_bounds", {"price_impact": 1.1}),
        ("impact_out_of_bounds", {"price_impact": -1.1}),
        ("empty_route", {"route": []}),
        ("negative_slot", {"slot": -1}),
        ("not_finite", {"price": NAN}),
        ("implausible", {"price": 1.1e18}),
        ("missing_value", {"price_impact": None}),
    ],
    [{"price": None, "slot": None}, {"price_impact": -0.01}, {"output_amount": "9" * 40}],
    [("high_impact", {"price_impact": 0.06})],
)


def balance(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "helius",
        "chain": "solana",
        "address": USDC,
        "account": USDC,
        "token": "native",
        "time": NOW - number * MINUTE,
        "raw_amount": "3063908962",
        "decimals": 9,
        "amount": 3.063908962,
        "slot": 1,
        **PROVENANCE,
    }


BALANCES = Cases(
    balance,
    [
        *BAD_VENUE,
        *PAST,
        ("bad_chain", {"chain": ""}),
        *(("bad_address", {name: "0x12"}) for name in ("address", "account", "token")),
        ("bad_amount", {"raw_amount": "3.5"}),
        ("bad_amount", {"raw_amount": "-1"}),
        ("bad_decimals", {"decimals": -1}),
        ("bad_decimals", {"decimals": 37}),
        ("negative_amount", {"amount": -1.0}),
        ("amount_mismatch", {"amount": 3.0639090}),
        ("amount_mismatch", {"amount": 0.0}),
        ("negative_slot", {"slot": -1}),
        ("not_finite", {"amount": INF, "raw_amount": "0", "decimals": 0} | {"amount": NAN}),
        ("missing_value", {"amount": None}),
    ],
    [
        {"slot": None, "token": SOL},
        {"raw_amount": "0", "amount": 0.0},
        {
            "raw_amount": "123456789012345678901234567890",
            "decimals": 18,
            "amount": 123456789012.34567,
        },
    ],
)


def transfer(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "moralis",
        "chain": "ethereum",
        "transaction_hash": f"0x{number:064x}",
        "log_index": number,
        "time": NOW - MINUTE,
        "block": 1_000,
        "token": f"0x{'da' * 20}",
        "asset": "USDT",
        "amount": 2e6,
        "value_usd": 2e6,
        "threshold_usd": 1e6,
        "sender": f"0x{'aa' * 20}",
        "receiver": f"0x{'bb' * 20}",
        "sender_label": "binance",
        "receiver_label": None,
        "direction": "from_exchange",
        **PROVENANCE,
    }


NOBODY = {"sender_label": None, "receiver_label": None}
TRANSFERS = Cases(
    transfer,
    [
        *BAD_VENUE,
        *PAST,
        ("bad_chain", {"chain": ""}),
        *(("bad_address", {name: "0x12"}) for name in ("sender", "receiver", "token")),
        ("bad_hash", {"transaction_hash": "0x12"}),
        ("bad_hash", {"transaction_hash": "2d" * 33}),
        ("negative_index", {"log_index": -1}),
        ("negative_block", {"block": -1}),
        ("empty_name", {"asset": ""}),
        ("amount_not_positive", {"amount": 0.0}),
        ("threshold_not_positive", {"threshold_usd": 0.0}),
        ("below_threshold", {"value_usd": 999_999.0}),
        ("unknown_direction", {"direction": "sideways"}),
        ("direction_mismatch", {"direction": "to_exchange"}),
        ("direction_mismatch", NOBODY),
        ("not_finite", {"amount": NAN}),
        ("implausible", {"amount": 1.1e18}),
        ("missing_value", {"value_usd": None}),
    ],
    [
        {**NOBODY, "direction": "transfer"},
        {"receiver_label": "okx", "direction": "between_exchanges"},
        {"sender_label": None, "receiver_label": "okx", "direction": "to_exchange"},
        {"value_usd": 1e6, "token": "native"},
        {
            "chain": "solana",
            "transaction_hash": "5" * 87,
            **dict.fromkeys(("sender", "token"), SOL),
            "receiver": USDC,
        },
    ],
    [
        ("implausible_value", {"value_usd": 1.1e10}),
        ("to_itself", {"receiver": f"0x{'aa' * 20}"}),
    ],
)


def metric(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "glassnode",
        "asset": "BTC",
        "metric": "addresses/active_count",
        "resolution": "1h",
        "time": NOW - (number + 1) * HOUR,
        "value": 900_000.0 + number % 7,
        **PROVENANCE,
    }


METRICS = Cases(
    metric,
    [
        *BAD_VENUE,
        ("before_2009", {"time": LONG_AGO.replace(minute=0)}),
        ("in_future", {"time": NOW + HOUR}),
        ("missing_value", {"time": None}),
        ("bad_asset", {"asset": "btc"}),
        ("bad_metric", {"metric": "Active addresses"}),
        ("unknown_resolution", {"resolution": "2h"}),
        ("off_grid", {"time": NOW - DAY + MINUTE}),
        ("still_forming", {"time": NOW}),
        ("not_finite", {"value": NAN}),
        ("implausible", {"value": 1.1e24}),
        ("missing_value", {"value": None}),
    ],
    [
        {"resolution": "1d", "time": NOW - DAY, "value": 900_001.0},
        {"metric": "market/price_usd_ohlc.o", "value": -1.0},
        {"resolution": "1w", "time": NOW - 9 * DAY},
    ],
)


def index_bar(number: int = 0) -> dict[str, Any]:
    week, day = divmod(number, 5)
    return {
        "venue": "yahoo",
        "index": "SP500",
        "interval": "1d",
        "time": datetime(2026, 6, 8, 13, 30, tzinfo=UTC) - timedelta(days=7 * week - day),
        "open": 7_000.0,
        "high": 7_050.0,
        "low": 6_950.0,
        "close": 7_010.0,
        "volume": 3e9,
        **PROVENANCE,
    }


def past_bar(number: int) -> dict[str, Any]:
    return index_bar(number + 5)


INDICES = Cases(
    past_bar,
    [
        *BAD_VENUE,
        ("bad_index", {"index": "^GSPC"}),
        ("unknown_interval", {"interval": "1w"}),
        *(
            ("price_not_positive", {"open": 0.0, "high": 1.0, "low": -1.0, "close": 0.5} | change)
            for change in ({"low": 0.0, "open": 0.5}, {"low": -1.0, "open": 0.5})
        ),
        ("ohlc_inconsistent", {"high": 7_005.0}),
        ("ohlc_inconsistent", {"low": 7_001.0}),
        ("negative_volume", {"volume": -1.0}),
        ("before_1789", {"time": datetime(1700, 1, 4, tzinfo=UTC)}),
        ("epoch_zero", {"time": datetime(1970, 1, 1, tzinfo=UTC)}),
        ("in_future", {"time": NOW + AHEAD + SLIGHTLY}),
        ("not_finite", {"close": NAN}),
        ("implausible", {"volume": 1.1e18}),
        ("missing_value", {"close": None}),
    ],
    [
        {"volume": None},
        {"volume": 0.0, "interval": "15m"},
        {"index": "VIX", "open": 15.0, "high": 17.0, "low": 14.0, "close": 16.0},
        {"index": "DOW", "time": datetime(1896, 5, 26, tzinfo=UTC)},
    ],
    [
        (
            "large_move",
            {"high": 8_400.0, "close": 8_400.0, "time": datetime(2026, 6, 9, tzinfo=UTC)},
        ),
        ("weekend", {"time": datetime(2026, 5, 30, 13, 30, tzinfo=UTC)}),
    ],
)
