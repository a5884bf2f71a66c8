"""Quarantine for a person: which rows are held, why, and letting go of one that is right.

A row waits until the store holds its key with a row as new or newer. It leaves by being in the
store: because later bars confirmed it, because its source sent another, or because a person said
so. That decision is a row of `verdicts`, and nothing is ever deleted from quarantine.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from core.clock import format_utc
from core.datasets import dataset_named
from core.errors import InvalidInput, NothingStored
from storage import hot, quarantine
from storage.cold import cold_files
from storage.hot_file import reading
from storage.schema import columns, literal, same_key, values
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.datasets import Dataset
    from core.receipts import Merge
    from storage.store import Store

# Of a row that breaks another rule nobody can say that it is right: it is no bar at all.
A_MATTER_OF_OPINION = frozenset({"price_jump", "taker_exceeds_volume"})

# Where a quarantined row is now.
WAITING, RELEASED, REPLACED = "waiting", "released", "replaced"


def holdings(store: Store, dataset: str) -> pl.DataFrame:
    """Return every row that was ever quarantined, the newest first.

    Beside the dataset's columns, `reasons`, `batch` and `quarantined_at`: `id`, which names the
    row; and `state`: `waiting`, `released` (the store holds it), or `replaced` (the store
    holds another row of its key, as new or newer).
    """
    declared = dataset_named(dataset)
    rows = quarantine.read(store, dataset)
    with reading(store) as con:
        con.register("quarantined", rows)
        stored = union(con, declared, cold_files(store, declared))
        key = columns(declared.key, "q")
        found: pl.DataFrame = con.sql(
            f"select {_name(declared)} as id, case when h.ingested_at is null then '{WAITING}' "
            f"when {_same_values(declared)} then '{RELEASED}' else '{REPLACED}' end as state, q.* "
            f"from quarantined q left join ({stored}) h on {same_key(declared, 'q', 'h')} "
            f"and h.ingested_at >= q.ingested_at order by q.quarantined_at desc, {key}, id"
        ).pl()
    return found


def find(store: Store, names: Sequence[str]) -> list[tuple[Dataset, dict[str, Any]]]:
    """Return the rows that ids name, or the beginning of them, each with its dataset.

    Raises:
        NothingStored: an id names no quarantined row.
        InvalidInput: the beginning of an id names several.
    """
    tables = {name: holdings(store, name) for name in quarantine.files(store)}
    found = []
    for name in names:
        hits = [
            (dataset_named(dataset), row)
            for dataset, rows in tables.items()
            for row in rows.filter(pl.col("id").str.starts_with(name))
            .unique("id", maintain_order=True)
            .iter_rows(named=True)
        ]
        if not hits or not name:
            raise NothingStored(f"no quarantined row has the id {name!r}")
        if len(hits) > 1:
            ids = ", ".join(str(row["id"]) for _, row in hits[:5])
            raise InvalidInput(f"expected an id of one row, was {name!r}, which begins {ids}")
        found.append(hits[0])
    return found


def release(store: Store, names: Sequence[str], *, now: datetime) -> list[Merge]:
    """Bring quarantined rows into the store because a person says that they are right.

    Args:
        store: whose quarantine.
        names: ids of rows, or the beginnings of them.
        now: when the person says so.

    Returns:
        What became of them, by dataset.

    Raises:
        NothingStored, InvalidInput: as `find`; also where a row is not waiting, or breaks a rule
            that is no matter of opinion. Nothing is released then.
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
    """
    chosen = find(store, names)
    for _, row in chosen:
        _check(row)
    merges = []
    for dataset in {dataset.name: dataset for dataset, _ in chosen}.values():
        rows = [row for of, row in chosen if of is dataset]
        frame = pl.DataFrame(
            [{name: row[name] for name in dataset.columns} for row in rows], schema=dataset.schema
        )
        ids = sorted({str(row["id"]) for row in rows})
        merges.append(
            hot.merge(
                store,
                dataset.name,
                frame.unique(maintain_order=True),
                batch=f"released {' '.join(ids)}",
                now=now,
                verdict_row=_verdict(dataset, ids, rows, now),
            )
        )
    return merges


def _check(row: dict[str, Any]) -> None:
    if row["state"] != WAITING:
        raise InvalidInput(f"expected a row that waits, was {row['id']}, which is {row['state']}")
    broken = sorted(set(row["reasons"]) - A_MATTER_OF_OPINION)
    if broken:
        may = ", ".join(sorted(A_MATTER_OF_OPINION))
        raise InvalidInput(
            f"expected a row held for {may} alone, was {row['id']}, held for {', '.join(broken)}: "
            "no bar is like that, so that it cannot be released"
        )


def _verdict(
    dataset: Dataset, ids: list[str], rows: Sequence[dict[str, Any]], now: datetime
) -> dict[str, Any]:
    """Return the person's decision as a row of `verdicts`."""
    reasons = pl.Series([reason for row in rows for reason in row["reasons"]], dtype=pl.String)
    counts = dict(sorted(reasons.value_counts(name="rows").iter_rows()))
    named = hashlib.sha256(f"{' '.join(ids)} {format_utc(now)}".encode()).hexdigest()
    return {
        "verdict_id": named[:16],
        "dataset": dataset.name,
        "batch": f"released {' '.join(ids)}",
        "rows": len(ids),
        "accepted": len(ids),
        "quarantined": 0,
        "passed": True,
        "reason": None,
        "reasons": json.dumps(counts),
        "warnings": "{}",
        "judged_at": now,
        "source": "person",
        "ingested_at": now,
    }


def _name(dataset: Dataset) -> str:
    """Return an expression: what names a row, its values included."""
    said = f"row({literal(dataset.name)}, {columns(dataset.columns, 'q')})"
    return f"left(md5({said}::VARCHAR), 10)"


def _same_values(dataset: Dataset) -> str:
    mine, theirs = (columns(values(dataset), table) for table in ("q", "h"))
    return f"row({mine}) is not distinct from row({theirs})"
