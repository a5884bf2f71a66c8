"""What rows of balances on Solana are made of, however they were asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec

from core.chains import NATIVE
from core.errors import InvalidInput
from sources.world.tokens import SOLANA_ADDRESS

if TYPE_CHECKING:
    from datetime import datetime

LAMPORTS = 9  # decimals of SOL
MOST_ADDRESSES = 100

Whole = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")]
Decimals = Annotated[int, msgspec.Meta(ge=0, le=255)]
Lamports = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Amount(msgspec.Struct):
    """An amount of a token in its smallest unit."""

    amount: Whole
    decimals: Decimals


def balance(
    source: str,
    address: str,
    amount: Amount,
    at: tuple[datetime, int],
    *,
    token: str = NATIVE,
    account: str | None = None,
) -> dict[str, object]:
    """Return a row: what `address` held of a token at a time and slot."""
    time, slot = at
    return {
        "venue": source,
        "chain": "solana",
        "address": address,
        "account": address if account is None else account,
        "token": token,
        "time": time,
        "raw_amount": amount.amount,
        "decimals": amount.decimals,
        "amount": float(Decimal(amount.amount).scaleb(-amount.decimals)),
        "slot": slot,
    }


def addresses_of(subject: str | None) -> list[str]:
    """Return the addresses of a subject; raise `InvalidInput` where one is none."""
    found = [part.strip() for part in (subject or "").split(",") if part.strip()]
    wrong = [address for address in found if not SOLANA_ADDRESS.fullmatch(address)]
    if wrong or not 0 < len(found) <= MOST_ADDRESSES:
        raise InvalidInput(
            f"expected 1 to {MOST_ADDRESSES} addresses of Solana, was {wrong or subject!r}"
        )
    return found
