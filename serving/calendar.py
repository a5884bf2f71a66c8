"""Coverage as a calendar: one mark a day and series, for a terminal, a page or a program."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import polars as pl
from rich.text import Text

from core.clock import floor_to
from core.datasets import TIME
from core.market import INTERVALS, Span
from serving.causes import WORDS
from storage import catalog
from storage.lake import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.store import Store

DAY = timedelta(days=1)
_SERIES = ["venue", "symbol", "interval"]
_STEP = pl.col("interval").replace_strict(INTERVALS, return_dtype=pl.Duration("us"))

# From how much of a day is there on: the mark that says so.
MARKS = ((1.0, "█"), (0.95, "▓"), (0.5, "▒"), (1e-9, "░"), (0.0, "·"))
COLOURS = {
    "refused": "red",
    "venue_had_none": "yellow",
    "failed": "magenta",
    "never_asked": "blue",
}
LEGEND = "█ whole  ▓ 95 % or more  ▒ half or more  ░ some  · none"


class Day(msgspec.Struct, frozen=True):
    """A series on one UTC day, from its first bar to the last that has closed.

    `cause` is why most of what is missing is missing, None where nothing is.
    """

    venue: str
    symbol: str
    interval: str
    day: datetime
    bars: int
    expected: int
    cause: str | None

    @property
    def share(self) -> float:
        """How much of the day is there."""
        return self.bars / self.expected

    @property
    def fill(self) -> int:
        """Its mark as a number: 4 is whole, 0 is none."""
        return len(MARKS) - 1 - next(n for n, (least, _) in enumerate(MARKS) if self.share >= least)

    @property
    def series(self) -> str:
        """Its series' name."""
        return f"{self.venue} {self.symbol} {self.interval}"


def calendar(store: Store, *, now: datetime, days: int) -> list[Day]:
    """Return what is there of each series on each of the last `days` UTC days, the oldest first.

    A day before a series' first bar is left out, and the bar that is still forming is not expected.
    """
    since = floor_to(now, DAY) - (days - 1) * DAY
    covered = catalog.coverage(store)
    if covered.is_empty():
        return []
    there = sql(
        "select venue, symbol, interval, date_trunc('day', open_time) as day, count(*) as bars "
        "from candles where open_time >= $since group by all",
        {"since": since},
        store=store,
    )
    every = (
        covered.with_columns(
            day=pl.datetime_ranges(
                pl.max_horizontal(pl.col("first").dt.truncate("1d"), pl.lit(since).cast(TIME)),
                pl.lit(now).cast(TIME),
                "1d",
            )
        )
        .explode("day")
        .drop_nulls("day")
        .with_columns(expected=_expected(now))
        .filter(pl.col("expected") > 0)
        .join(there, on=[*_SERIES, "day"], how="left", suffix="_there")
        .join(_causes(store, covered, since, now), on=[*_SERIES, "day"], how="left")
        .select(
            *_SERIES,
            "day",
            bars=pl.col("bars_there").fill_null(0),
            expected="expected",
            cause=pl.when(pl.col("bars_there").fill_null(0) < pl.col("expected")).then("cause"),
        )
        .sort(*_SERIES, "day")
    )
    return [Day(**row) for row in every.iter_rows(named=True)]


def _expected(now: datetime) -> pl.Expr:
    """Return how many bars a day can have: from the first bar on, and closed by now."""
    start = pl.max_horizontal("day", "first")
    end = pl.min_horizontal(pl.col("day") + DAY, pl.lit(now).cast(TIME))
    length = (end - start).dt.total_microseconds()
    return length // _STEP.dt.total_microseconds()


