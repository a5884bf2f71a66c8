"""Parquet and Feather that somebody else wrote, and that may be damaged.

Arrow's own readers look at what they are told; Polars' take a file at its word, and a few wrong
bytes end the whole process in them (`memory allocation of 2305843009213693952 bytes failed`).
Formats: https://parquet.apache.org/docs/file-format/ and
https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from sources.numbers import Refuse

MOST_COLUMNS = 200
MOST_ROWS = 50_000_000

# A cell that Arrow knows and Polars does not panics there.
_UNREADABLE = (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)


def from_parquet(data: bytes, refuse: Refuse) -> pl.DataFrame:
    """Return the rows of a Parquet file."""
    try:
        with parquet.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
            _require_size(file.metadata.num_rows, file.metadata.num_columns, refuse)
            return _frame(file.read(use_threads=False))
    except (*_UNREADABLE, OSError, ValueError, MemoryError, RecursionError) as error:
        raise refuse(f"expected a whole Parquet file, was not: {str(error)[:200]}") from None


def from_feather(data: bytes, refuse: Refuse) -> pl.DataFrame:
    """Return the rows of a Feather file (Arrow IPC)."""
    try:
        with pa.ipc.open_file(pa.BufferReader(data)) as file:
            batches, rows = [], 0
            for number in range(file.num_record_batches):
                batches.append(file.get_batch(number))
                rows += batches[-1].num_rows
                _require_size(rows, len(file.schema), refuse)
            return _frame(pa.Table.from_batches(batches, file.schema))
    except (*_UNREADABLE, OSError, ValueError, MemoryError, RecursionError) as error:
        raise refuse(f"expected a whole Feather file, was not: {str(error)[:200]}") from None


def _require_size(rows: int, columns: int, refuse: Refuse) -> None:
    if columns > MOST_COLUMNS or rows > MOST_ROWS:
        raise refuse(
            f"expected at most {MOST_ROWS} rows and {MOST_COLUMNS} columns, was {(rows, columns)}"
        )


def _frame(table: pa.Table) -> pl.DataFrame:
    table.validate(full=True)  # that offsets point into their column, and texts are UTF-8
    return pl.DataFrame(pl.from_arrow(table))
