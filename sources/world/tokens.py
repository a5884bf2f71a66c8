"""Which token a ticker means on a chain: address and decimals of those that are traded most.

Tickers are whatever a token's maker wrote, so only the address says which token is meant. The
list is ours; each address is the one that the project itself publishes. A wrapped coin keeps its
own ticker (WBTC is not BTC).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from core import chains
from core.errors import InvalidInput

SOLANA_ADDRESS = re.compile(chains.SOLANA_ADDRESS, re.ASCII)
EVM_ADDRESS = re.compile(chains.EVM_ADDRESS, re.ASCII)


class Token(NamedTuple):
    """A token of a chain; `decimals` is None where nobody told."""

    address: str
    decimals: int | None


SOLANA = {
    "SOL": Token("So11111111111111111111111111111111111111112", 9),
    "USDC": Token("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6),
    "USDT": Token("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6),
    "WBTC": Token("3NZ9JMVBmGAqocybic2c7LQCJScmgsAZ6vQqTDzcqmJh", 8),
    "WETH": Token("7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs", 8),
    "JUP": Token("JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN", 6),
    "BONK": Token("DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5),
    "WIF": Token("EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm", 6),
    "RAY": Token("4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R", 6),
    "PYTH": Token("HZ1JovNiVvGrGNiiYvEozEVgZ58xaU3RKwX8eACQBCt3", 6),
    "JTO": Token("jtojtomepa8beP8AuQc6eXt5FriJwfFMwQx2v2f9mCL", 9),
    "MSOL": Token("mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So", 9),
}

ETHEREUM = {
    "USDT": Token("0xdac17f958d2ee523a2206206994597c13d831ec7", 6),
    "USDC": Token("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", 6),
    "DAI": Token("0x6b175474e89094c44da98b954eedeac495271d0f", 18),
    "WBTC": Token("0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", 8),
    "WETH": Token("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", 18),
    "LINK": Token("0x514910771af9ca656af840dff83e8386ecf986ca", 18),
    "UNI": Token("0x1f9840a85d5af5bf1d1762f925bdaddc4201f984", 18),
    "SHIB": Token("0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce", 18),
    "PEPE": Token("0x6982508145454ce325ddbe47a25d4ec3d2311933", 18),
}


def solana_token(name: str) -> Token:
    """Return the token of a ticker, or of an address; raise `InvalidInput` for neither."""
    return _token(name, SOLANA, SOLANA_ADDRESS, name)


def ethereum_token(name: str) -> Token:
    """Return the token of a ticker, or of an address; raise `InvalidInput` for neither."""
    return _token(name, ETHEREUM, EVM_ADDRESS, name.lower())


def ticker_on_solana(address: str) -> str | None:
    """Return the ticker of an address that the list has."""
    return next((name for name, token in SOLANA.items() if token.address == address), None)


def _token(name: str, known: dict[str, Token], addresses: re.Pattern[str], address: str) -> Token:
    if name in known:
        return known[name]
    if not addresses.fullmatch(name):
        raise InvalidInput(f"expected an address or one of {', '.join(known)}, was {name!r}")
    return next((t for t in known.values() if t.address == address), Token(address, None))
