"""The hot tier: accepted rows go into DuckDB, each key once, history kept.

A batch is never merged in part. Each of its rows is compared with what hot and cold hold: a new key
is inserted; equal values change nothing; of differing values the newest `ingested_at` stays,
and the other is recorded in `revisions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from core.datasets import VERDICTS, dataset_named
from core.errors import ContractBroken
from core.market import check_symbol, check_venue, interval_step
from core.receipts import Merge
from storage import quarantine as held_back
from storage.files import content_sha256
from storage.hot_file import writing
from storage.merging import merge_rows, merge_together

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.store import Store

_CHECKS = {"venue": check_venue, "symbol": check_symbol, "interval": interval_step}


class Batch(NamedTuple):
    """What the gate let through of one batch.

    `name` is the `path` of the batch's receipt, `quarantined` how many of its rows the gate held
    back, `verdict_row` its verdict as a row of `verdicts`.
    """

    name: str
    accepted: pl.DataFrame
    quarantined: int = 0
    verdict_row: dict[str, Any] | None = None


def merge(
    store: Store,
    dataset: str,
    accepted: pl.DataFrame,
    *,
    batch: str,
    now: datetime,
    quarantined: int = 0,
    verdict_row: dict[str, Any] | None = None,
) -> Merge:
    """Bring a batch's accepted rows into the store and record the batch as merged.

    The same batch again changes nothing. Rows of the batch that lost against newer ones of the
    store count as unchanged.

    Args:
        store: where to.
        dataset: name of the rows' dataset.
        accepted: rows with the dataset's columns.
        batch: the batch's name: the `path` of its receipt.
        now: when this happens.
        quarantined: how many of its rows the gate held back.
        verdict_row: the gate's verdict as a row of `verdicts`.

    Raises:
        ContractBroken: the rows do not conform, or a key or time is null.
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
    """
    [merged] = merge_all(
        store, dataset, [Batch(batch, accepted, quarantined, verdict_row)], now=now
    )
    return merged


def merge_all(
    store: Store, dataset: str, batches: Sequence[Batch], *, now: datetime
) -> list[Merge]:
    """Merge batches of one dataset as `merge` does, one after the other, in one transaction.

    All of them are merged or none is.
    """
    declared = dataset_named(dataset)
    rows = [_checked(declared, batch.accepted) for batch in batches]
    released = [_released(store, declared, accepted) for accepted in rows]
    with writing(store, f"merging {_named(batches)}", now=now) as con:
        again = [_state(con, batch.name) == "merged" for batch in batches]
        counts = merge_together(con, store, declared, rows, now=now, again=again)
        _record_verdicts(con, [batch.verdict_row for batch in batches if batch.verdict_row])
        for batch, accepted in zip(batches, rows, strict=True):
            _record_batch(con, batch.name, dataset, "merged", accepted.height, now)
    return [
        Merge(
            dataset=dataset,
            batch=batch.name,
            rows=accepted.height,
            inserted=count.inserted,
            revised=count.revised,
            unchanged=count.unchanged,
            quarantined=batch.quarantined,
            released=waited,
        )
        for batch, accepted, count, waited in zip(batches, rows, counts, released, strict=True)
    ]


def _named(batches: Sequence[Batch]) -> str:
    """Name batches for whoever has to wait for them."""
    others = len(batches) - 1
    return batches[0].name + (f" and {others} more" if others else "")


def put(store: Store, dataset: str, frame: pl.DataFrame, *, now: datetime) -> Merge:
    """Bring rows that nightjar made itself into the store, by the same rules as a batch."""
    declared = dataset_named(dataset)
    rows = _checked(declared, frame)
    name = f"{dataset} {content_sha256(rows)[:16]}"
    with writing(store, f"storing {name}", now=now) as con:
        counts = merge_rows(con, store, declared, rows, now=now, again=False)
    return Merge(
        dataset=dataset,
        batch=name,
        rows=rows.height,
        inserted=counts.inserted,
        revised=counts.revised,
        unchanged=counts.unchanged,
    )


def refuse(store: Store, batch: str, verdict_row: dict[str, Any], now: datetime) -> None:
    """Record that the gate refused a batch, so that it is pending no more."""
    with writing(store, f"refusing {batch}", now=now) as con:
        _record_verdicts(con, [verdict_row])
        _record_batch(con, batch, verdict_row["dataset"], "refused", verdict_row["rows"], now)


def _checked(dataset: Dataset, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame conforming, its keys and times there, its folder names safe."""
    frame = dataset.conform(frame)
    needed = [*dict.fromkeys([*dataset.key, dataset.time_column, "ingested_at"])]
    nulls = [name for name in needed if frame[name].null_count()]
    if nulls:
        raise ContractBroken(dataset.name, f"expected a value in every row of {nulls}")
    for name in dataset.partition_by:
        if check := _CHECKS.get(name):
            for value in frame[name].unique():
                check(value)
    return frame


def _released(store: Store, dataset: Dataset, rows: pl.DataFrame) -> int:
    """Count the rows that waited in quarantine: they are older than the batch they came with."""
    older = rows.filter(pl.col("ingested_at") < pl.col("ingested_at").max())
    if older.is_empty():
        return 0
    name = [*dataset.key, "ingested_at"]
    return older.join(held_back.read(store, dataset.name), on=name, how="semi").height


def _state(con: DuckDBPyConnection, batch: str) -> str | None:
    rows = con.execute("select state from hot.batches where batch = ?", [batch]).fetchall()
    return str(rows[0][0]) if rows else None


def _record_batch(con: DuckDBPyConnection, *row: str | int | datetime) -> None:
    """Write a row of `batches`: batch, dataset, state, rows, settled_at."""
    con.execute("delete from hot.batches where batch = ?", [row[0]])
    con.execute("insert into hot.batches values (?, ?, ?, ?, ?)", [*row])


def _record_verdicts(con: DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    con.register("judged", VERDICTS.conform(pl.DataFrame(rows, schema_overrides=VERDICTS.schema)))
    con.execute("delete from hot.verdicts where verdict_id in (select verdict_id from judged)")
    con.execute("insert into hot.verdicts by name from judged")
    con.unregister("judged")
