"""Jupiter: what its router would give for an amount of a token on Solana, and prices of tokens.

`GET /swap/v1/quote`: https://dev.jup.ag/docs/api/swap-api/quote
`GET /price/v3`: https://dev.jup.ag/docs/price/v3 (no recording of it was at hand)
Without a key 60 requests a minute at lite-api.jup.ag; with one (`x-api-key`) at api.jup.ag.
`priceImpactPct` is a fraction, whatever its name says: 0.01 is one percent.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec

from core.errors import InvalidInput, SourceMalformed
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Count, read_number, rows_of
from sources.world.dexscreener import tokens_in_usd
from sources.world.tokens import Token, solana_token

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

URL, URL_WITH_KEY = "https://lite-api.jup.ag", "https://api.jup.ag"
SLIPPAGE_BPS = 50
_SUBJECT = re.compile(r"(?:([0-9.]{1,30}) )?([A-Za-z0-9]{1,44})-([A-Za-z0-9]{1,44})", re.ASCII)

Amount = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,40}$")]


class _Swap(msgspec.Struct):
    label: str


class _Leg(msgspec.Struct, rename="camel"):
    swap_info: _Swap


class _Quote(msgspec.Struct, rename="camel"):
    input_mint: str
    in_amount: Amount
    output_mint: str
    out_amount: Amount
    swap_mode: str
    price_impact_pct: str
    route_plan: list[_Leg]
    context_slot: Count | None = None


class _Price(msgspec.Struct, rename="camel"):
    usd_price: float


_quote = msgspec.json.Decoder(_Quote)
_prices = msgspec.json.Decoder(dict[str, _Price | None])


class Jupiter:
    """Quotes and prices; implements `sources.provider.Provider`."""

    name = "jupiter"
    per_second = 0.9

    def __init__(self, url: str | None = None, api_key: SecretStr | None = None) -> None:
        self.url = url or (URL_WITH_KEY if api_key else URL)
        api = Api(self.name, self.url, api_key)
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"dex_quotes": Quotes(api), "prices": Prices(api)}


class Swap(NamedTuple):
    """What a quote is asked for; `amount` in the input's smallest unit."""

    input: Token
    output: Token
    amount: int


class Quotes:
    """What the router would give now."""

    subjects = "an amount and two tokens such as 10 SOL-USDC; without the amount it is one"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the best route."""
        swap = swap_of(wanted.subject)
        return self._api.get(
            "/swap/v1/quote",
            {
                "inputMint": swap.input.address,
                "outputMint": swap.output.address,
                "amount": swap.amount,
                "slippageBps": SLIPPAGE_BPS,
            },
        )

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the quote; refuse one of other tokens or another amount than asked for."""
        del request
        quote, swap = decode(_quote, body, self._api.name), swap_of(wanted.subject)
        told = (quote.input_mint, quote.output_mint, int(quote.in_amount), quote.swap_mode)
        expected = (swap.input.address, swap.output.address, swap.amount, "ExactIn")
        if told != expected:
            raise SourceMalformed(self._api.name, f"expected a quote of {expected}, was {told}")
        return Page(rows_of("dex_quotes", [self._row(quote, swap, wanted)]))

    def _row(self, quote: _Quote, swap: Swap, wanted: Wanted) -> dict[str, object]:
        impact = read_number(quote.price_impact_pct, self._api.name, "priceImpactPct")
        return {
            "venue": self._api.name,
            "chain": "solana",
            "input": quote.input_mint,
            "output": quote.output_mint,
            "time": wanted.now,
            "input_amount": quote.in_amount,
            "output_amount": quote.out_amount,
            "price": _price(quote, swap),
            "price_impact": impact,
            "route": [leg.swap_info.label for leg in quote.route_plan],
            "slot": quote.context_slot,
        }


class Prices:
    """Prices of tokens in USD, as the router's trades tell."""

    subjects = "symbols of tokens on Solana in USD, such as SOL-USD or SOL-USD,JUP-USD"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for all tokens at once."""
        return self._api.get("/price/v3", {"ids": ",".join(tokens_in_usd(wanted.subject))})

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read prices; a token that it cannot price is left out."""
        del request
        told, asked = decode(_prices, body, self._api.name), tokens_in_usd(wanted.subject)
        if set(told) - set(asked):
            raise SourceMalformed(self._api.name, f"expected {sorted(asked)}, was {sorted(told)}")
        return Page(
            rows_of(
                "prices",
                (
                    {
                        "venue": self._api.name,
                        "symbol": asked[address],
                        "time": wanted.now,
                        "price": price.usd_price,
                    }
                    for address, price in told.items()
                    if price is not None
                ),
            )
        )


def swap_of(subject: str | None) -> Swap:
    """Read `10 SOL-USDC`; a token that is not in our list is named by its address.

    The amount of a token whose decimals we do not know is in its smallest unit.
    """
    found = _SUBJECT.fullmatch(subject or "")
    if found is None:
        raise InvalidInput(f"expected {Quotes.subjects}, was {subject!r}")
    source, target = solana_token(found[2]), solana_token(found[3])
    try:
        whole = Decimal(found[1] or "1").scaleb(source.decimals or 0)
    except InvalidOperation:
        whole = Decimal(0)
    if whole < 1 or whole != whole.to_integral_value():
        raise InvalidInput(f"expected an amount over 0 in whole smallest units, was {subject!r}")
    return Swap(source, target, int(whole))


def _price(quote: _Quote, swap: Swap) -> float | None:
    """Return output per input in whole tokens, None where decimals are unknown."""
    if swap.input.decimals is None or swap.output.decimals is None:
        return None
    spent = Decimal(quote.in_amount).scaleb(-swap.input.decimals)
    return float(Decimal(quote.out_amount).scaleb(-swap.output.decimals) / spent)
