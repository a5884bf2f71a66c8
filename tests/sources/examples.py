"""A sound answer to each question of the providers beyond venues, as their documentation has it.

What has no recording is written from the documentation that the provider's file names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from sources.provider import Wanted, feed_of
from sources.voices.lunarcrush import LunarCrush
from sources.voices.reddit import Reddit
from sources.voices.twitter import Twitter
from sources.world.coingecko import CoinGecko
from sources.world.coinmarketcap import CoinMarketCap
from sources.world.cryptocompare import CryptoCompare
from sources.world.dexscreener import DexScreener
from sources.world.glassnode import Glassnode
from sources.world.jupiter import Jupiter
from sources.world.moralis import Moralis
from sources.world.solana import Helius
from sources.world.stooq import Stooq
from sources.world.yahoo import Yahoo

if TYPE_CHECKING:
    import httpx

    from sources.provider import Feed, Page, Provider

NOW = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
DAY = datetime(2026, 5, 31, tzinfo=UTC)
KEY = SecretStr("canary:canary")
WALLET = "updtkJ8HAhh3rSkBCd3p9Z1Q74yJW4rMhSbScRskDPM"
SIGNATURE = "5gJFZweW8EsTQCNWH2EyjJA3vm2VcT91vQtrNAcx7YXeq4zHmqXzSqxxnhb9GxiLvecWJJZv8xxW6opHSnJME6"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
SOL = "So11111111111111111111111111111111111111112"
SECONDS = int(NOW.timestamp()) - 30
MIDNIGHT = SECONDS // 86_400 * 86_400

PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        CoinGecko(api_key=KEY),
        CoinMarketCap(api_key=KEY),
        CryptoCompare(api_key=KEY),
        DexScreener(),
        Jupiter(api_key=KEY),
        Helius(api_key=KEY),
        Moralis(api_key=KEY),
        Glassnode(api_key=KEY),
        Yahoo(),
        Stooq(api_key=KEY),
        Twitter(api_key=KEY),
        Reddit(api_key=KEY),
        LunarCrush(api_key=KEY),
    )
}


@dataclass(frozen=True)
class Example:
    """An answer, whom it is from, what was asked, and the answers that came before it."""

    name: str
    provider: str
    dataset: str
    body: bytes
    rows: int
    wanted: dict[str, Any] = field(default_factory=dict)
    before: tuple[bytes, ...] = ()

    @property
    def question(self) -> Wanted:
        return Wanted(now=NOW, **self.wanted)

    @property
    def feed(self) -> Feed:
        return feed_of(PROVIDERS[self.provider], self.dataset)

    def request(self) -> httpx.Request:
        """Return the request that the body answers."""
        request = self.feed.request(self.question)
        for body in self.before:
            following = self.feed.read(body, self.question, request).following
            assert following is not None
            request = following
        return request

    def read(self, body: bytes | None = None) -> Page:
        """Read the answer, or another in its place."""
        return self.feed.read(self.body if body is None else body, self.question, self.request())


def packed(answer: Any) -> bytes:
    return json.dumps(answer).encode()


COIN = {
    "id": "bitcoin",
    "symbol": "btc",
    "name": "Bitcoin",
    "current_price": 67_000.5,
    "market_cap": 1_320_000_000_000,
    "market_cap_rank": 1,
    "total_volume": 25_000_000_000,
    "circulating_supply": 19_700_000.0,
    "total_supply": 21_000_000.0,
    "max_supply": 21_000_000.0,
    "last_updated": "2026-06-01T12:00:01.123Z",
    "price_change_percentage_24h": -1.5,
    "price_change_percentage_1h_in_currency": 0.25,
    "price_change_percentage_7d_in_currency": 4.0,
}
MARKET_DATA = {
    "current_price": {"usd": 67_000.5, "eur": 61_000.0},
    "market_cap": {"usd": 1_320_000_000_000},
    "total_volume": {"usd": 25_000_000_000},
}
PAIR = {
    "chainId": "solana",
    "dexId": "raydium",
    "pairAddress": "FVZqEg9dYKqRXUmswwtBRPSaneoV6guujtCvLrDyt6qi",
    "baseToken": {"address": SOL, "name": "Wrapped SOL", "symbol": "SOL"},
    "quoteToken": {"address": USDC, "name": "USD Coin", "symbol": "USDC"},
    "priceNative": "171.2500",
    "priceUsd": "171.25",
    "txns": {"h24": {"buys": 1_200, "sells": 1_100}},
    "volume": {"h24": 3_500_000.5},
    "liquidity": {"usd": 9_000_000.25, "base": 26_000, "quote": 4_500_000},
    "fdv": 100_000_000,
    "marketCap": 90_000_000,
    "pairCreatedAt": 1_700_000_000_000,
}
QUOTE = {
    "inputMint": SOL,
    "inAmount": "10000000000",
    "outputMint": USDC,
    "outAmount": "1712500000",
    "swapMode": "ExactIn",
    "slippageBps": 50,
    "priceImpactPct": "0.0012",
    "routePlan": [{"swapInfo": {"label": "Whirlpool"}, "percent": 100}],
    "contextSlot": 440_657_285,
}
TOKEN_ACCOUNT = {
    "pubkey": "28YTZEwqtMHWrhWcvv34se7pjS7wctgqzCPB3gReCFKp",
    "account": {
        "data": {
            "parsed": {
                "info": {
                    "isNative": False,
                    "mint": USDC,
                    "owner": WALLET,
                    "state": "initialized",
                    "tokenAmount": {
                        "amount": "1234567",
                        "decimals": 6,
                        "uiAmount": 1.234567,
                        "uiAmountString": "1.234567",
                    },
                },
                "type": "account",
            },
            "program": "spl-token",
            "space": 165,
        },
        "lamports": 2_039_280,
    },
}
LARGE = {
    "address": "0xdAC17F958D2ee523a2206206994597C13D831ec7",
    "transaction_hash": "0x" + "2d" * 32,
    "log_index": 7,
    "block_number": "25365606",
    "block_timestamp": "2026-05-31T10:07:54.000Z",
    "from_address": "0x28C6c06298d514Db089934071355E5743bf21d60",
    "to_address": "0xd4a3BebD824189481FC45363602b83C9c7e9cbDf",
    "value": "2500000000000",
    "value_decimal": "2500000",
}
TETHER = {
    "tokenName": "Tether USD",
    "tokenSymbol": "USDT",
    "tokenDecimals": "6",
    "tokenAddress": "0xdac17f958d2ee523a2206206994597c13d831ec7",
    "usdPrice": 0.9998,
}
CHART = {
    "chart": {
        "result": [
            {
                "meta": {
                    "currency": "USD",
                    "symbol": "^GSPC",
                    "dataGranularity": "1d",
                    "currentTradingPeriod": {
                        "regular": {"start": SECONDS + 5_400, "end": SECONDS + 28_800}
                    },
                },
                "timestamp": [SECONDS - 4 * 86_400 + 5_400, SECONDS - 3 * 86_400 + 5_400],
                "indicators": {
                    "quote": [
                        {
                            "open": [7_000.5, 7_010.0],
                            "high": [7_020.0, 7_015.5],
                            "low": [6_990.0, 6_980.25],
                            "close": [7_010.25, 7_000.0],
                            "volume": [3_000_000_000, 2_900_000_000],
                        }
                    ]
                },
            }
        ],
        "error": None,
    }
}
TWEET = {
    "id": "1996700000000000000",
    "text": "$BTC to the moon, says bitcoin",
    "author_id": "12",
    "lang": "en",
    "created_at": "2026-05-31T23:59:59.000Z",
    "public_metrics": {
        "retweet_count": 3,
        "reply_count": 2,
        "like_count": 11,
        "quote_count": 1,
        "impression_count": 999,
    },
}
SUBMISSION = {
    "name": "t3_48fbm9",
    "subreddit": "Bitcoin",
    "created_utc": float(SECONDS - 60),
    "ups": 5,
    "author": "somebody",
    "title": "Is bitcoin dead?",
    "selftext": "Again.",
    "num_comments": 4,
}
TOKEN = packed({"access_token": "abc", "token_type": "bearer", "expires_in": 3_600, "scope": "*"})


def rpc(result: Any) -> bytes:
    return packed({"jsonrpc": "2.0", "result": result, "id": 1})


ACCOUNTS = rpc(
    {"context": {"slot": 406_145_854}, "value": [{"lamports": 3_063_908_962, "owner": "1" * 32}]}
)
SIGNATURES = rpc(
    [
        {"signature": SIGNATURE, "slot": 5, "blockTime": SECONDS - 100, "err": None},
        {"signature": "old" + SIGNATURE[3:], "slot": 4, "blockTime": 1_700_000_000, "err": None},
    ]
)
TRANSACTION = {
    "slot": 5,
    "blockTime": SECONDS - 100,
    "meta": {
        "postBalances": [3_142_494, 2_039_280],
        "postTokenBalances": [
            {
                "accountIndex": 1,
                "mint": USDC,
                "owner": WALLET,
                "uiTokenAmount": {"amount": "131188703", "decimals": 6, "uiAmount": 131.188703},
            }
        ],
        "loadedAddresses": {"readonly": [], "writable": []},
    },
    "transaction": {"message": {"accountKeys": [WALLET, TOKEN_ACCOUNT["pubkey"]]}},
}
PRICES_NOW = {
    "bitcoin": {
        "usd": 67_000.5,
        "usd_market_cap": 1.32e12,
        "usd_24h_vol": 2.5e10,
        "last_updated_at": SECONDS,
    }
}
SERIES = {
    "prices": [[SECONDS * 1_000 - 600_000, 66_990.5], [SECONDS * 1_000 - 300_000, 67_000.5]],
    "market_caps": [[SECONDS * 1_000 - 600_000, 1.3e12], [SECONDS * 1_000 - 300_000, None]],
    "total_volumes": [[SECONDS * 1_000 - 600_000, 2e10], [SECONDS * 1_000 - 300_000, 2e10]],
}
TICKER = {
    "base": "BTC",
    "target": "USDT",
    "market": {"name": "Kraken", "identifier": "kraken", "has_trading_incentive": False},
    "last": 67_000.5,
    "volume": 118.05,
    "timestamp": "2026-06-01T11:59:55+00:00",
    "is_anomaly": False,
    "is_stale": False,
}
CMC = {
    "status": {"timestamp": "2026-06-01T12:00:00.506Z", "error_code": 0, "error_message": None},
    "data": [
        {
            "id": 1,
            "name": "Bitcoin",
            "symbol": "BTC",
            "slug": "bitcoin",
            "cmc_rank": 1,
            "circulating_supply": 19_700_000,
            "total_supply": 19_700_000,
            "max_supply": 21_000_000,
            "date_added": "2013-04-28T00:00:00.000Z",
            "quote": {
                "USD": {
                    "price": 67_000.5,
                    "volume_24h": 2.5e10,
                    "percent_change_1h": 0.26,
                    "percent_change_24h": 1.07,
                    "percent_change_7d": -0.38,
                    "market_cap": 1.32e12,
                    "last_updated": "2026-06-01T11:59:26.000Z",
                }
            },
        }
    ],
}
STOOQ = (
    b"Date,Open,High,Low,Close,Volume\r\n2026-05-28,7000,7020,6990.5,7010,3000\r\n"
    b"2026-05-29,7010,7015,6980,7000.25,2900\r\n"
)
HOUR = {
    "time": SECONDS - 7_200,
    "contributors_active": 22_916,
    "interactions": 3_979_171,
    "posts_active": 46_549,
    "sentiment": 77,
    "social_dominance": 25.1594,
    "alt_rank": 35,
    "close": 107_427,
}

EXAMPLES = [
    Example("prices now", "coingecko", "prices", packed(PRICES_NOW), 1, {"subject": "BTC-USD"}),
    Example(
        "prices before",
        "coingecko",
        "prices",
        packed(SERIES),
        2,
        {"subject": "BTC-USD", "start": DAY},
    ),
    Example(
        "the list of coins",
        "coingecko",
        "prices",
        packed([{"id": "worldcoin-wld", "symbol": "wld", "name": "Worldcoin"}]),
        0,
        {"subject": "WLD-USD"},
    ),
    Example("the largest coins", "coingecko", "listings", packed([COIN]), 1),
    Example(
        "a coin",
        "coingecko",
        "listings",
        packed({"id": "bitcoin", "symbol": "btc", "name": "Bitcoin", "market_data": MARKET_DATA}),
        1,
        {"subject": "BTC"},
    ),
    Example(
        "a coin's day",
        "coingecko",
        "listings",
        packed({"id": "bitcoin", "symbol": "btc", "name": "Bitcoin", "market_data": MARKET_DATA}),
        1,
        {"subject": "BTC", "start": DAY, "end": NOW},
    ),
    Example(
        "tickers of a coin",
        "coingecko",
        "tickers",
        packed({"name": "Bitcoin", "tickers": [TICKER]}),
        1,
        {"subject": "BTC"},
    ),
    Example("the largest coins", "coinmarketcap", "listings", packed(CMC), 1),
    Example(
        "one price",
        "cryptocompare",
        "prices",
        packed({"USD": 67_000.5}),
        1,
        {"subject": "BTC-USD"},
    ),
    Example(
        "several prices",
        "cryptocompare",
        "prices",
        packed({"BTC": {"USD": 67_000.5}, "ETH": {"USD": 3_500}}),
        2,
        {"subject": "BTC-USD,ETH-USD"},
    ),
    Example(
        "pools of a token",
        "dexscreener",
        "dex_pairs",
        packed([PAIR]),
        1,
        {"subject": f"solana/{SOL}"},
    ),
    Example(
        "pools found",
        "dexscreener",
        "dex_pairs",
        packed({"schemaVersion": "1.0.0", "pairs": [PAIR]}),
        1,
        {"subject": "SOL/USDC"},
    ),
    Example("prices of tokens", "dexscreener", "prices", packed([PAIR]), 1, {"subject": "SOL-USD"}),
    Example("a quote", "jupiter", "dex_quotes", packed(QUOTE), 1, {"subject": "10 SOL-USDC"}),
    Example(
        "prices of tokens",
        "jupiter",
        "prices",
        packed({SOL: {"usdPrice": 171.25, "blockId": 348_004_023, "decimals": 9}}),
        1,
        {"subject": "SOL-USD"},
    ),
    Example("accounts", "helius", "wallet_balances", ACCOUNTS, 1, {"subject": WALLET}),
    Example(
        "token accounts",
        "helius",
        "wallet_balances",
        rpc({"context": {"slot": 406_145_855}, "value": [TOKEN_ACCOUNT]}),
        1,
        {"subject": WALLET},
        (ACCOUNTS,),
    ),
    Example(
        "signatures",
        "helius",
        "wallet_balances",
        SIGNATURES,
        0,
        {"subject": WALLET, "start": DAY},
    ),
    Example(
        "a transaction",
        "helius",
        "wallet_balances",
        rpc(TRANSACTION),
        2,
        {"subject": WALLET, "start": DAY},
        (SIGNATURES,),
    ),
    Example("a price", "moralis", "prices", packed(TETHER), 1, {"subject": "USDT-USD"}),
    Example(
        "transfers",
        "moralis",
        "whale_transactions",
        packed({"cursor": None, "page_size": 100, "result": [LARGE, LARGE | {"value": "1"}]}),
        1,
        {"subject": "USDT", "start": DAY},
        (packed(TETHER),),
    ),
    Example(
        "a metric",
        "glassnode",
        "onchain_metrics",
        packed([{"t": MIDNIGHT - 86_400, "v": 912_345}, {"t": MIDNIGHT, "v": 1.5}]),
        1,
        {"subject": "BTC addresses/active_count"},
    ),
    Example(
        "a metric of several numbers",
        "glassnode",
        "onchain_metrics",
        packed([{"t": SECONDS - 86_400, "o": {"high": 2.5, "low": 1.5}}]),
        2,
        {"subject": "BTC market/price_usd_ohlc", "interval": "1h"},
    ),
    Example("an index", "yahoo", "stock_indices", packed(CHART), 2, {"subject": "SP500"}),
    Example("an index", "stooq", "stock_indices", STOOQ, 2, {"subject": "SP500"}),
    Example(
        "posts",
        "twitter",
        "social_posts",
        packed(
            {
                "data": [TWEET],
                "includes": {"users": [{"id": "12", "username": "satoshi", "name": "S"}]},
                "meta": {"result_count": 1, "newest_id": "1", "oldest_id": "1"},
            }
        ),
        1,
        {"subject": "$BTC"},
    ),
    Example(
        "counts",
        "twitter",
        "social_metrics",
        packed(
            {
                "data": [
                    {
                        "start": "2026-05-31T20:00:00.000Z",
                        "end": "2026-05-31T21:00:00.000Z",
                        "tweet_count": 14,
                    },
                    {
                        "start": "2026-05-31T21:00:00.000Z",
                        "end": "2026-05-31T21:18:24.000Z",
                        "tweet_count": 2,
                    },
                ],
                "meta": {"total_tweet_count": 16},
            }
        ),
        1,
        {"subject": "BTC"},
    ),
    Example("a token", "reddit", "social_posts", TOKEN, 0, {"subject": "Bitcoin"}),
    Example(
        "posts",
        "reddit",
        "social_posts",
        packed(
            {
                "kind": "Listing",
                "data": {"after": None, "children": [{"kind": "t3", "data": SUBMISSION}]},
            }
        ),
        1,
        {"subject": "Bitcoin"},
        (TOKEN,),
    ),
    Example(
        "hours",
        "lunarcrush",
        "social_metrics",
        packed({"config": {"topic": "$btc"}, "data": [HOUR, HOUR | {"time": SECONDS}]}),
        1,
        {"subject": "BTC"},
    ),
    Example(
        "posts",
        "lunarcrush",
        "social_posts",
        packed(
            {
                "data": [
                    {
                        "id": "1996700000000000000",
                        "post_type": "tweet",
                        "post_title": "Something about $ETH",
                        "post_created": SECONDS - 600,
                        "creator_name": "somebody",
                        "interactions_total": 120,
                    }
                ]
            }
        ),
        1,
        {"subject": "BTC"},
    ),
]
IDS = [f"{example.provider}-{example.name}".replace(" ", "-") for example in EXAMPLES]