def _causes(store: Store, covered: pl.DataFrame, since: datetime, now: datetime) -> pl.DataFrame:
    """Return the cause of most missing bars of each series and day, tails included."""
    tails = []
    for row in covered.iter_rows(named=True):
        step = INTERVALS[row["interval"]]
        start, end = max(row["last"] + step, since), floor_to(now, step)
        if start < end:
            tails.append(Span(row["venue"], row["symbol"], row["interval"], start, end))
    stretches = pl.concat([catalog.causes(store), catalog.why(store, tails)])
    return (
        stretches.filter(pl.col("end") > since)
        .with_columns(
            day=pl.datetime_ranges(
                pl.col("start").dt.truncate("1d"), pl.col("end") - timedelta(microseconds=1), "1d"
            )
        )
        .explode("day")
        .with_columns(
            lacking=pl.min_horizontal(pl.col("day") + DAY, "end")
            - pl.max_horizontal("day", "start")
        )
        .group_by(*_SERIES, "day", "cause")
        .agg(pl.col("lacking").sum())
        .sort("lacking", "cause", descending=[True, False])
        .unique([*_SERIES, "day"], keep="first", maintain_order=True)
        .drop("lacking")
    )


def mark(share: float) -> str:
    """Return the mark of a day of which so much is there."""
    return next(sign for least, sign in MARKS if share >= least)


def drawn(days: Sequence[Day], *, width: int) -> list[Text]:
    """Return a calendar's lines: months on top, then a line a series, one mark a day.

    Where there are more days than `width` has room for, a mark stands for as many days as
    needed, and shows the worst of them.
    """
    if not days:
        return []
    first, last = min(day.day for day in days), max(day.day for day in days)
    names = list(dict.fromkeys(day.series for day in days))
    margin = max(map(len, names)) + 2
    total = (last - first) // DAY + 1
    each = max(1, -(-total // max(1, width - margin)))
    starts = [first + n * each * DAY for n in range(-(-total // each))]
    lines = [Text(" " * margin + _months(starts), style="dim")]
    for name in names:
        own = {day.day: day for day in days if day.series == name}
        line = Text(name.ljust(margin))
        for start in starts:
            within = [own[d] for n in range(each) if (d := start + n * DAY) in own]
            line.append(*_worst(within))
        lines.append(line)
    if each > 1:
        lines.append(Text(f"one mark for {each} days, the worst of them", style="dim"))
    return lines


def legend(days: Sequence[Day]) -> list[Text]:
    """Return what the marks mean, and the causes of what is missing in their colours."""
    lines = [Text(LEGEND, style="dim")]
    for cause, colour in COLOURS.items():
        missing = sum(day.expected - day.bars for day in days if day.cause == cause)
        if missing:
            text = f"{missing:,} bars missing on days of this colour: mostly {WORDS[cause]}"
            lines.append(Text(text, style=colour))
    return lines


class Strip(NamedTuple):
    """A series' days for a page, from the first day of all on; None where it had not begun."""

    name: str
    days: list[Day | None]


def strips(days: Sequence[Day]) -> list[Strip]:
    """Return a calendar's series, each with one entry for every day."""
    if not days:
        return []
    first, last = min(day.day for day in days), max(day.day for day in days)
    every = [first + n * DAY for n in range((last - first) // DAY + 1)]
    found = []
    for name in dict.fromkeys(day.series for day in days):
        own = {day.day: day for day in days if day.series == name}
        found.append(Strip(name, [own.get(day) for day in every]))
    return found


def _worst(days: Sequence[Day]) -> tuple[str, str]:
    """Return the mark and the colour of the day of which the least is there."""
    if not days:
        return " ", ""
    worst = min(days, key=lambda day: day.share)
    return mark(worst.share), COLOURS.get(worst.cause or "", "green")


def _months(starts: Sequence[datetime]) -> str:
    """Return the names of months above the marks where they begin."""
    line = [" "] * (len(starts) + 3)
    free = 0
    for place, start in enumerate(starts):
        begins = place == 0 or (start.year, start.month) != (
            starts[place - 1].year,
            starts[place - 1].month,
        )
        if begins and place >= free:
            name = f"{start:%b}" if start.month > 1 and place else f"{start:%b %y}"
            line[place : place + len(name)] = name
            free = place + len(name) + 1
    return "".join(line).rstrip()
