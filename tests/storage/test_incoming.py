"""What a merge's SQL sees of a batch is the batch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import TIME
from storage.incoming import incoming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

SCHEMA: dict[str, Any] = {
    "name": pl.String,
    "sure": pl.Boolean,
    "at": TIME,
    "price": pl.Float64,
    "n": pl.Int64,
}
ROWS = st.tuples(
    st.none() | st.text(max_size=3),
    st.none() | st.booleans(),
    st.none()
    | st.sampled_from([datetime(2026, 3, 1, 0, 0, 0, 1, UTC), datetime(1969, 1, 1, tzinfo=UTC)]),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(-(2**63), 2**63 - 1),
)


@pytest.fixture(scope="module")
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"python_enable_replacements": "false"}) as opened:
        opened.execute("set TimeZone = 'UTC'")
        yield opened


def seen(con: DuckDBPyConnection, rows: pl.DataFrame) -> pl.DataFrame:
    with incoming(con, rows):
        found: pl.DataFrame = con.sql("select * from incoming order by _row").pl()
    return found


@given(rows=st.lists(ROWS, min_size=1, max_size=4))
def test_any_rows_are_seen_as_they_are(
    con: DuckDBPyConnection, rows: list[tuple[object, ...]]
) -> None:
    batch = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    found = seen(con, batch)
    assert found["_row"].to_list() == list(range(len(rows)))
    assert found.drop("_row").with_columns(pl.col("at").cast(TIME)).equals(batch)


@pytest.mark.parametrize(
    "text", ["a' or 1=1 --", '"', "\x00", "a\x00b", "\n", "$now", "?", "é" * 300, ""]
)
def test_a_text_of_every_row_is_never_taken_for_sql(con: DuckDBPyConnection, text: str) -> None:
    batch = pl.DataFrame({"name": [text, text]})
    assert seen(con, batch)["name"].to_list() == [text, text]


def test_what_every_row_says_is_not_read_row_by_row(con: DuckDBPyConnection) -> None:
    batch = pl.DataFrame({"name": ["same", "same"], "other": ["this", "that"]})
    with incoming(con, batch):
        read = {column[0] for column in con.execute("from arrived limit 0").description or []}
    assert read == {"_row", "other"}


def test_nothing_is_left_of_a_batch_that_was_merged(con: DuckDBPyConnection) -> None:
    seen(con, pl.DataFrame({"name": ["x"]}))
    with pytest.raises(duckdb.CatalogException):
        con.execute("from incoming")
