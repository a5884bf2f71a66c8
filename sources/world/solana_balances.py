"""What addresses of Solana hold now, by their accounts.

https://solana.com/docs/rpc/http/getmultipleaccounts
https://solana.com/docs/rpc/http/gettokenaccountsbyowner (no recording of it was at hand)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.errors import SourceMalformed
from sources.provider import Page
from sources.shapes import rows_of
from sources.world.solana_history import History
from sources.world.solana_rows import LAMPORTS, Amount, Lamports, addresses_of, balance
from sources.world.solana_rpc import COMMITMENT, Context, Reply, call, needed, result

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from sources.api import Api
    from sources.provider import Wanted

PROGRAMS = (
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",  # Token-2022
)


class _Account(msgspec.Struct):
    lamports: Lamports


class _Accounts(msgspec.Struct):
    context: Context
    value: list[_Account | None]


class _Info(msgspec.Struct):
    mint: str
    amount: Amount = msgspec.field(name="tokenAmount")


class _Parsed(msgspec.Struct):
    info: _Info


class _Data(msgspec.Struct):
    parsed: _Parsed


class _Held(msgspec.Struct):
    data: _Data


class _TokenAccount(msgspec.Struct):
    pubkey: str
    account: _Held


class _TokenAccounts(msgspec.Struct):
    context: Context
    value: list[_TokenAccount]


_accounts = msgspec.json.Decoder(Reply[_Accounts])
_token_accounts = msgspec.json.Decoder(Reply[_TokenAccounts])


class Balances:
    """What addresses hold now; with `start`, what one held after each of its transactions."""

    subjects = "addresses with commas; one where a start is given"

    def __init__(self, api: Api) -> None:
        self._api = api
        self._history = History(api)

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the accounts, or for the newest transactions of the one address."""
        if wanted.start is not None:
            return self._history.request(wanted)
        addresses = addresses_of(wanted.subject)
        options = {"encoding": "base64", "dataSlice": {"offset": 0, "length": 0}, **COMMITMENT}
        left = [(address, program) for address in addresses for program in PROGRAMS]
        return call(self._api, "getMultipleAccounts", [addresses, options], left=left)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read one answer; which kind it is, the notes on its request say."""
        if wanted.start is not None:
            return self._history.read(body, wanted, request)
        owner: str | None = request.extensions.get("owner")
        rows = self._held(body, owner, wanted) if owner else self._natives(body, wanted)
        left: list[tuple[str, str]] = request.extensions.get("left", [])
        return Page(rows_of("wallet_balances", rows), self._tokens(left))

    def _tokens(self, left: list[tuple[str, str]]) -> httpx.Request | None:
        """Ask for the token accounts of the next address and program."""
        if not left:
            return None
        owner, program = left[0]
        options = {"encoding": "jsonParsed", **COMMITMENT}
        params = [owner, {"programId": program}, options]
        return call(self._api, "getTokenAccountsByOwner", params, owner=owner, left=left[1:])

    def _natives(self, body: bytes, wanted: Wanted) -> Iterator[dict[str, object]]:
        found = needed(result(_accounts, body, self._api.name), self._api.name)
        addresses = addresses_of(wanted.subject)
        if len(found.value) != len(addresses):
            raise SourceMalformed(
                self._api.name, f"expected {len(addresses)} accounts, was {len(found.value)}"
            )
        for address, account in zip(addresses, found.value, strict=True):
            lamports = account.lamports if account else 0  # an address that holds nothing
            amount = Amount(str(lamports), LAMPORTS)
            yield balance(self._api.name, address, amount, (wanted.now, found.context.slot))

    def _held(self, body: bytes, owner: str, wanted: Wanted) -> Iterator[dict[str, object]]:
        found = needed(result(_token_accounts, body, self._api.name), self._api.name)
        for account in found.value:
            info = account.account.data.parsed.info
            yield balance(
                self._api.name,
                owner,
                info.amount,
                (wanted.now, found.context.slot),
                token=info.mint,
                account=account.pubkey,
            )
