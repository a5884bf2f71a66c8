"""Whose address it is: wallets of exchanges on Ethereum that the exchanges are known by.

Our own list of addresses that exchanges have published as theirs or that block explorers name
for everyone to see. It is far from complete; the setting `whales.labels` adds to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ETHEREUM_WALLETS = {
    "0x3f5ce5fbfe3e9af3971dd833d26ba9b5c936f0be": "binance",
    "0xbe0eb53f46cd790cd13851d5eff43d12404d33e8": "binance",
    "0xf977814e90da44bfa03b6295a0616a897441acec": "binance",
    "0x28c6c06298d514db089934071355e5743bf21d60": "binance",
    "0x21a31ee1afc51d94c2efccaa2092ad1028285549": "binance",
    "0xdfd5293d8e347dfe59e90efd55b2956a1343963d": "binance",
    "0x876eabf441b2ee5b5b0554fd502a8e0600950cfa": "bitfinex",
    "0xf89d7b9c864f589bbf53a82105107622b35eaa40": "bybit",
    "0x71660c4005ba85c37ccec55d0c4493e66fe775d3": "coinbase",
    "0x503828976d22510aad0201ac7ec88293211d23da": "coinbase",
    "0xa9d1e08c7793af67e9d92fe308d5697fb81d3e43": "coinbase",
    "0x0d0707963952f2fba59dd06f2b425ace40b492fe": "gate",
    "0xab5c66752a9e8167967685f1450532fb96d5d24f": "htx",
    "0x6748f50f686bfbca6fe8ad62b22228b87f31ff2b": "htx",
    "0x2910543af39aba0cd09dbb2d50200b3e800a63d2": "kraken",
    "0x267be1c1d684f78cb4f6a176c4911b741e4ffdc0": "kraken",
    "0xda9dfa130df4de4673b89022ee50ff26f6ea73cf": "kraken",
    "0x2b5634c42055806a59e9107ed44d43c426e58258": "kucoin",
    "0xd6216fc19db775df9774a6e33526131da7d19a2c": "kucoin",
    "0x6cc5f688a315f3dc28a7781717a9a798a59fda7b": "okx",
    "0x236f9f97e0e62388479bf9e5ba4889e46b0273c3": "okx",
    "0xa7efae728d2936e78bda97dc267687568dd593f3": "okx",
}


def label_of(address: str, more: Mapping[str, str]) -> str | None:
    """Return whose wallet an address is, None where nobody knows; `more` is over our list."""
    lower = address.lower()
    return more.get(lower, ETHEREUM_WALLETS.get(lower))


def direction(sender: str | None, receiver: str | None) -> str:
    """Name where a transfer goes by the labels of its ends."""
    if sender and receiver:
        return "between_exchanges"
    if receiver:
        return "to_exchange"
    return "from_exchange" if sender else "transfer"
