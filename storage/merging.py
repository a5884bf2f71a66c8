"""The set operations that bring a batch into the hot tables.

Every function runs inside the caller's transaction on the open hot file. `incoming` is the
batch, each row with its number `_row`; `matched` holds, for every row whose key the store has,
whether the values are the same; `unmatched` are the rows of `incoming` that it does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from storage.arrivals import note_arrivals
from storage.cold import cold_files
from storage.incoming import incoming, sql_value
from storage.notation import written_changes, written_key
from storage.schema import CONFIRMED, columns, literal, quoted, same_key, values
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.cold import ColdFile
    from storage.store import Store


class Counts(NamedTuple):
    """What became of the rows."""

    inserted: int = 0
    revised: int = 0
    unchanged: int = 0


def merge_together(
    con: DuckDBPyConnection,
    store: Store,
    dataset: Dataset,
    batches: Sequence[pl.DataFrame],
    *,
    now: datetime,
    again: Sequence[bool],
) -> list[Counts]:
    """Merge batches as if one after the other.

    Where all keys are new to the store and to each other, all rows go in at once: DuckDB writes
    a group of 122,880 rows anew with each insert into it.

    Args:
        con: the hot file, open for writing.
        store: whose cold tier to compare with.
        dataset: the rows' dataset.
        batches: the rows of each.
        now: when revisions happen.
        again: of each batch, whether it was merged before.
    """
    rows = pl.concat(batches)
    alone = len(batches) == 1 or any(again) or dataset.has_doubles(rows)
    if alone or _known(con, store, dataset, rows):
        return [
            merge_rows(con, store, dataset, batch, now=now, again=known)
            for batch, known in zip(batches, again, strict=True)
        ]
    _merge_unique(con, store, dataset, rows, now=now, again=False)
    return [Counts(inserted=batch.height) for batch in batches]


def merge_rows(
    con: DuckDBPyConnection,
    store: Store,
    dataset: Dataset,
    rows: pl.DataFrame,
    *,
    now: datetime,
    again: bool,
) -> Counts:
    """Merge rows that conform; where a key comes twice, the older row goes first.

    Args:
        con: the hot file, open for writing.
        store: whose cold tier to compare with.
        dataset: the rows' dataset.
        rows: the rows.
        now: when revisions happen.
        again: whether this batch was merged before, so that what lost then is known.
    """
    total = Counts()
    for part in _unique_parts(dataset, rows):
        counts = _merge_unique(con, store, dataset, part, now=now, again=again)
        total = Counts(*(a + b for a, b in zip(total, counts, strict=True)))
    return total


def _unique_parts(dataset: Dataset, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut rows into parts in which every key comes once, older rows in earlier parts."""
    if not dataset.has_doubles(rows):
        yield rows
        return
    ranked = rows.sort("ingested_at", maintain_order=True).with_columns(
        pl.int_range(pl.len()).over(*dataset.key).alias("_rank")
    )
    for part in ranked.sort("_rank", maintain_order=True).partition_by("_rank"):
        yield part.drop("_rank")


def _known(con: DuckDBPyConnection, store: Store, dataset: Dataset, rows: pl.DataFrame) -> bool:
    """Whether any row is stored that could have a key of the rows."""
    return not rows.is_empty() and _any(con, _stored_beside(con, store, dataset, rows))


def _any(con: DuckDBPyConnection, rows: str) -> bool:
    return bool(con.execute(f"select 1 from ({rows}) limit 1").fetchall())


def _stored_beside(
    con: DuckDBPyConnection, store: Store, dataset: Dataset, rows: pl.DataFrame
) -> str:
    """Return a query of the stored rows, of both tiers, among which those of the rows' keys are."""
    return union(con, dataset, _touched(store, dataset, rows), _bounds(dataset, rows))


def _merge_unique(
    con: DuckDBPyConnection,
    store: Store,
    dataset: Dataset,
    rows: pl.DataFrame,
    *,
    now: datetime,
    again: bool,
) -> Counts:
    if rows.is_empty():
        return Counts()
    revised = 0
    with incoming(con, rows):
        stored = _stored_beside(con, store, dataset, rows)
        matched, differing, later = _match(con, dataset, stored)
        inserted = _insert_new(con, dataset)
        if inserted:
            note_arrivals(con, dataset, now)
        if differing:
            _collect_differing(con, dataset, stored)
            _record_revisions(con, dataset, now, losers=not again)
            revised = _replace(con, dataset)
        if later:
            _confirm(con, dataset)
    return Counts(inserted=inserted, revised=revised, unchanged=matched - revised)


def _touched(store: Store, dataset: Dataset, rows: pl.DataFrame) -> list[ColdFile]:
    """Return the cold files of the partitions that the rows belong to."""
    files = cold_files(store, dataset)
    if not files:
        return []
    month = pl.col(dataset.time_column).dt.strftime("%Y-%m").alias("month")
    partitions = set(rows.with_columns(month).select(dataset.partition_by).unique().iter_rows())
    return [file for file in files if file.partition in partitions]


