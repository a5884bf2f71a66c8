"""What an address of Solana held after each of its transactions.

https://solana.com/docs/rpc/http/getsignaturesforaddress
https://solana.com/docs/rpc/http/gettransaction
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from core.clock import to_micros
from core.errors import InvalidInput, SourceMalformed
from sources.provider import Page
from sources.shapes import Count, Seconds, from_seconds, rows_of
from sources.world.solana_rows import LAMPORTS, Amount, Lamports, addresses_of, balance
from sources.world.solana_rpc import COMMITMENT, Reply, call, needed, result

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from sources.api import Api
    from sources.provider import Wanted

SIGNATURES = 1_000  # the most of one answer


class _Signature(msgspec.Struct):
    signature: str
    slot: Count
    time: Seconds | None = msgspec.field(name="blockTime")


class _TokenBalance(msgspec.Struct):
    account: Annotated[int, msgspec.Meta(ge=0, le=255)] = msgspec.field(name="accountIndex")
    mint: str
    amount: Amount = msgspec.field(name="uiTokenAmount")
    owner: str | None = None  # null in blocks before 2021


class _Loaded(msgspec.Struct):
    writable: list[str]
    readonly: list[str]


class _Meta(msgspec.Struct):
    balances: list[Lamports] = msgspec.field(name="postBalances")
    tokens: list[_TokenBalance] | None = msgspec.field(name="postTokenBalances")
    loaded: _Loaded | None = msgspec.field(name="loadedAddresses", default=None)


class _Message(msgspec.Struct):
    keys: list[str] = msgspec.field(name="accountKeys")


class _Content(msgspec.Struct):
    message: _Message


class _Transaction(msgspec.Struct):
    slot: Count
    meta: _Meta
    transaction: _Content
    time: Seconds | None = msgspec.field(name="blockTime")


_signatures = msgspec.json.Decoder(Reply[list[_Signature]])
_transaction = msgspec.json.Decoder(Reply[_Transaction])


class History:
    """Lists of transactions, newest first, and each of those that are of the span."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the newest transactions of the one address."""
        addresses = addresses_of(wanted.subject)
        if len(addresses) != 1:
            raise InvalidInput(f"expected one address for a history, was {wanted.subject!r}")
        return self._older(addresses[0], None)

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read a list of transactions, or one of them; the next of either follows."""
        notes: dict[str, Any] = request.extensions
        if "signatures" not in notes:
            return Page(rows_of("wallet_balances", []), self._chosen(body, wanted))
        rows = list(self._after(body, addresses_of(wanted.subject)[0]))
        # Blocks are stamped by the second. What was held at the end of it is in the newest one.
        known: frozenset[tuple[object, ...]] = notes["known"]
        fresh = [row for row in rows if _holding(row) not in known]
        known = frozenset(map(_holding, rows)) | {one for one in known if _is_of(one, rows)}
        following = self._transactions(notes["signatures"], notes["before"], wanted, known)
        return Page(rows_of("wallet_balances", fresh), following)

    def _older(self, address: str, before: str | None) -> httpx.Request:
        options = {"limit": SIGNATURES, **COMMITMENT, **({"before": before} if before else {})}
        return call(self._api, "getSignaturesForAddress", [address, options])

    def _chosen(self, body: bytes, wanted: Wanted) -> httpx.Request | None:
        """Choose the transactions of the span from a list that is newest first."""
        found = needed(result(_signatures, body, self._api.name), self._api.name)
        chosen = [one.signature for one in found if _is_in(one.time, wanted)]
        last = found[-1] if len(found) == SIGNATURES else None
        reaches_back = last is not None and (last.time is None or not _is_before(last.time, wanted))
        before = last.signature if last and reaches_back else None
        return self._transactions(chosen, before, wanted)

    def _transactions(
        self,
        left: list[str],
        before: str | None,
        wanted: Wanted,
        known: frozenset[tuple[object, ...]] = frozenset(),
    ) -> httpx.Request | None:
        """Ask for the next transaction, or for the older ones when all are read."""
        if left:
            options = {"encoding": "json", "maxSupportedTransactionVersion": 0, **COMMITMENT}
            notes = {"signatures": left[1:], "before": before, "known": known}
            return call(self._api, "getTransaction", [left[0], options], **notes)
        return self._older(addresses_of(wanted.subject)[0], before) if before else None

    def _after(self, body: bytes, address: str) -> Iterator[dict[str, object]]:
        """Read what the address held after a transaction; null means that it is not final yet."""
        found = result(_transaction, body, self._api.name)
        if found is None or found.time is None:
            return
        loaded = found.meta.loaded or _Loaded([], [])
        keys = [*found.transaction.message.keys, *loaded.writable, *loaded.readonly]
        if len(keys) != len(found.meta.balances):
            raise SourceMalformed(
                self._api.name, f"expected {len(keys)} balances, was {len(found.meta.balances)}"
            )
        at = (from_seconds(found.time), found.slot)
        for key, lamports in zip(keys, found.meta.balances, strict=True):
            if key == address:
                yield balance(self._api.name, address, Amount(str(lamports), LAMPORTS), at)
        for token in found.meta.tokens or []:
            if token.account >= len(keys):
                raise SourceMalformed(self._api.name, f"account {token.account} of {len(keys)}")
            if token.owner == address:
                account = keys[token.account]
                yield balance(
                    self._api.name, address, token.amount, at, token=token.mint, account=account
                )


def _holding(row: dict[str, object]) -> tuple[object, ...]:
    return row["time"], row["account"], row["token"]


def _is_of(holding: tuple[object, ...], rows: list[dict[str, object]]) -> bool:
    """Whether a holding is of the second of the rows; of any where there are none."""
    return not rows or holding[0] == rows[0]["time"]


def _is_in(time: int | None, wanted: Wanted) -> bool:
    if time is None or _is_before(time, wanted):
        return False
    return wanted.end is None or time * 1_000_000 < to_micros(wanted.end)


def _is_before(time: int, wanted: Wanted) -> bool:
    return wanted.start is not None and time * 1_000_000 < to_micros(wanted.start)
