"""What a dataset is: a table's contract, declared once and read by every room."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - dataclass fields are read at run time
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from core.errors import ContractBroken

TIME = pl.Datetime("us", "UTC")

# What every stored row says of itself: who gave it to us, and when.
PROVENANCE = {"source": pl.String(), "ingested_at": TIME}


@dataclass(frozen=True)
class Dataset:
    """A table's contract.

    `key` names a row; `time_column` orders rows and names their month; `partition_by` are the
    hive folders of the cold tier (`month` is made from the time column); `hot_days` is how long
    rows stay hot once they are safe in cold, None for ever; `keep_days` is how long they are kept
    at all, None for ever. `since` names the columns that a migration of the store added, each
    with that migration's number: rows that were written before it have null there.
    """

    name: str
    columns: Mapping[str, Any]
    key: tuple[str, ...]
    time_column: str
    description: str
    partition_by: tuple[str, ...] = ("month",)
    hot_days: int | None = None
    keep_days: int | None = None
    since: Mapping[str, int] = field(default_factory=dict)

    @property
    def schema(self) -> pl.Schema:
        """Columns and types, in order."""
        return pl.Schema(self.columns)

    def empty(self) -> pl.DataFrame:
        """Return a frame of no rows."""
        return pl.DataFrame(schema=self.schema)

    def has_doubles(self, frame: pl.DataFrame) -> bool:
        """Return whether a key comes twice; columns that never change are not looked at."""
        key = [frame[name].to_physical() for name in self.key]  # whatever a time is, it is a number
        varies = [column for column in key if not column.eq_missing(column.first()).all()]
        if len(varies) == 1:
            return varies[0].n_unique() < frame.height
        return bool(pl.DataFrame(varies or key).is_duplicated().any())

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the columns in order, or raise `ContractBroken`.

        Only order is mended, and columns of nulls that have no type yet. A wrong type is an
        error: whoever made the frame knows what its values mean, this function does not.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        extra = [name for name in frame.columns if name not in self.columns]
        if missing or extra:
            raise ContractBroken(self.name, f"columns missing {missing}, not known {extra}")
        untyped = [pl.col(c).cast(self.columns[c]) for c, t in frame.schema.items() if t == pl.Null]
        frame = frame.select(*self.columns).with_columns(untyped)
        wrong = [
            f"{name} was {was}, expected {expected}"
            for (name, expected), was in zip(self.columns.items(), frame.dtypes, strict=True)
            if was != expected
        ]
        if wrong:
            raise ContractBroken(self.name, "; ".join(wrong))
        return frame
