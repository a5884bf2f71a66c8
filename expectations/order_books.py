"""The suite of order books: each side sorted, and no bid at or above an ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import ORDER_BOOKS
from expectations.bounds import HIGHEST_AMOUNT, HIGHEST_PRICE
from expectations.moments import IN_FUTURE, STALE, moment_facts
from expectations.rules import ROW, Suite, between

if TYPE_CHECKING:
    from datetime import datetime

RULES = (
    between("levels", "empty_book", 1),
    between("uneven", "uneven_sides", 0, 0),
    between("bad_prices", "price_not_positive", 0, 0),
    between("bad_sizes", "size_not_positive", 0, 0),
    between("huge", "implausible", 0, 0),
    between("unsorted", "unsorted", 0, 0),
    between("spread", "crossed", 0, strictly=True),
    between("sequence", "negative_sequence", 0),
    STALE,
    IN_FUTURE,
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Count what is wrong with the levels, and compare the best of both sides."""
    del now
    prices, sizes = ("bid_prices", "ask_prices"), ("bid_sizes", "ask_sizes")
    return rows.select(
        ROW,
        *moment_facts("time"),
        levels=pl.sum_horizontal(pl.col(side).list.len() for side in prices),
        uneven=pl.sum_horizontal(
            (pl.col(price).list.len() != pl.col(size).list.len()).cast(pl.Int64)
            for price, size in zip(prices, sizes, strict=True)
        ),
        bad_prices=pl.sum_horizontal(_not_positive(side) for side in prices),
        bad_sizes=pl.sum_horizontal(_not_positive(side) for side in sizes),
        huge=pl.sum_horizontal(
            *(_above(side, HIGHEST_PRICE) for side in prices),
            *(_above(side, HIGHEST_AMOUNT) for side in sizes),
        ),
        unsorted=_out_of_order("bid_prices", descending=True)
        + _out_of_order("ask_prices", descending=False),
        spread=pl.col("ask_prices").list.first() - pl.col("bid_prices").list.first(),
    )


def _not_positive(levels: str) -> pl.Expr:
    return pl.col(levels).list.eval(pl.element() <= 0).list.sum().cast(pl.Int64)


def _above(levels: str, most: float) -> pl.Expr:
    return (
        pl.col(levels)
        .list.eval((pl.element() > most) & pl.element().is_not_nan())
        .list.sum()
        .cast(pl.Int64)
    )


def _out_of_order(levels: str, *, descending: bool) -> pl.Expr:
    """Count the levels that are not beyond the one before them."""
    step = pl.element().diff(null_behavior="drop")
    wrong = step >= 0 if descending else step <= 0
    return pl.col(levels).list.eval(wrong).list.sum().cast(pl.Int64)


SUITE = Suite(dataset=ORDER_BOOKS, rules=RULES, optional=("sequence",), facts=facts)
