"""The suites of the world beyond venues, each with rows that break one rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.datasets import INDICATORS
from expectations.indicators import VALUES
from tests.expectations.judged import Cases, check, check_doubles, check_warnings, judge
from tests.expectations.rows import NOW, PROVENANCE
from tests.expectations.world_cases import (
    AHEAD,
    BAD_VENUE,
    BALANCES,
    HOUR,
    INDICES,
    LISTINGS,
    LONG_AGO,
    METRICS,
    MINUTE,
    NAN,
    POOLS,
    PRICES,
    QUOTES,
    SLIGHTLY,
    TRANSFERS,
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
