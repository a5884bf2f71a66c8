"""Which coin a ticker means: tickers are not unique, so aggregators have names of their own.

The names of CoinGecko, as its list of coins gives them:
https://docs.coingecko.com/v3.0.1/reference/coins-list
"""

from __future__ import annotations

from core.errors import InvalidInput
from core.market import check_symbol

# The coin that a market means by a ticker, for those that many people trade. Others are looked
# up in the list, and are only taken where the list has one coin of that ticker.
COINGECKO_IDS = {
    "AAVE": "aave",
    "ADA": "cardano",
    "ALGO": "algorand",
    "APT": "aptos",
    "ARB": "arbitrum",
    "ATOM": "cosmos",
    "AVAX": "avalanche-2",
    "BCH": "bitcoin-cash",
    "BNB": "binancecoin",
    "BTC": "bitcoin",
    "DAI": "dai",
    "DOGE": "dogecoin",
    "DOT": "polkadot",
    "ETC": "ethereum-classic",
    "ETH": "ethereum",
    "FIL": "filecoin",
    "HBAR": "hedera-hashgraph",
    "ICP": "internet-computer",
    "INJ": "injective-protocol",
    "LINK": "chainlink",
    "LTC": "litecoin",
    "NEAR": "near",
    "OP": "optimism",
    "PEPE": "pepe",
    "SHIB": "shiba-inu",
    "SOL": "solana",
    "SUI": "sui",
    "TON": "the-open-network",
    "TRX": "tron",
    "UNI": "uniswap",
    "USDC": "usd-coin",
    "USDT": "tether",
    "WBTC": "wrapped-bitcoin",
    "XLM": "stellar",
    "XMR": "monero",
    "XRP": "ripple",
}


def symbols_of(subject: str | None) -> list[tuple[str, str]]:
    """Return (base, quote) of each symbol in `BTC-USD` or `BTC-USD,ETH-USD`.

    Raises:
        InvalidInput: there is none, one is no symbol, or their quotes differ.
    """
    texts = [text.strip() for text in (subject or "").split(",") if text.strip()]
    pairs = [tuple(check_symbol(text).split("-")) for text in texts]
    if not pairs or len({quote for _, quote in pairs}) != 1:
        raise InvalidInput(
            f"expected symbols of one quote such as BTC-USD,ETH-USD, was {subject!r}"
        )
    return [(base, quote) for base, quote in pairs]
