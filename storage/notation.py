"""Rows as JSON text: how history and arrivals name a key and keep values, and how both are read.

Writing and reading are inverses for every value that a column can hold: floats keep every bit
(NaN and the infinities too), times their microseconds, and null is not the same as not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import TIME
from storage.schema import quoted, sql_type, values

if TYPE_CHECKING:
    from core.datasets import Dataset


def written_key(dataset: Dataset, table: str) -> str:
    """Return an expression: the key of a row of `table` as a JSON object."""
    parts = [
        f"'\"{name}\":' || {_json(dataset.columns[name], f'{table}.{quoted(name)}')}"
        for name in dataset.key
    ]
    return "'{' || " + " || ',' || ".join(parts) + " || '}'"


def written_changes(dataset: Dataset, this: str, other: str) -> str:
    """Return an expression: those columns of `this` that differ in `other`, as a JSON object."""
    parts = [
        f"case when {this}.{quoted(name)} is distinct from {other}.{quoted(name)} then "
        f"'\"{name}\":' || {_json(dataset.columns[name], f'{this}.{quoted(name)}')} end"
        for name in values(dataset)
    ]
    return f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'"


def member(text: str, name: str) -> str:
    """Return an expression: one column of a JSON object, SQL's null where it is not in there.

    A column that is null is in there, as JSON's null.
    """
    return f"json_extract({text}, '$.\"{name}\"')"


def read_value(dtype: Any, expression: str) -> str:
    """Return an expression: the value that a `member` stands for."""
    if dtype in {pl.String(), TIME}:
        text = f"json_extract_string({expression}, '$')"
        return text if dtype == pl.String() else f"{text}::TIMESTAMPTZ"
    return f"({expression})::{sql_type(dtype)}"


def _json(dtype: Any, expression: str) -> str:
    if dtype == TIME:
        expression = f"strftime({expression}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"coalesce(to_json({expression})::VARCHAR, 'null')"
