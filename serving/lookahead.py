"""What a terminal shows of a proof: who knows more than its time did, and where it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.clock import format_utc
from serving.terminal import new_console, new_table
from serving.words import MISSING, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# What each kind of finding is to a trader.
WORDS = {
    "truncated": "looks ahead",
    "poisoned": "looks ahead",
    "warm-up": "warm-up too short",
    "refused": "cannot be run",
}


def findings_of(strategies: Sequence[Any], found: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Return one row for a program per strategy and symbol; `finding` is None for a clean one."""
    return [
        {
            "strategy_id": strategy.id,
            "symbol": symbol,
            "clean": finding is None,
            "finding": finding,
        }
        for symbol, findings in found.items()
        for strategy, finding in zip(strategies, findings, strict=True)
    ]


def show_findings(strategies: Sequence[Any], rows: Iterable[Any]) -> None:
    """Print each verdict, and for what was found where history was cut and what differed first."""
    console = new_console()
    for strategy in strategies:
        console.print(f"{strategy.id}", style="bold", highlight=False)
        console.print(strategy.text, highlight=False, markup=False)
    table = new_table(
        "strategy",
        "symbol",
        "verdict",
        "history cut at",
        "what differs",
        "first at",
        "whole history",
        "cut history",
    )
    wrong = total = 0
    for row in rows:
        total += 1
        wrong += not row["clean"]
        table.add_row(row["strategy_id"], row["symbol"], *_cells(row["finding"]))
    console.print(table)
    if wrong:
        console.print(f"{wrong} of {plural(total, 'proof')} failed", style="bold")
    else:
        console.print("no look-ahead: every shorter history tells the same", style="bold")


def _cells(finding: Any) -> tuple[str, ...]:
    if finding is None:
        return ("clean", *[MISSING] * 5)
    if finding.kind == "refused":
        return (WORDS["refused"], *[MISSING] * 4, finding.other)
    cut, first = format_utc(finding.cut_time), format_utc(finding.time)
    what = f"{finding.what} (no. {finding.first})"
    return (WORDS[finding.kind], cut, what, first, finding.whole, finding.other)
