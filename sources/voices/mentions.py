"""Which assets a text names: tickers with a mark, names of coins, tickers in capitals."""

from __future__ import annotations

import re

from sources.world.coins import COINGECKO_IDS

# Names that people write out. A name that is also an everyday word (near, link) is none.
NAMES = {
    "avalanche": "AVAX",
    "bitcoin": "BTC",
    "cardano": "ADA",
    "chainlink": "LINK",
    "dogecoin": "DOGE",
    "ethereum": "ETH",
    "litecoin": "LTC",
    "monero": "XMR",
    "polkadot": "DOT",
    "ripple": "XRP",
    "solana": "SOL",
    "uniswap": "UNI",
}
# Tickers that are words when nothing marks them, also in capitals.
_WORDS = frozenset({"APT", "ATOM", "DAI", "DOT", "ICP", "INJ", "LINK", "NEAR", "OP", "SUI", "TON"})

_MARKED = re.compile(r"[$#]([A-Za-z][A-Za-z0-9]{1,9})\b", re.ASCII)
_CAPITALS = re.compile(r"(?<![\w$#@/.])[A-Z]{3,5}(?![\w/.]*\w)", re.ASCII)
_WORD = re.compile(r"[a-z]+", re.ASCII)


def assets_in(text: str) -> list[str]:
    """Return the tickers of the coins that a text names, sorted.

    `$sol` and `#SOL` name Solana, and so do `SOL` and `Solana`; `sol`, `@SOL` and `pol.SOL` do not.
    """
    marked = {found.upper() for found in _MARKED.findall(text)} & set(COINGECKO_IDS)
    capitals = set(_CAPITALS.findall(text)) & (set(COINGECKO_IDS) - _WORDS)
    named = {NAMES[word] for word in _WORD.findall(text.lower()) if word in NAMES}
    return sorted(marked | capitals | named)
