"""A replay in a terminal: equal, or where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving.terminal import new_console, new_table
from serving.words import count, plural

if TYPE_CHECKING:
    from rich.console import Console


def show_replay(summary: Any) -> None:
    """Print what had changed before the replay, whether it is equal, and else where not."""
    console = new_console()
    console.print()
    for change in summary.changes:
        console.print(
            f"the {change.what} is not what it was: {change.then} then, {change.now} now",
            style="yellow",
            highlight=False,
        )
    rows = sum(table.rows for table in summary.tables)
    if summary.equal:
        console.print(f"{summary.night} is equal: {plural(rows, 'row')} compared", style="bold")
    else:
        _show_differences(console, summary, rows)
    seconds = sum(summary.timings.values())
    stages = ", ".join(f"{stage} {took:.0f} s" for stage, took in summary.timings.items())
    console.print(f"took {seconds:.0f} s ({stages})", style="dim")


def _show_differences(console: Console, summary: Any, rows: int) -> None:
    differing = sum(table.differing for table in summary.tables)
    console.print(
        f"{summary.night} is not equal: {count(differing)} of {plural(rows, 'row')} differ",
        style="bold red",
    )
    table = new_table("table", "row", "column", "stored", "again")
    for compared in summary.tables:
        for one in compared.first:
            table.add_row(one.dataset, one.row, one.column or "(all)", one.stored, one.again)
        if (more := compared.differing - len({one.row for one in compared.first})) > 0:
            table.add_row(compared.dataset, f"and {plural(more, 'row')} more", "", "", "")
    console.print(table)
    if not summary.changes:
        console.print(
            "data, code and libraries are the same: what is stored was changed, or something "
            "that should not decide a night does",
            style="yellow",
        )
    console.print(f"what was made again: {summary.kept}", soft_wrap=True, highlight=False)
