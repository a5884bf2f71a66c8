"""The bars that research reads: a venue's own, and others' in their place where a setting says so.

Prefect is not needed here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from research.eras import eras, with_eras
from storage import catalog
from storage.lake import read_candles, sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.store import Store


def research_candles(
    store: Store,
    *,
    venue: str,
    symbols: Sequence[str],
    interval: str,
    start: datetime,
    end: datetime,
    lenders: Sequence[str],
) -> pl.DataFrame:
    """Return the bars of [start, end), sorted by symbol and time, as series of one venue.

    Where a symbol was given to another coin, or its unit changed, only the bars since then are
    returned: those before are of another market.

    Args:
        store: where they are.
        venue: whose market is researched.
        symbols: of which markets.
        interval: how long a bar is.
        start: the first moment.
        end: the first moment after the bars.
        lenders: venues whose bars stand in where `venue` lacks one; none, unless the setting
            `borrow` says so. In the store and in `source` such a bar stays the lender's. Here it
            takes the name of `venue`, since the engine trades one market at one venue.
    """
    bars = read_candles(
        store,
        venue=venue,
        symbols=symbols,
        interval=interval,
        start=start,
        end=end,
        lenders=lenders,
    )
    bars = _of_one_era(bars, sql("from instruments", store=store))
    return bars.with_columns(venue=pl.lit(venue)) if lenders else bars


def _of_one_era(bars: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """Return, of each market whose terms are known, the bars of its last era among `bars`."""
    if instruments.is_empty():
        return bars
    marked = with_eras(bars, eras(instruments))
    last = pl.col("era").max().over("venue", "symbol")
    return marked.filter(last.is_null() | (pl.col("era") == last)).drop("era")


def snapshot(
    store: Store,
    *,
    venue: str,
    symbols: Sequence[str],
    interval: str,
    start: datetime,
    end: datetime,
    lenders: Sequence[str],
) -> str:
    """Return a hash of all bars that `research_candles` rests on."""
    parts = [
        catalog.snapshot(store, venue=one, symbols=symbols, interval=interval, start=start, end=end)
        for one in (venue, *lenders)
    ]
    return parts[0] if not lenders else hashlib.sha256("".join(parts).encode()).hexdigest()
