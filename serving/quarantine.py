"""What a person sees of quarantine: lists, and one row with all that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import dataset_named
from core.market import interval_step
from serving.reasons import REASONS
from serving.terminal import cell, new_console, new_table
from serving.words import count, plural
from storage import quarantine
from storage.lake import read_candles
from storage.release import A_MATTER_OF_OPINION, WAITING, find, holdings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.datasets import Dataset
    from core.receipts import Merge
    from storage.store import Store

Row = dict[str, Any]

AROUND = 5  # bars that are shown on each side of a held one


def listing(
    store: Store,
    *,
    dataset: str | None = None,
    symbols: Sequence[str] | None = None,
    reason: str | None = None,
    every: bool = False,
) -> list[Row]:
    """Return the quarantined rows, the newest first: id, dataset, key, reasons, state, since when.

    Args:
        store: whose quarantine.
        dataset: of which table; default is all.
        symbols: of which markets; default is all.
        reason: held for what; default is anything.
        every: whether rows that do not wait any more are listed too.
    """
    found: list[Row] = []
    for name in quarantine.files(store):
        if dataset in {None, name}:
            rows = holdings(store, name)
            if not every:
                rows = rows.filter(state=WAITING)
            if symbols:
                there = "symbol" in rows.columns
                rows = rows.filter(
                    pl.col("symbol").is_in(symbols) if there else pl.lit(value=False)
                )
            if reason:
                rows = rows.filter(pl.col("reasons").list.contains(reason))
            found += [_listed(name, row) for row in rows.iter_rows(named=True)]
    return sorted(found, key=lambda row: row["quarantined_at"], reverse=True)


def _listed(dataset: str, row: Row) -> Row:
    key = dataset_named(dataset).key
    return {
        "id": row["id"],
        "dataset": dataset,
        "key": " ".join(cell(row[name]) for name in key),
        "reasons": row["reasons"],
        "state": row["state"],
        "quarantined_at": row["quarantined_at"],
    }


def details(store: Store, name: str) -> Row:
    """Return all that is known of one row: values, reasons explained, neighbours, what may be done.

    Raises:
        NothingStored, InvalidInput: as `storage.release.find`.
    """
    [(dataset, row)] = find(store, [name])
    releasable = row["state"] == WAITING and set(row["reasons"]) <= A_MATTER_OF_OPINION
    return {
        "id": row["id"],
        "dataset": dataset.name,
        "state": row["state"],
        "because": {reason: REASONS.get(reason, "") for reason in row["reasons"]},
        "batch": row["batch"],
        "quarantined_at": row["quarantined_at"],
        "row": {column: row[column] for column in dataset.columns},
        "neighbours": _neighbours(store, dataset, row),
        "releasable": releasable,
    }


def _neighbours(store: Store, dataset: Dataset, row: Row) -> list[Row]:
    """Return the stored bars around a held one: open_time and close."""
    if dataset.name != "candles" or row["interval"] is None or row["open_time"] is None:
        return []
    step = interval_step(row["interval"])
    when: datetime = row["open_time"]
    bars = read_candles(
        store,
        venue=row["venue"],
        symbols=[row["symbol"]],
        interval=row["interval"],
        start=when - AROUND * step,
        end=when + (AROUND + 1) * step,
    )
    return bars.select("open_time", "open", "high", "low", "close", "volume").to_dicts()


def show_listing(rows: Sequence[Row], *, most: int) -> None:
    """Print a list of quarantined rows."""
    console = new_console()
    if not rows:
        console.print("No row waits in quarantine.")
        return
    table = new_table("id", "dataset", "key", "reasons", "state", "since")
    for row in rows[:most]:
        table.add_row(
            *(row["id"], row["dataset"], row["key"], ", ".join(row["reasons"])),
            *(row["state"], cell(row["quarantined_at"])),
        )
    console.print(table)
    more = len(rows) - most
    console.print(
        plural(len(rows), "row") + (f", {count(more)} more than are shown" if more > 0 else ""),
        style="dim",
    )


def show_details(found: Row) -> None:
    """Print one quarantined row."""
    console = new_console()
    console.print(f"{found['id']}  {found['dataset']}, {found['state']}", highlight=False)
    for reason, why in found["because"].items():
        console.print(f"  {reason}: {why}" if why else f"  {reason}", highlight=False, markup=False)
    console.print(f"  since {cell(found['quarantined_at'])}, of {found['batch']}", highlight=False)
    width = max(map(len, found["row"]))
    for name, value in found["row"].items():
        console.print(f"{name:>{width}}  {cell(value)}", highlight=False, markup=False)
    if found["neighbours"]:
        columns = list(found["neighbours"][0])
        table = new_table(*columns, numbers=range(1, len(columns)))
        for bar in found["neighbours"]:
            table.add_row(*(cell(value) for value in bar.values()))
        console.print("What the store holds around it:")
        console.print(table)
    if found["releasable"]:
        console.print(f"If it is right: nightjar quarantine release {found['id']}", highlight=False)
    elif found["state"] == WAITING:
        console.print("It cannot be released: no true row breaks such a rule.")


def show_released(merges: Sequence[Merge]) -> None:
    """Print what became of released rows."""
    console = new_console()
    for merge in merges:
        console.print(
            f"{merge.dataset}: {plural(merge.inserted, 'row')} released"
            + (f", {count(merge.unchanged)} already there" if merge.unchanged else "")
            + (f", {count(merge.revised)} in place of older ones" if merge.revised else ""),
            highlight=False,
        )
