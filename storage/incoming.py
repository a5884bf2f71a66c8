"""A batch as the merge's SQL sees it: the view `incoming`, its rows numbered `_row`.

A batch is mostly one series from one source. What is the same in all of its rows stands in the
view as a constant, which DuckDB neither reads nor hashes row by row.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from core.clock import to_micros
from core.datasets import TIME
from storage.schema import literal, quoted, sql_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

_KINDS = [pl.String(), pl.Boolean(), TIME]
_LONGEST = 200  # characters of a text that is put into a statement


@contextmanager
def incoming(con: DuckDBPyConnection, rows: pl.DataFrame) -> Iterator[None]:
    """Let `con` see `rows`, at least one, as `incoming` until the block ends."""
    same = _constants(rows)
    varying = rows.drop(same).with_row_index("_row")
    chosen = [
        f"{same[name]} as {quoted(name)}" if name in same else quoted(name) for name in rows.columns
    ]
    con.register("arrived", varying)
    con.execute(
        f"create or replace temp view incoming as select _row, {', '.join(chosen)} from arrived"
    )
    yield
    con.execute("drop view temp.incoming")
    con.unregister("arrived")


def sql_value(value: Any) -> str:
    """Return a text, a whole number, a truth value or a time as an SQL literal."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, int):
        return str(value).lower()
    return f"make_timestamptz({to_micros(value)})"


def _constants(rows: pl.DataFrame) -> dict[str, str]:
    """Return what the columns that say the same in every row say, in SQL."""
    chosen = rows.select(pl.col(_KINDS))
    if not chosen.width:
        return {}
    alike = chosen.select(pl.all().eq_missing(pl.all().first()).all()).row(0)
    first = zip(chosen.schema.items(), chosen.row(0), alike, strict=True)
    return {
        name: f"null::{sql_type(kind)}" if value is None else sql_value(value)
        for (name, kind), value, every in first
        if every and _plain(value)
    }


def _plain(value: object) -> bool:
    """Whether a value can stand in a statement: a source may have put anything into a text."""
    return not isinstance(value, str) or (value.isprintable() and len(value) <= _LONGEST)
