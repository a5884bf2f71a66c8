"""How chains write addresses and transactions.

Solana: base58 of 32 bytes (addresses) and of 64 bytes (transactions),
https://solana.com/docs/references/terminology. Chains of Ethereum's kind: `0x` and hexadecimal
digits of 20 and 32 bytes, https://ethereum.org/en/developers/docs/accounts/; pools of Uniswap v4
have no address but a number of 32 bytes.
"""

from __future__ import annotations

NATIVE = "native"  # stands for a chain's own coin where tokens have an address

SOLANA_ADDRESS = r"[1-9A-HJ-NP-Za-km-z]{32,44}"
SOLANA_TRANSACTION = r"[1-9A-HJ-NP-Za-km-z]{64,88}"
EVM_ADDRESS = r"0x[0-9a-fA-F]{40}"
EVM_TRANSACTION = r"0x[0-9a-fA-F]{64}"

# Chains of Ethereum's kind that are met most; the others are judged by what all chains share.
EVM_CHAINS = (
    "ethereum",
    "arbitrum",
    "avalanche",
    "base",
    "bsc",
    "fantom",
    "linea",
    "optimism",
    "polygon",
    "zksync",
)
ANY_ADDRESS = r"[A-Za-z0-9:._-]{8,130}"
