"""Moralis: large transfers of tokens on Ethereum, and what tokens are worth.

`GET /api/v2.2/erc20/{address}/transfers`:
https://docs.moralis.com/web3-data-api/evm/reference/get-token-transfers (not recorded)
`GET /api/v2.2/erc20/{address}/price`:
https://docs.moralis.com/web3-data-api/evm/reference/price/get-token-price
The key is sent as `X-API-Key`. Each answer names its weight in `x-request-weight`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec

from core.clock import format_utc
from core.errors import InvalidInput, SourceMalformed
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Count, Moment, rows_of
from sources.world.coins import symbols_of
from sources.world.exchanges import direction, label_of
from sources.world.tokens import ethereum_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

URL = "https://deep-index.moralis.io"
PAGE = 100
THRESHOLD = 1_000_000.0

Whole = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,80}$")]
Block = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")]
Decimals = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,2}$")]


class _Price(msgspec.Struct, rename="camel"):
    token_address: str
    token_symbol: str
    token_decimals: Decimals
    usd_price: float


class _Transfer(msgspec.Struct):
    address: str
    transaction_hash: str
    log_index: Count
    block_number: Block
    block_timestamp: Moment
    from_address: str
    to_address: str
    value: Whole


class _Transfers(msgspec.Struct):
    result: list[_Transfer]
    cursor: str | None = None


_price = msgspec.json.Decoder(_Price)
_transfers = msgspec.json.Decoder(_Transfers)


class Moralis:
    """Large transfers and prices; implements `sources.provider.Provider`.

    `threshold_usd` is the least worth of a transfer that is kept; `labels` are exchanges'
    addresses beside those we know.
    """

    name = "moralis"
    per_second = 5.0

    def __init__(
        self,
        url: str = URL,
        api_key: SecretStr | None = None,
        *,
        threshold_usd: float = THRESHOLD,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url
        api = Api(self.name, url, api_key, header="X-API-Key")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {
            "whale_transactions": Transfers(api, threshold_usd, labels or {}),
            "prices": Prices(api),
        }


class Prices:
    """What one token is worth in USD."""

    subjects = "the symbol of a token on Ethereum in USD, such as LINK-USD"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the price."""
        return _ask_price(self._api, ethereum_token(_base(wanted.subject)).address)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the price; it is the price of now, whenever it last changed."""
        del request
        base = _base(wanted.subject)
        price = _read_price(body, ethereum_token(base).address, self._api.name)
        row = {
            "venue": self._api.name,
            "symbol": f"{base}-USD",
            "time": wanted.now,
            "price": price.usd_price,
        }
        return Page(rows_of("prices", [row]))


class Transfers:
    """The large transfers of a token, newest first, valued at the price it has when asked."""

    subjects = "a token on Ethereum such as USDT, or the address of its contract"

    def __init__(self, api: Api, threshold_usd: float, labels: Mapping[str, str]) -> None:
        self._api = api
        self._threshold = threshold_usd
        self._labels = labels

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the token's price first; its transfers follow."""
        return _ask_price(self._api, ethereum_token(wanted.subject or "").address)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the price, or a page of transfers of which the large ones are kept."""
        token = ethereum_token(wanted.subject or "").address
        price: _Price | None = request.extensions.get("price")
        if price is None:
            told = _read_price(body, token, self._api.name)
            return Page(rows_of("whale_transactions", []), self._page(wanted, told, None))
        found = decode(_transfers, body, self._api.name)
        following = self._page(wanted, price, found.cursor) if found.cursor else None
        rows = self._large(found.result, token, price)
        return Page(rows_of("whale_transactions", rows), following)

    def _page(self, wanted: Wanted, price: _Price, cursor: str | None) -> httpx.Request:
        return self._api.get(
            f"/api/v2.2/erc20/{price.token_address}/transfers",
            {
                "chain": "eth",
                "from_date": format_utc(wanted.start) if wanted.start else None,
                "to_date": format_utc(wanted.end) if wanted.end else None,
                "order": "DESC",
                "limit": PAGE,
                "cursor": cursor,
            },
            price=price,
        )

    def _large(
        self, transfers: list[_Transfer], token: str, price: _Price
    ) -> Iterator[dict[str, object]]:
        for transfer in transfers:
            if transfer.address.lower() != token:
                raise SourceMalformed(
                    self._api.name, f"expected transfers of {token}, was {transfer.address[:60]!r}"
                )
            amount = float(Decimal(transfer.value).scaleb(-int(price.token_decimals)))
            if amount * price.usd_price >= self._threshold:
                yield self._row(transfer, amount, price)

    def _row(self, transfer: _Transfer, amount: float, price: _Price) -> dict[str, object]:
        sender = label_of(transfer.from_address, self._labels)
        receiver = label_of(transfer.to_address, self._labels)
        return {
            "venue": self._api.name,
            "chain": "ethereum",
            "transaction_hash": transfer.transaction_hash.lower(),
            "log_index": transfer.log_index,
            "time": transfer.block_timestamp,
            "block": int(transfer.block_number),
            "token": transfer.address.lower(),
            "asset": price.token_symbol,
            "amount": amount,
            "value_usd": amount * price.usd_price,
            "threshold_usd": self._threshold,
            "sender": transfer.from_address.lower(),
            "receiver": transfer.to_address.lower(),
            "sender_label": sender,
            "receiver_label": receiver,
            "direction": direction(sender, receiver),
        }


def _base(subject: str | None) -> str:
    pairs = symbols_of(subject)
    if len(pairs) != 1 or pairs[0][1] != "USD":
        raise InvalidInput(f"expected {Prices.subjects}, was {subject!r}")
    return pairs[0][0]


def _ask_price(api: Api, token: str) -> httpx.Request:
    return api.get(f"/api/v2.2/erc20/{token}/price", {"chain": "eth"})


def _read_price(body: bytes, token: str, source: str) -> _Price:
    price = decode(_price, body, source)
    if price.token_address.lower() != token:
        raise SourceMalformed(
            source, f"expected the price of {token}, was of {price.token_address[:60]!r}"
        )
    return price
