"""The frames a page is made of: checked once where they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from core.errors import ContractBroken

if TYPE_CHECKING:
    from collections.abc import Mapping


def shaped(name: str, frame: pl.DataFrame, columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return `columns` of `frame` in their types, NaN as null; further columns are dropped.

    A frame without any column stands for one without rows. Raise `ContractBroken` where a
    column is missing or holds something else.
    """
    if not frame.columns:
        return pl.DataFrame(schema=dict(columns))
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ContractBroken(name, f"columns missing {missing}")
    try:
        frame = frame.select(pl.col(column).cast(kind) for column, kind in columns.items())
    except pl.exceptions.PolarsError as error:
        raise ContractBroken(name, str(error)) from None
    return frame.with_columns(pl.selectors.float().fill_nan(None))