def _bounds(dataset: Dataset, rows: pl.DataFrame) -> str:
    """Return a condition that all keys of the rows fulfil, so that little is read."""
    conditions = []
    for name in dataset.key:
        low, high = rows[name].min(), rows[name].max()
        conditions.append(f"{quoted(name)} between {sql_value(low)} and {sql_value(high)}")
    return " and ".join(conditions)


def _row(dataset: Dataset, table: str) -> str:
    return f"row({columns(values(dataset), table)})"


def _match(con: DuckDBPyConnection, dataset: Dataset, stored: str) -> tuple[int, int, int]:
    """Make `matched` and `unmatched`; return how many match, differ, are the same but later."""
    if not _any(con, stored):  # as most batches find it
        con.execute("create or replace temp view unmatched as from incoming")
        return 0, 0, 0
    con.execute(
        f"create or replace temp table matched as select i._row, "
        f"{_row(dataset, 'i')} is not distinct from {_row(dataset, 's')} as same, "
        f"i.ingested_at > s.ingested_at as later "
        f"from incoming i join ({stored}) s on {same_key(dataset, 'i', 's')}"
    )
    con.execute(
        "create or replace temp view unmatched as "
        "from incoming anti join matched using (_row) order by _row"
    )
    counts = con.execute(
        "select count(*), count(*) filter (not same), count(*) filter (same and later) from matched"
    ).fetchall()
    return counts[0]


def _insert_new(con: DuckDBPyConnection, dataset: Dataset) -> int:
    return _changed(
        con,
        f"insert into hot.{quoted(dataset.name)} by name "
        f"select {columns(dataset.columns)} from unmatched",
    )


def _collect_differing(con: DuckDBPyConnection, dataset: Dataset, stored: str) -> None:
    """Make `differing`: rows `i` and `s` that share a key, and whether `i` is the newer.

    Equal times are decided by the values, so that the order of arrival decides nothing.
    """
    table = f"hot.{quoted(dataset.name)}"
    con.execute(
        f"create or replace temp table differing as select i, s, "
        f"row(i.ingested_at, {_row(dataset, 'i')}) > "
        f"row(greatest(s.ingested_at, h.{CONFIRMED}), {_row(dataset, 's')}) as newer "
        f"from (select * from incoming semi join (from matched where not same) using (_row)) i "
        f"join ({stored}) s on {same_key(dataset, 'i', 's')} "
        f"left join {table} h on {same_key(dataset, 'i', 'h')}"
    )


def _record_revisions(
    con: DuckDBPyConnection, dataset: Dataset, now: datetime, *, losers: bool
) -> None:
    """Record the value that did not stay, beside the one that did.

    `revised_at` is later than that of the key's last revision, whatever the clock says, so that
    it names one; `stored_at` is what the clock says. `replaced` says whether what readers see
    changed then.
    """
    con.execute(
        "insert into hot.revisions by name "
        "with decided as (select case when newer then s else i end as old, "
        "case when newer then i else s end as new, newer from differing where newer or $losers), "
        f"written as (select {literal(dataset.name)} as dataset, "
        f"{written_key(dataset, 'new')} as key, {written_changes(dataset, 'old', 'new')} as old, "
        f"{written_changes(dataset, 'new', 'old')} as new, old.source as old_source, "
        "old.ingested_at as old_ingested_at, newer as replaced, new.source as source, "
        "new.ingested_at as ingested_at from decided), "
        "last as (select dataset, key, max(revised_at) as revised from hot.revisions group by all) "
        "select w.*, $now as stored_at, "
        "greatest($now, last.revised + interval 1 microsecond) as revised_at "
        "from written w left join last using (dataset, key)",
        {"now": now, "losers": losers},
    )


def _replace(con: DuckDBPyConnection, dataset: Dataset) -> int:
    table = f"hot.{quoted(dataset.name)}"
    con.execute(
        f"delete from {table} as h using differing d "
        f"where d.newer and {same_key(dataset, 'h', 'd.i')}"
    )
    return _changed(
        con,
        f"insert into {table} by name select {columns(dataset.columns, 'i')} "
        "from differing where newer",
    )


def _confirm(con: DuckDBPyConnection, dataset: Dataset) -> None:
    """Note that a source gave the same values again."""
    con.execute(
        f"update hot.{quoted(dataset.name)} as h set {CONFIRMED} = i.ingested_at "
        f"from incoming i join matched m using (_row) where m.same and m.later "
        f"and {same_key(dataset, 'h', 'i')} "
        f"and i.ingested_at > coalesce(h.{CONFIRMED}, h.ingested_at)"
    )


def _changed(con: DuckDBPyConnection, statement: str) -> int:
    return int(con.execute(statement).fetchall()[0][0])
