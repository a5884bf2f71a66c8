"""What a terminal shows: tables that fit it, and a sentence before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from core.clock import format_utc
from serving.calendar import drawn, legend
from serving.causes import in_words
from serving.words import count, decimal, odds, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import polars as pl

    from serving.status import Status

MOST_ROWS = 1_000
PIPE_WIDTH = 200


def show_ingest(summary: Any) -> None:
    """Print what a collection did, and that it did nothing where that is so."""
    console = new_console()
    for note in summary.notes:
        console.print(note, highlight=False, markup=False)
    new, known = summary.total("inserted"), summary.total("unchanged")
    revised, held = summary.total("revised"), summary.total("quarantined")
    if not (new or revised or held or summary.total("released")):
        console.print(
            f"nothing new from {summary.source}: {count(known)} bars were already there"
            if known
            else f"nothing new from {summary.source}"
        )
    else:
        console.print(
            f"{summary.source}: {count(new)} new bars, {count(known)} already there, "
            f"{count(revised)} revised, {count(held)} quarantined, "
            f"{count(summary.total('released'))} released from quarantine"
        )
    for row in summary.coverage:
        console.print(
            f"{row['venue']} {row['symbol']} {row['interval']}: {plural(row['bars'], 'bar')} from "
            f"{format_utc(row['first'])} to {format_utc(row['last'])}, "
            f"{plural(row['missing'], 'bar')} missing",
            highlight=False,
        )


def show_frame(frame: pl.DataFrame) -> None:
    """Print the answer to a query."""
    console = new_console()
    rows = [[cell(value) for value in row] for row in frame.head(MOST_ROWS).iter_rows()]
    table = new_table(*frame.columns, numbers=_numeric(frame))
    for row in rows:
        table.add_row(*row)
    if console.measure(table).maximum <= console.width:
        console.print(table)
    else:  # too wide to read as a table: one block a row
        margin = max(map(len, frame.columns))
        for row in rows:
            console.rule(style="dim")
            for name, text in zip(frame.columns, row, strict=True):
                console.print(f"{name:>{margin}}  {text}", highlight=False, markup=False)
    more = frame.height - MOST_ROWS
    console.print(
        plural(frame.height, "row") + (f", the first {count(MOST_ROWS)} shown" if more > 0 else ""),
        style="dim",
    )


def show_backtest(strategies: Sequence[Any], result: Any) -> None:
    """Print the metrics of one's own strategies."""
    console = new_console()
    for strategy in strategies:
        console.print(f"{strategy.id}", style="bold", highlight=False)
        console.print(strategy.text, highlight=False, markup=False)
    wanted = ("total_return", "sharpe", "sortino", "max_drawdown", "win_rate", "trades", "exposure")
    table = new_table("strategy", "symbol", *wanted, numbers=range(2, 9))
    for row in result.metrics.to_dicts():
        table.add_row(row["strategy_id"], row["symbol"], *(cell(row[name]) for name in wanted))
    console.print(table)


def show_status(status: Status) -> None:
    """Print what the store holds."""
    console = new_console()
    if not status.series:
        console.print("The store is empty; `nightjar ingest --source sandbox` fills it.")
        return
    table = new_table(
        "venue",
        "symbol",
        "interval",
        "first",
        "last",
        "bars",
        "missing",
        "behind",
        numbers=(5, 6, 7),
    )
    for series in status.series:
        table.add_row(
            series.venue,
            series.symbol,
            series.interval,
            cell(series.first),
            cell(series.last),
            count(series.bars),
            count(series.missing),
            count(series.behind),
        )
    console.print(table)
    for line in (*drawn(status.calendar, width=console.width), *legend(status.calendar)):
        console.print(line, highlight=False, no_wrap=True, crop=True)
    console.print()
    for gap in status.gaps:
        console.print(
            f"gap: {gap['venue']} {gap['symbol']} {gap['interval']} from {cell(gap['start'])} "
            f"to {cell(gap['end'])}, {plural(int(str(gap['bars'])), 'bar')}: "
            f"{in_words(str(gap['cause']))}",
            highlight=False,
        )
    for reason, rows in status.quarantine.items():
        console.print(f"quarantine: {count(rows)} rows {reason}", highlight=False)
    if status.refused or status.pending:
        console.print(
            f"{plural(status.refused, 'batch', 'batches')} refused, "
            f"{count(status.pending)} waiting in landing"
        )
    for night in status.nights:
        luck = "" if night.worlds is None else f" (p = {odds(night.p_value)})"
        console.print(
            f"night {night.night}: {night.promoted} promoted of {count(night.trials)} trials, "
            f"best score {decimal(night.best_score)}{luck}",
            highlight=False,
        )


def new_console() -> Console:
    """Return a console as wide as the terminal; a pipe takes lines of any width."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_WIDTH)


def new_table(*columns: str, numbers: Iterable[int] = ()) -> Table:
    """Return an empty table of these columns; those at `numbers` are set to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    right = set(numbers)
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index in right else "left", overflow="fold")
    return table


def _numeric(frame: pl.DataFrame) -> list[int]:
    return [index for index, kind in enumerate(frame.dtypes) if kind.is_numeric()]


def cell(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if hasattr(value, "tzinfo") and value.tzinfo is not None:
        moment: datetime = value
        return format_utc(moment)
    return str(value)
