"""The sources: what each gives, whether it can be asked, how it did, what is left of its limits."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import KeyMissing
from serving.terminal import new_console, new_table
from serving.words import count, percent, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    import polars as pl


class SourceLine(msgspec.Struct, frozen=True):
    """One source as a person sees it.

    Args:
        name, summary, gives: as the table of sources says.
        key: `set`, `missing`, `optional` or `none`.
        setting: where its key belongs; None where it takes none.
        state: `up`, `failing`, `set_aside`, `resting`, `no_key` or `not_asked`.
        noted_at: when that was; None where it was never asked.
        limit_left: share of its budget that was left then, as it announced.
        message: its last failure.
    """

    name: str
    summary: str
    gives: tuple[str, ...]
    key: str
    setting: str | None
    state: str
    noted_at: datetime | None = None
    requests: int = 0
    failures: int = 0
    latency_ms: float | None = None
    limit_left: float | None = None
    message: str | None = None


def source_lines(
    listed: Iterable[Mapping[str, Any]], health: pl.DataFrame, *, now: datetime, aside: timedelta
) -> list[SourceLine]:
    """Return every source with what was last noted of it.

    Args:
        listed: name, summary, gives, key (`none`, `optional` or `needed`), setting, and has_key.
        health: the newest row of each source.
        now: decides whether one is still set aside.
        aside: for how long one is set aside.
    """
    noted = {row["provider"]: row for row in health.iter_rows(named=True)}
    return [_line(one, noted.get(one["name"]), now, aside) for one in listed]


def _line(
    one: Mapping[str, Any], row: Mapping[str, Any] | None, now: datetime, aside: timedelta
) -> SourceLine:
    lacking = one["key"] == "needed" and not one["has_key"]
    key = "set" if one["has_key"] else {"needed": "missing"}.get(one["key"], one["key"])
    about = {
        "name": one["name"],
        "summary": one["summary"],
        "gives": tuple(one["gives"]),
        "key": key,
        "setting": one["setting"],
    }
    if row is None:
        return SourceLine(**about, state="no_key" if lacking else "not_asked")
    state = row["state"]
    if state == "set_aside" and row["time"] + aside <= now:
        state = "failing"
    return SourceLine(
        **about,
        state="no_key" if lacking else state,
        noted_at=row["time"],
        requests=row["requests"],
        failures=row["failures"],
        latency_ms=row["latency_ms"],
        limit_left=row["limit_left"],
        message=row["message"],
    )


def show_sources(lines: Iterable[SourceLine], now: datetime) -> None:
    """Print the sources as a table, and below it what is wrong with any."""
    console = new_console()
    table = new_table("source", "gives", "key", "state", "asked", "limit left", numbers={5})
    troubles = []
    for line in lines:
        asked = "never"
        if line.noted_at is not None:
            asked = f"{seconds((now - line.noted_at).total_seconds())} ago"
        left = "" if line.limit_left is None else percent(line.limit_left, 0)
        table.add_row(line.name, ", ".join(line.gives), line.key, line.state, asked, left)
        if line.state == "no_key" and line.setting is not None:
            troubles.append(str(KeyMissing(line.name, line.setting)))
        elif line.state in {"failing", "set_aside", "resting"} and line.message:
            troubles.append(line.message)
    console.print(table)
    for trouble in troubles:
        console.print(trouble, highlight=False, markup=False)


def show_collected(summary: Any) -> None:
    """Print what a collection of anything but candles did."""
    console = new_console()
    for note in summary.notes:
        console.print(note, highlight=False, markup=False)
    if not summary.merges:
        console.print(f"nothing from {summary.source}")
    for merge in summary.merges:
        console.print(
            f"{merge.dataset}: {count(merge.inserted)} new, {count(merge.unchanged)} already "
            f"there, {count(merge.revised)} revised, {count(merge.quarantined)} quarantined",
            highlight=False,
        )
