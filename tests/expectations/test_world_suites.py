"""The suites of the world beyond venues, each with rows that break one rule."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.clock import parse_utc
from core.datasets import INDICATORS, dataset_named
from expectations.gate import gate
from expectations.indicators import VALUES
from expectations.moments import USUAL
from tests.expectations.judged import Cases, check, check_doubles, check_warnings, judge
from tests.expectations.rows import NOW, PROVENANCE, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

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


def post(number: int = 0) -> dict[str, Any]:
    return {
        "network": "twitter",
        "post_id": str(number),
        "time": NOW - MINUTE,
        "author": "somebody",
        "place": None,
        "language": "en",
        "text": "to the moon",
        "assets": ["BTC"],
        "likes": 1,
        "replies": 0,
        "shares": 0,
        **PROVENANCE,
    }


VOICES: list[tuple[str, dict[str, Any]]] = [
    ("bad_network", {"network": "Twitter"}),
    ("empty_post_id", {"post_id": ""}),
    ("before_2005", {"time": datetime(2005, 5, 31, tzinfo=UTC)}),
    ("in_future", {"time": NOW + AHEAD + SLIGHTLY}),
    ("missing_value", {"time": None}),
    ("bad_asset", {"assets": ["BTC", "bitcoin"]}),
    ("bad_asset", {"assets": [None]}),
]
POSTS = Cases(
    post,
    [
        *VOICES,
        ("empty_text", {"text": " \n"}),
        ("bad_language", {"language": "English"}),
        *(("negative_count", {name: -1}) for name in ("likes", "replies", "shares")),
        ("missing_value", {"assets": None}),
    ],
    [
        dict.fromkeys(("author", "place", "language", "text", "likes", "replies", "shares")),
        {"assets": [], "language": "zh-Hans", "text": "月"},
        {"time": NOW + AHEAD - SLIGHTLY},
    ],
)


def mood(number: int = 0) -> dict[str, Any]:
    return {
        "network": "reddit",
        "post_id": str(number),
        "model": "vader",
        "time": NOW - MINUTE,
        "assets": ["BTC"],
        "score": 0.5,
        **PROVENANCE,
    }


MOODS = Cases(
    mood,
    [
        *VOICES,
        ("unknown_model", {"model": "guess"}),
        ("out_of_bounds", {"score": 1.001}),
        ("out_of_bounds", {"score": -1.001}),
        ("not_finite", {"score": NAN}),
        ("missing_value", {"score": None}),
    ],
    [{"score": 1.0}, {"score": -1.0}, {"model": "finbert", "assets": []}],
)


def talk(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "lunarcrush",
        "asset": "BTC",
        "time": NOW - number * HOUR,
        "posts": 1_000 + number % 7,
        "authors": 500,
        "interactions": 10_000,
        "sentiment": 0.7,
        "dominance": 0.2,
        "rank": 1,
        **PROVENANCE,
    }


TALK = Cases(
    talk,
    [
        *BAD_VENUE,
        ("bad_asset", {"asset": "bitcoin"}),
        *(("negative_count", {name: -1}) for name in ("posts", "authors", "interactions")),
        *(("out_of_bounds", {name: 1.01}) for name in ("sentiment", "dominance")),
        *(("out_of_bounds", {name: -0.01}) for name in ("sentiment", "dominance")),
        ("bad_rank", {"rank": 0}),
        (
            "says_nothing",
            dict.fromkeys(("posts", "authors", "interactions", "sentiment", "dominance", "rank")),
        ),
        *VOICES[2:5],
        ("not_finite", {"sentiment": NAN}),
    ],
    [
        dict.fromkeys(("authors", "interactions", "sentiment", "dominance", "rank")),
        {"posts": None, "sentiment": 0.0, "dominance": 1.0},
    ],
)


def reading(number: int = 0) -> dict[str, Any]:
    return {
        "venue": "binance",
        "symbol": "BTC-USDT",
        "interval": "5m",
        "open_time": NOW - (number + 1) * 5 * MINUTE,
        **dict.fromkeys(VALUES, 100.0),
        "rsi_14": 55.0,
        "macd": 2.0,
        "macd_signal": 0.5,
        "macd_histogram": 1.5,
        "bollinger_upper": 110.0,
        "bollinger_lower": 90.0,
        "realised_volatility": 0.6,
        "volume_z": -0.5,
        **PROVENANCE,
    }


AVERAGES = [name for name in INDICATORS.columns if name[:4] in {"ema_", "sma_"}]
READINGS = Cases(
    reading,
    [
        *BAD_VENUE,
        ("bad_name", {"symbol": "BTCUSDT"}),
        ("unknown_interval", {"interval": "7m"}),
        ("out_of_bounds", {"rsi_14": 100.1}),
        ("out_of_bounds", {"rsi_14": -0.1}),
        ("histogram_mismatch", {"macd_histogram": 1.6}),
        ("bands_crossed", {"bollinger_upper": 99.0}),
        ("bands_crossed", {"bollinger_lower": 101.0}),
        ("negative_range", {"atr_14": -0.1}),
        *(("average_not_positive", {name: 0.0}) for name in (*AVERAGES, "bollinger_middle")),
        ("negative_volatility", {"realised_volatility": -0.1}),
        ("says_nothing", dict.fromkeys(VALUES)),
        ("off_grid", {"open_time": NOW - HOUR + MINUTE}),
        ("before_2009", {"open_time": LONG_AGO - 4 * MINUTE}),
        ("in_future", {"open_time": NOW + 5 * MINUTE}),
        ("still_forming", {"open_time": NOW}),
        ("not_finite", {"volume_z": NAN}),
        ("missing_value", {"open_time": None}),
    ],
    [
        {name: None for name in VALUES if name != "sma_20"},
        {"rsi_14": 0.0, "atr_14": 0.0, "realised_volatility": 0.0},
        {"bollinger_upper": 100.0, "bollinger_lower": 100.0},
        {"macd": -1e-30, "macd_signal": 0.0, "macd_histogram": 0.0},
    ],
    [("volatility_implausible", {"realised_volatility": 21.0})],
)

CASES = {
    "prices": PRICES,
    "listings": LISTINGS,
    "dex_pairs": POOLS,
    "dex_quotes": QUOTES,
    "wallet_balances": BALANCES,
    "whale_transactions": TRANSFERS,
    "onchain_metrics": METRICS,
    "stock_indices": INDICES,
    "social_posts": POSTS,
    "social_sentiment": MOODS,
    "social_metrics": TALK,
    "indicators": READINGS,
}
# Warnings that need a history, or another venue, have tests of their own.
BESIDE = {
    "prices": {"venue_distance", "volume_spike"},
    "onchain_metrics": {"value_spike"},
    "social_metrics": {"posts_spike"},
}


@pytest.mark.parametrize("name", CASES)
def test_each_row_of_the_world_meets_the_fate_that_its_one_change_deserves(name: str) -> None:
    cases = CASES[name]
    others: list[tuple[str, dict[str, Any]]] = [(code, {}) for code in BESIDE.get(name, ())]
    check(name, cases._replace(warned=[*cases.warned, *others]), judge(name, cases))


@pytest.mark.parametrize("name", [name for name, cases in CASES.items() if cases.warned])
def test_what_is_only_odd_in_the_world_is_accepted_with_a_warning(name: str) -> None:
    check_warnings(name, CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_the_first_row_of_a_world_datasets_key_is_kept(name: str) -> None:
    check_doubles(name, CASES[name])


def quotes(*said: tuple[str, float, int]) -> pl.DataFrame:
    """Return prices of one market: who said how much, so many minutes ago."""
    rows = [price(ago) | {"venue": venue, "price": much} for venue, much, ago in said]
    return frame(dataset_named("prices"), rows)


def warned(batch: pl.DataFrame, history: pl.DataFrame | None = None) -> Mapping[str, int]:
    verdict = gate("prices", batch, history=history, now=NOW)
    assert verdict.passed
    return verdict.warnings


def test_prices_over_five_percent_from_what_others_say_are_flagged() -> None:
    assert warned(quotes(("a", 100.0, 1), ("b", 105.0, 2))) == {}
    # With two, who is right cannot be told; with three it can.
    assert warned(quotes(("a", 100.0, 1), ("b", 105.3, 2))) == {"venue_distance": 2}
    three = quotes(("a", 100.0, 1), ("b", 100.2, 2), ("c", 108.0, 3))
    assert warned(three) == {"venue_distance": 1}
    assert warned(quotes(("a", 100.0, 1), ("b", 200.0, 21))) == {}


def test_prices_are_compared_with_what_others_said_in_earlier_batches() -> None:
    past = quotes(("a", 100.0, 1), ("b", 100.0, 2))
    assert warned(quotes(("c", 108.0, 0)), past) == {}  # another ten minutes: 00:00 is NOW
    assert warned(quotes(("c", 108.0, 3)), past) == {"venue_distance": 1}
    assert warned(quotes(("c", 104.0, 3)), past) == {}


def test_one_who_repeats_itself_speaks_once() -> None:
    past = quotes(*(("a", 100.0, ago) for ago in range(1, 9)), ("b", 90.0, 2), ("d", 90.0, 2))
    assert warned(quotes(("c", 90.0, 3)), past) == {}


def test_a_volume_far_from_those_before_is_flagged() -> None:
    usual = [price(ago) | {"volume_24h": 1_000.0 + ago % 5} for ago in range(1, 60)]
    past = frame(dataset_named("prices"), usual)
    for volume, expected in ((1_010.0, {}), (2_000.0, {"volume_spike": 1})):
        batch = frame(dataset_named("prices"), [price(0) | {"volume_24h": volume}])
        assert warned(batch, past) == expected
    assert warned(frame(dataset_named("prices"), [price(0) | {"volume_24h": 9e9}]), past[:20]) == {}


@pytest.mark.parametrize(
    ("name", "make", "column", "code"),
    [
        ("onchain_metrics", metric, "value", "value_spike"),
        ("social_metrics", talk, "posts", "posts_spike"),
    ],
)
def test_a_value_far_from_those_before_is_flagged(
    name: str, make: Callable[[int], dict[str, Any]], column: str, code: str
) -> None:
    rows = [make(number) for number in range(60)]
    rows[0] |= {column: rows[1][column] * 2}
    assert gate(name, frame(dataset_named(name), rows), now=NOW).warnings == {code: 1}
    rows[0] |= {column: rows[1][column] + 1}
    assert gate(name, frame(dataset_named(name), rows), now=NOW).warnings == {}


def test_an_index_in_another_unit_is_held_back_and_a_crash_is_not() -> None:
    rows = [past_bar(number) for number in range(40)]
    crash = {"open": 5_700.0, "high": 5_800.0, "low": 5_500.0, "close": 5_600.0}
    rows[7] |= crash
    wrong = {name: rows[13][name] / 100 for name in crash}
    rows[13] |= wrong
    verdict = gate("stock_indices", frame(dataset_named("stock_indices"), rows), now=NOW)
    assert verdict.reasons == {"off_level": 1}
    assert verdict.quarantined["close"].to_list() == [wrong["close"]]
    assert verdict.warnings["large_move"] >= 1


def test_a_real_table_that_changes_its_unit_is_refused_and_its_cure_is_not(
    real_data: Path,
) -> None:
    name = "AET-L-1d-100x-error"
    wrong, cured = (yahoo_table(real_data, f"{name}{part}.csv") for part in ("", "-fixed"))
    verdict = gate("stock_indices", wrong, now=NOW)
    assert set(verdict.reasons) == {"off_level"}
    assert verdict.accepted.is_empty()
    assert gate("stock_indices", cured, now=NOW).accepted.height == 23


def yahoo_table(real_data: Path, name: str) -> pl.DataFrame:
    """Return a table that was saved from Yahoo as rows of the dataset."""
    (path,) = (real_data / "wire" / "yahoo").rglob(name)
    table = pl.read_csv(path)
    rows = [
        index_bar()
        | {column.lower(): float(row[column]) for column in ("Open", "High", "Low", "Close")}
        | {"time": parse_utc(row["Date"]), "volume": float(row["Volume"])}
        for row in table.iter_rows(named=True)
    ]
    return frame(dataset_named("stock_indices"), rows)
