"""The ledger in a terminal: each night's place in the chain, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.terminal import cell, new_console, new_table
from serving.words import MISSING, count, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from storage.ledger import LedgerFault

SHORT = 16  # digits of a hash that a table has room for


def show_ledger(nights: pl.DataFrame) -> None:
    """Print one row per night: its place, its trials, its hashes."""
    console = new_console()
    if nights.is_empty():
        console.print("The ledger is empty; `nightjar nightly` writes its first night.")
        return
    table = new_table(
        *("place", "night", "trials", "strategies", "digest", "chain"), numbers=(0, 2, 3)
    )
    for row in nights.to_dicts():
        table.add_row(
            cell(row["sequence"]),
            row["night"],
            count(row["rows"]),
            count(row["strategies"]),
            *((row[name] or MISSING)[:SHORT] for name in ("digest", "chain")),
        )
    console.print(table)
    last = nights["chain"].drop_nulls()
    if last.len():
        trials = int(nights["rows"].sum())
        console.print(f"{plural(trials, 'trial')}; the chain ends in")
        console.print(last[-1], highlight=False)


def show_faults(faults: Sequence[LedgerFault], nights: int, trials: int) -> None:
    """Print whether the ledger is whole, and else where it is not."""
    console = new_console()
    for fault in faults:
        console.print(f"{fault.night}: {fault.says}", highlight=False, markup=False)
    broken = len({fault.night for fault in faults if fault.broken})
    whole = f"{plural(nights, 'night')}, {plural(trials, 'trial')}"
    if broken:
        console.print(
            f"The ledger is broken at {plural(broken, 'night')} of {whole}.", style="bold"
        )
    else:
        console.print(f"The ledger is whole: {whole}.", style="bold")
