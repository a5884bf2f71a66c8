"""The desk's book for people: promotions on paper, and whether choosing them was worth anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving import markdown
from serving.terminal import new_console, new_table
from serving.words import MISSING, count, decimal, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = list[str]

STANDINGS = ("candidate", "market", "promoted", "day", "paper", "forecast", "kill line", "status")
SCORECARD = ("cohort", "candidates", "days", "a day", "expected", "Sharpe", "running", "confirmed")
NOTHING = "Nothing is on paper yet; a night that promotes something puts it there."


def show_book(book: Any) -> None:
    """Print the promotions, the scorecard, and what it says."""
    console = new_console()
    if not any(cohort.candidates for cohort in book.scorecard):
        console.print(NOTHING)
        return
    for columns, rows, numbers in (
        (STANDINGS, standing_rows(book), range(3, 7)),
        (SCORECARD, scorecard_rows(book), range(1, 8)),
    ):
        if rows:
            table = new_table(*columns, numbers=numbers)
            for row in rows:
                table.add_row(*row)
            console.print(table)
        else:
            console.print("Nothing is promoted.")
    for sentence in verdicts(book):
        console.print(sentence, highlight=False)


def book_markdown(book: Any) -> str:
    """Write the book as Markdown, for an artifact."""
    parts = ["## Promotions on paper"]
    rows = standing_rows(book)
    parts.append(_table(STANDINGS, rows) if rows else "Nothing is promoted.")
    parts += ["## What choosing is worth", _table(SCORECARD, scorecard_rows(book))]
    return "\n\n".join([*parts, *(f"- {markdown.escape(one)}" for one in verdicts(book))])


def standing_rows(book: Any) -> list[Row]:
    """Return the promotions as cells: sums of daily returns beside what was planned."""
    return [
        [
            one.strategy_id,
            one.symbol if one.kind == "rule" else one.kind,
            one.night[:10],
            f"{count(one.days)} of {count(one.horizon_days)}",
            percent(one.earned, 2, signed=True),
            percent(one.forecast, 2, signed=True),
            MISSING if one.kill_line is None else percent(one.kill_line, 2, signed=True),
            one.status if one.ended is None else f"{one.status} {one.ended}",
        ]
        for one in book.standings
    ]


def scorecard_rows(book: Any) -> list[Row]:
    """Return the cohorts as cells."""
    return [
        [
            one.cohort,
            count(one.candidates),
            count(one.days),
            percent(one.daily, 3, signed=True) if one.days else MISSING,
            percent(one.expected, 3, signed=True) if one.candidates else MISSING,
            decimal(one.sharpe) if one.days else MISSING,
            count(one.running),
            count(one.confirmed),
        ]
        for one in book.scorecard
    ]


def verdicts(book: Any) -> list[str]:
    """Say of each pair of cohorts which earned more, and how sure that is."""
    return [
        f"{edge.better} against {edge.than}: {percent(edge.daily, 3, signed=True)} a day over "
        f"{plural(edge.days, 'day')}, better with probability {decimal(edge.sure)}"
        for edge in book.edges
        if edge.sure is not None
    ]


def _table(columns: Sequence[str], rows: list[Row]) -> str:
    return markdown.table([(name, [row[at] for row in rows]) for at, name in enumerate(columns)])
