"""Numbers written as text: read strictly, so that no misprint becomes a price.

`NaN`, `Infinity`, zero and negative numbers are numbers here: whether a price may be one is for
the gate to say, row by row. `1_000`, `1,5`, ` 1`, `0x10` and digits of other scripts are not.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.errors import NightjarError

    Refuse = Callable[[str], NightjarError]

# [0-9] and not \d, which knows the digits of every script.
NUMBER = (
    r"^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
    r"|NaN|nan|Infinity|infinity|inf)$"
)
INTEGER = r"^[+-]?(?:[0-9]{1,18}|[1-8][0-9]{18})$"  # what surely fits in 64 bits
_ONE = re.compile(NUMBER)
_SHOWN = 40  # characters of a wrong cell that an error shows


def floats(column: pl.Series, refuse: Refuse, *, first_row: int = 1) -> pl.Series:
    """Return text as Float64; raise `refuse(…)` naming the first cell that is no number.

    Nulls stay null. `first_row` is what the error calls the row at index 0.
    """
    return _cast(column, NUMBER, pl.Float64(), "a number such as 1234.5", refuse, first_row)


def float_columns(text: pl.DataFrame, refuse: Refuse) -> dict[str, pl.Series]:
    """Return every column as `floats` would, in one pass where all is well."""
    if all(text.select(pl.all().str.contains(NUMBER).all()).row(0)):
        return text.cast(pl.Float64).to_dict()
    return {column.name: floats(column, refuse) for column in text}


def integers(column: pl.Series, refuse: Refuse, *, first_row: int = 1) -> pl.Series:
    """Return text as Int64; raise `refuse(…)` naming the first cell that is no whole number."""
    return _cast(column, INTEGER, pl.Int64(), "a whole number", refuse, first_row)


def finite(text: str, place: str, refuse: Refuse) -> float:
    """Return one number; raise `refuse(…)` where it is none, not finite, or beyond a double."""
    number = float(text) if _ONE.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise refuse(f"{place}: expected a finite number such as 1234.5, was {excerpt(text)}")
    return number


def _cast(  # noqa: PLR0917 - private, called twice above
    column: pl.Series,
    pattern: str,
    to: pl.DataType,
    expected: str,
    refuse: Refuse,
    first_row: int,
) -> pl.Series:
    fits = column.str.contains(pattern)
    if not fits.all():  # nulls are left out of `all`
        row = (~fits).fill_null(value=False).arg_max() or 0
        was = excerpt(column[row])
        raise refuse(f"row {first_row + row}, {column.name}: expected {expected}, was {was}")
    return column.str.strip_prefix("+").cast(to)


def excerpt(text: str) -> str:
    """Return `text` quoted and short enough for an error."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
