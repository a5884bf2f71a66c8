"""Facts that every dataset's suite asks for, computed from its declaration alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.errors import InvalidInput
from core.market import check_symbol, check_symbols, check_venue
from expectations.rules import HELD, ROW

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.datasets import Dataset


_NONE = pl.lit(0, pl.UInt32)


def common_facts(dataset: Dataset, optional: tuple[str, ...], rows: pl.DataFrame) -> pl.DataFrame:
    """Count each row's missing values, its NaN and infinite numbers, and its unusable names."""
    required = [name for name in dataset.columns if name not in optional]
    # A symbol that becomes a folder of the lake is one; elsewhere it may stand for all.
    folder = "symbol" in dataset.partition_by
    names = {"venue": check_venue, "symbol": check_symbol if folder else check_symbols}
    checks = [(rows[name], check) for name, check in names.items() if name in rows.columns]
    return rows.select(
        ROW,
        missing=pl.sum_horizontal([pl.col(name).is_null() for name in required]),
        not_finite=pl.sum_horizontal(_NONE, *_not_finite_counts(dataset)),
        bad_names=pl.sum_horizontal(_NONE, *(_bad(*check) for check in checks)),
    )


def _bad(names: pl.Series, check: Callable[[str], str]) -> pl.Series:
    """Mark the names that `check` refuses; null is not judged."""
    good = [name for name in names.drop_nulls().unique() if _passes(check, name)]
    return (~names.is_in(good)).fill_null(value=False).cast(pl.UInt32)


def _passes(check: Callable[[str], str], name: str) -> bool:
    try:
        check(name)
    except InvalidInput:
        return False
    return True


def _not_finite_counts(dataset: Dataset) -> list[pl.Expr]:
    counts = []
    for name, dtype in dataset.schema.items():
        if dtype.is_float():
            counts.append(_is_not_finite(pl.col(name)).cast(pl.UInt32))
        elif isinstance(dtype, pl.List) and dtype.inner == pl.Float64:
            counts.append(pl.col(name).list.eval(_is_not_finite(pl.element())).list.sum())
    return counts


def _is_not_finite(value: pl.Expr) -> pl.Expr:
    return ~value.is_finite().fill_null(value=True)


def copies_before(dataset: Dataset, rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Count the rows of the same key that take precedence over each row.

    Of a batch the first row of a key is kept. A row of the batch takes precedence over one that
    waits in quarantine, and so does an accepted one.
    """
    key = list(dataset.key)
    if not rows[HELD].any() and not dataset.has_doubles(rows):
        return rows.select(ROW, copies_before=pl.lit(0, pl.Int64))
    counted = rows.sort(HELD, ROW).select(
        ROW, *key, HELD, copies_before=pl.int_range(pl.len()).over(key)
    )
    if set(key) <= set(history.columns):
        known = history.select(key).unique().with_columns(known=pl.lit(1))
        counted = counted.join(known, on=key, how="left", maintain_order="left")
        counted = counted.with_columns(
            pl.col("copies_before") + (pl.col("known").fill_null(0) * pl.col(HELD).cast(pl.Int64))
        )
    return counted.select(ROW, "copies_before")
