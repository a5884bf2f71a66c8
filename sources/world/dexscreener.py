"""DexScreener: pools of decentralised exchanges, and prices of tokens by their deepest pool.

`GET /token-pairs/v1/{chain}/{token}`, `/tokens/v1/{chain}/{tokens}`, `/latest/dex/search`:
https://docs.dexscreener.com/api/reference
These may be asked 300 times a minute; there are no keys.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import msgspec

from core.errors import InvalidInput
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Count, Millis, from_millis, read_number, rows_of
from sources.world.coins import symbols_of
from sources.world.tokens import solana_token

if TYPE_CHECKING:
    import httpx

    from sources.provider import Feed, Wanted

URL = "https://api.dexscreener.com"
_TOKEN = re.compile(r"([a-z0-9-]{1,32})/([A-Za-z0-9]{20,66})", re.ASCII)

Text = Annotated[str, msgspec.Meta(max_length=200)]


class _Token(msgspec.Struct):
    address: Text
    symbol: Text


class _Sides(msgspec.Struct):
    buys: Count
    sells: Count


class _Trades(msgspec.Struct):
    h24: _Sides | None = None


class _Volume(msgspec.Struct):
    h24: float | None = None


class _Liquidity(msgspec.Struct):
    usd: float | None = None


class _Pair(msgspec.Struct, rename="camel"):
    chain_id: Text
    dex_id: Text
    pair_address: Text
    base_token: _Token
    quote_token: _Token
    price_native: Text
    txns: _Trades
    volume: _Volume
    price_usd: Text | None = None  # where the quote token has a price
    liquidity: _Liquidity | None = None  # pools that are still a bonding curve have none
    fdv: float | None = None
    market_cap: float | None = None
    pair_created_at: Millis | None = None


class _Found(msgspec.Struct):
    pairs: list[_Pair] | None


_answer = msgspec.json.Decoder(list[_Pair] | _Found)


class DexScreener:
    """Pools and prices; implements `sources.provider.Provider`."""

    name = "dexscreener"
    per_second = 4.0

    def __init__(self, url: str = URL) -> None:
        self.url = url
        api = Api(self.name, url)
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"dex_pairs": Pairs(api), "prices": Prices(api)}


class Pairs:
    """The pools of a token, or those that match words."""

    subjects = "a chain and a token's address such as solana/So111…112, or words to search for"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the pools of the token, or search."""
        subject = (wanted.subject or "").strip()
        if found := _TOKEN.fullmatch(subject):
            return self._api.get(f"/token-pairs/v1/{found[1]}/{found[2]}")
        if not subject:
            raise InvalidInput(f"expected {self.subjects}, was nothing")
        return self._api.get("/latest/dex/search", {"q": subject})

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the pools."""
        del request
        pairs = _pairs(body, self._api.name)
        return Page(rows_of("dex_pairs", (self._row(pair, wanted) for pair in pairs)))

    def _row(self, pair: _Pair, wanted: Wanted) -> dict[str, object]:
        source, created, trades = self._api.name, pair.pair_created_at, pair.txns.h24
        return {
            "venue": source,
            "chain": pair.chain_id,
            "dex": pair.dex_id,
            "pair_address": pair.pair_address,
            "base_address": pair.base_token.address,
            "base": pair.base_token.symbol,
            "quote_address": pair.quote_token.address,
            "quote": pair.quote_token.symbol,
            "time": wanted.now,
            "price": read_number(pair.price_native, source, "priceNative"),
            "price_usd": _usd(pair, source),
            "liquidity_usd": pair.liquidity.usd if pair.liquidity else None,
            "volume_24h_usd": pair.volume.h24,
            "buys_24h": trades.buys if trades else None,
            "sells_24h": trades.sells if trades else None,
            "fully_diluted_usd": pair.fdv,
            "created_at": None if created is None else from_millis(created),
        }


class Prices:
    """Prices of tokens in USD, each from the pool with the most liquidity."""

    subjects = "symbols of tokens on Solana in USD, such as SOL-USD or SOL-USD,JUP-USD"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for all tokens at once."""
        return self._api.get(f"/tokens/v1/solana/{','.join(tokens_in_usd(wanted.subject))}")

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the pools and keep the deepest of each token."""
        del request
        deepest: dict[str, _Pair] = {}
        for pair in _pairs(body, self._api.name):
            rival = deepest.get(pair.base_token.address)
            if pair.price_usd is not None and (rival is None or _depth(pair) > _depth(rival)):
                deepest[pair.base_token.address] = pair
        return Page(
            rows_of(
                "prices",
                (
                    {
                        "venue": self._api.name,
                        "symbol": symbol,
                        "time": wanted.now,
                        "price": _usd(deepest[address], self._api.name),
                        "volume_24h": deepest[address].volume.h24,
                        "market_cap": deepest[address].market_cap,
                    }
                    for address, symbol in tokens_in_usd(wanted.subject).items()
                    if address in deepest
                ),
            )
        )


def tokens_in_usd(subject: str | None) -> dict[str, str]:
    """Return the symbols of a subject by their token's address on Solana."""
    pairs = symbols_of(subject)
    if pairs[0][1] != "USD":
        raise InvalidInput(f"expected prices in USD, was {subject!r}")
    return {solana_token(base).address: f"{base}-USD" for base, _ in pairs}


def _pairs(body: bytes, source: str) -> list[_Pair]:
    answer = decode(_answer, body, source)
    return (answer.pairs or []) if isinstance(answer, _Found) else answer


def _usd(pair: _Pair, source: str) -> float | None:
    return None if pair.price_usd is None else read_number(pair.price_usd, source, "priceUsd")


def _depth(pair: _Pair) -> float:
    return (pair.liquidity.usd if pair.liquidity else None) or 0.0
