"""Whether addresses and transactions are written as their chain writes them."""

from __future__ import annotations

import polars as pl

from core.chains import (
    ANY_ADDRESS,
    EVM_ADDRESS,
    EVM_CHAINS,
    EVM_TRANSACTION,
    NATIVE,
    SOLANA_ADDRESS,
    SOLANA_TRANSACTION,
)
from expectations.rules import between, matches

BAD_ADDRESS = between("bad_addresses", "bad_address", 0, 0)
BAD_CHAIN = matches(
    "chain", "bad_chain", r"^[a-z][a-z0-9-]{1,31}\Z", "a chain's name in lower case"
)


def bad_addresses(*columns: str, native: bool = False) -> pl.Expr:
    """Count the columns whose address is not one of the row's chain; null is not judged.

    `native` allows the word that stands for the chain's own coin.
    """
    counted = [_bad(pl.col(column), native=native) for column in columns]
    return pl.sum_horizontal(counted).alias("bad_addresses")


def bad_transaction(column: str) -> pl.Expr:
    """Mark with 1 a transaction that is not written as its chain does."""
    hash_ = pl.col(column)
    right = (
        pl.when(pl.col("chain") == "solana")
        .then(_is(hash_, SOLANA_TRANSACTION))
        .when(_is_evm())
        .then(_is(hash_, EVM_TRANSACTION))
        .otherwise(_is(hash_, ANY_ADDRESS))
    )
    return (~right).fill_null(value=False).cast(pl.UInt32)


def _bad(address: pl.Expr, *, native: bool) -> pl.Expr:
    # A pool may have a number of 32 bytes in place of an address.
    evm = _is(address, EVM_ADDRESS) | _is(address, EVM_TRANSACTION)
    right = (
        pl.when(pl.col("chain") == "solana")
        .then(_is(address, SOLANA_ADDRESS))
        .when(_is_evm())
        .then(evm)
        .otherwise(_is(address, ANY_ADDRESS))
    )
    if native:
        right |= address == NATIVE
    return (~right).fill_null(value=False).cast(pl.UInt32)


def _is_evm() -> pl.Expr:
    return pl.col("chain").is_in(EVM_CHAINS)


def _is(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.contains(rf"^(?:{pattern})\z")
