"""The night in a terminal, in the order of its page, short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving.checks import check
from serving.terminal import new_console, new_table
from serving.words import (
    MISSING,
    TIMES,
    about,
    between,
    count,
    decimal,
    known,
    odds,
    percent,
    plural,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

_NEAR, _TEXTS = 3, 3  # how many are told in more than a line of a table
_NUMBERS = range(2, 9)


def show_night(summary: Any) -> None:
    """Print what a night came to; `summary` is a `NightSummary`."""
    console = new_console()
    console.print()
    if summary.alarm is not None:
        console.print(
            f"ALARM: worlds without an edge look {decimal(summary.alarm, 1)} {TIMES} as good as "
            "luck allows. Trust no number of this night.",
            style="bold white on red",
        )
    if summary.venue == "sandbox":
        console.print("SANDBOX: not real markets", style="reverse")
    console.print(summary.headline, style="bold", highlight=False, markup=False)
    for line in _luck(summary):
        console.print(line, highlight=False)
    if summary.promoted:
        console.print(_table(summary.promoted))
        for row in summary.promoted[:_TEXTS]:
            console.print(f"{row['candidate_id']}, {row['market']}:", style="dim", highlight=False)
            console.print(row["text"], highlight=False, markup=False)
        if (more := len(summary.promoted) - _TEXTS) > 0:
            console.print(f"the report has the other {plural(more, 'text')}", style="dim")
    if summary.nearest:
        console.print("Nearest, and not promoted:" if summary.promoted else "Nearest:")
        console.print(_table(summary.nearest[:_NEAR]))
        for row in summary.nearest[:_NEAR]:
            console.print(f"{row['candidate_id']}: {row['why']}", highlight=False, markup=False)
    for line in _counts(summary):
        console.print(line, highlight=False)
    seconds = sum(summary.timings.values())
    stages = ", ".join(f"{stage} {took:.0f} s" for stage, took in summary.timings.items())
    console.print(f"took {seconds:.0f} s ({stages})", style="dim")
    console.print(f"report: {summary.report}", soft_wrap=True, highlight=False)


def _luck(summary: Any) -> Iterator[str]:
    if summary.worlds:
        permuted = (
            f"; p = {odds(summary.permutation_p)} in "
            f"{plural(summary.permuted_worlds, 'permuted world')}"
            if summary.permuted_worlds
            else ""
        )
        yield (
            f"best score {decimal(summary.best_score)}; luck did as well in "
            f"{count(summary.as_good)} of {plural(summary.worlds, 'mirrored world')}: "
            f"p = {odds(summary.p_value)}, at most {odds(summary.alpha)} promotes{permuted}"
        )
    if known(summary.smallest_sharpe):
        yield (
            f"such a night finds a true Sharpe ratio of {decimal(summary.smallest_sharpe, 1)} four "
            f"times in five; luck reaches {decimal(summary.luck_hurdle, 1)} with probability "
            f"{odds(summary.alpha)}"
        )


def _counts(summary: Any) -> Iterator[str]:
    ended = [f"{count(n)} {check(verdict).label}" for verdict, n in summary.verdicts.items()]
    lucky = (
        f", as lucky as {about(summary.effective_trials)} unrelated ones"
        if known(summary.effective_trials)
        else ""
    )
    yield (
        f"{plural(summary.trials, 'trial')} of {count(summary.distinct_trials)} strategies on "
        f"{plural(len(summary.symbols), 'symbol')} of {summary.venue}{lucky}; "
        f"{count(summary.refused)} refused by the look-ahead proof"
    )
    yield f"{plural(summary.candidates, 'candidate')}: {', '.join(ended) or 'none'}"
    if summary.ledger:
        yield f"ledger: {summary.ledger}"
    if summary.running:
        yield f"paper trading: {plural(summary.running, 'promotion')} running"


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = new_table(
        *("candidate", "market", "score", "left", "p", "p permuted", "return", "fall", "trades"),
        numbers=_NUMBERS,
    )
    for row in rows:
        table.add_row(
            row["candidate_id"],
            row["market"],
            decimal(row["score"]),
            MISSING if row["shrunk"] is None else between(row["cautious"], row["shrunk"]),
            odds(row["p_value"]),
            odds(row["permutation_p"]),
            percent(row["total_return"], signed=True),
            percent(row["max_drawdown"]),
            count(row["trades"]),
        )
    return table
