"""Forgetting: the text of posts leaves every place that it lies in; the rest of a post stays.

The hot tables and the free space of their file, the lake and its older files, landing, quarantine,
and the old values that revisions keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from core.clock import month_span, require_utc, to_micros
from core.datasets import REVISIONS, SOCIAL_POSTS
from core.errors import InvalidInput
from storage import landing, lock, quarantine
from storage.archive import files_of, freeze
from storage.care.rebuild import record_files
from storage.cold import cold_files, scan_files
from storage.files import read_parquet, replacing
from storage.hot_file import in_memory, opened
from storage.schema import columns, literal, quoted
from storage.vacuum import vacuum_unless_read

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from core.receipts import Receipt
    from storage.cold import Partition
    from storage.store import Store

POSTS = SOCIAL_POSTS.name


class Forgotten(msgspec.Struct, frozen=True):
    """How many texts left each place; `later` where a reader kept old files of the lake alive."""

    hot: int = 0
    cold: int = 0
    landed: int = 0
    quarantined: int = 0
    revisions: int = 0
    later: bool = False

    @property
    def texts(self) -> int:
        """How many in all; a text that lay in several places counts in each."""
        return self.hot + self.cold + self.landed + self.quarantined + self.revisions


def forget_texts(store: Store, *, before: datetime, now: datetime) -> Forgotten:
    """Remove the texts of posts that were made before a moment, wherever they lie.

    Whatever is interrupted is simply run again.

    Raises:
        InvalidInput: `before` is not before `now`.
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
        LakeTaken: another desk writes to this lake.
    """
    if require_utc(before) >= require_utc(now):
        raise InvalidInput(f"expected a moment before {now}, was {before}")
    with lock.one_writer(store, "forgetting texts", lock.Patience(store.lock_wait)):
        partitions = _partitions(store, before)
        cold = sum(_cold(store, partition, before) for partition in partitions)
        if cold:
            record_files(store, now)
        hot, revisions = _hot(store, before, now) if store.hot_path.exists() else (0, 0)
        if (hot or revisions or cold) and store.hot_path.exists():
            _rewrite(store)
        later = bool(partitions) and vacuum_unless_read(store, SOCIAL_POSTS, now=now) is None
    landed = _landed(store, before, now)
    quarantined = _quarantined(store, before)
    return Forgotten(hot, cold, landed, quarantined, revisions, later)


def _hot(store: Store, before: datetime, now: datetime) -> tuple[int, int]:
    """Empty the texts of the hot posts; revisions keep none, however old the post is."""
    old = f"text is not null and time < make_timestamptz({to_micros(before)})"
    with opened(store, now=now) as con:
        hot = _count(con, f"update hot.{quoted(POSTS)} set text = null where {old}")
        has = "(json_exists(old, '$.text') or json_exists(new, '$.text'))"
        without = ", ".join(
            f"""{name} = json_merge_patch({name}, '{{"text": null}}')""" for name in ("old", "new")
        )
        revisions = _count(
            con,
            f"update hot.{quoted(REVISIONS.name)} set {without} "
            f"where dataset = {literal(POSTS)} and {has}",
        )
    return hot, revisions


def _count(con: DuckDBPyConnection, statement: str) -> int:
    return int(con.execute(statement).fetchall()[0][0])


def _rewrite(store: Store) -> None:
    """Copy the hot tables into a new file: what a row was before lies on in a file's free space.

    Only for who holds the write lock.
    """
    with (
        lock.hot_alone(store, lock.Patience(store.lock_wait)),
        replacing(store.hot_path) as path,
        in_memory() as con,
    ):
        con.execute(f"attach {literal(str(store.hot_path))} as old (read_only)")
        con.execute(f"attach {literal(str(path))} as fresh")
        con.execute("copy from database old to fresh")
        con.execute("detach fresh")
        con.execute("detach old")


def _partitions(store: Store, before: datetime) -> list[Partition]:
    """Return the months of the lake that have posts of before."""
    held = {file.partition for file in cold_files(store, SOCIAL_POSTS)}
    month = SOCIAL_POSTS.partition_by.index("month")
    return sorted(one for one in held if month_span(one[month])[0] < before)


def _cold(store: Store, partition: Partition, before: datetime) -> int:
    """Write a month anew without the texts; return how many there were."""
    files = files_of(store, SOCIAL_POSTS, partition)
    with in_memory() as con:
        found = scan_files(con, SOCIAL_POSTS, files)
        ordered = con.sql(f"from ({found}) order by {columns(SOCIAL_POSTS.key)}")
        rows = SOCIAL_POSTS.conform(ordered.pl())
    kept, count = _without_texts(rows, before)
    if count:
        freeze(store, SOCIAL_POSTS, partition, kept)
    return count


def _landed(store: Store, before: datetime, now: datetime) -> int:
    """Delete landed batches that are settled, and write those anew that still wait."""
    waiting = {store.home / receipt.path: receipt for receipt in landing.pending(store)}
    count = 0
    for path in sorted((store.landing / POSTS).glob("*.parquet")):
        kept, texts = _without_texts(read_parquet(path), before)
        if not texts:
            continue
        if path in waiting:
            _land_again(store, waiting[path], kept, now)
        path.unlink()
        count += texts
    return count


def _land_again(store: Store, receipt: Receipt, rows: pl.DataFrame, now: datetime) -> None:
    landing.land(store, POSTS, SOCIAL_POSTS.conform(rows), source=receipt.source, now=now)


def _quarantined(store: Store, before: datetime) -> int:
    """Write quarantined batches anew; a post is at most as young as its quarantine."""
    count = 0
    for path in sorted((store.quarantine / POSTS).glob("*.parquet")):
        rows = read_parquet(path)
        made = pl.min_horizontal("time", "quarantined_at")
        kept, texts = _without_texts(rows, before, made)
        if texts:
            quarantine.rewrite(path, kept)
            count += texts
    return count


def _without_texts(
    rows: pl.DataFrame, before: datetime, made: pl.Expr | None = None
) -> tuple[pl.DataFrame, int]:
    """Return the rows without texts of before, and how many there were."""
    old = (pl.col("time") if made is None else made) < before
    there = old & pl.col("text").is_not_null()
    count = int(rows.select(there.sum()).item())
    return rows.with_columns(text=pl.when(~old).then(pl.col("text"))), count
