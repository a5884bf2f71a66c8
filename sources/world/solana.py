"""Solana's JSON-RPC, at Helius' nodes or any others: what addresses hold, now and before.

https://solana.com/docs/rpc/http: `getMultipleAccounts`, `getTokenAccountsByOwner`,
`getSignaturesForAddress`, `getTransaction`. Helius takes its key only as the query parameter
`api-key`: https://www.helius.dev/docs/api-reference/authentication
The public nodes allow 40 requests in 10 seconds for one method, and say so in `x-ratelimit-*`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.api import Api
from sources.world.solana_balances import Balances

if TYPE_CHECKING:
    from pydantic import SecretStr

    from sources.provider import Feed

PUBLIC_URL, HELIUS_URL = "https://api.mainnet-beta.solana.com", "https://mainnet.helius-rpc.com"


class Helius:
    """Balances of addresses; implements `sources.provider.Provider`.

    With a key Helius' nodes are asked, without one the public ones, where `url` names no other.
    """

    name = "helius"
    per_second = 3.0

    def __init__(self, url: str | None = None, api_key: SecretStr | None = None) -> None:
        self.url = url or (HELIUS_URL if api_key else PUBLIC_URL)
        api = Api(self.name, self.url, api_key, parameter="api-key")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"wallet_balances": Balances(api)}
