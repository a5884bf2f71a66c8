"""What keeps SQL that people write inside the store: reading is all it can do.

Two walls. The statement is looked at before it runs: one SELECT, or an EXPLAIN of one (DuckDB
reads DESCRIBE, SHOW and SUMMARIZE as SELECT). Then the connection is locked: no file but the
store's own, no network, no extension, no setting can change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
from duckdb import StatementType

from core.errors import QueryRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

ONLY_READS = (
    "nightjar sql only reads the store: expected one SELECT (or WITH … SELECT, DESCRIBE, SHOW, "
    "SUMMARIZE, EXPLAIN)"
)
# EXPLAIN ANALYZE runs what it explains, a COPY to a file included.
_EXPLAIN = re.compile(
    r"\s*explain(?:\s+analyze|\s*\([^()]*\))?\s(?P<explained>.*)", re.IGNORECASE | re.DOTALL
)


def check_statement(query: str) -> None:
    """Raise `QueryRefused` unless `query` is one statement that reads."""
    statements = _parsed(query)
    if len(statements) != 1:
        raise QueryRefused(f"{ONLY_READS}, was {len(statements)} statements")
    kind = statements[0].type
    if kind == StatementType.EXPLAIN and (found := _EXPLAIN.fullmatch(query)):
        inner = _parsed(found["explained"])
        kind = inner[0].type if len(inner) == 1 else kind
    if kind != StatementType.SELECT:
        raise QueryRefused(f"{ONLY_READS}, was {kind.name}")


def lock_down(con: DuckDBPyConnection, paths: Sequence[str]) -> None:
    """Leave the connection no file but `paths` and those it has open, and no way back."""
    con.execute("set allowed_paths = $paths", {"paths": list(paths)})
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def _parsed(query: str) -> list[duckdb.Statement]:
    try:
        return duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from None
