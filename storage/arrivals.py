"""When rows came into the store: what `as_of` needs beside the rows and their revisions.

A row's `ingested_at` says when its source gave it. It may have waited in landing or quarantine
after that, so that the store held it later. Keeping that moment beside every row would cost as
much as a price; bars arrive in runs, and a run is one line here.

A line of `arrivals` stands for the rows of a series that came at once: for every bar that opens
in [first, last] (bars lie on a grid, and a line is made only of runs without a hole), for one row
that `key` names, or for all rows of one `ingested_at` with a time in [first, last] that no other
line of the same `ingested_at` names. What no line tells of came when it was ingested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.grid import STEP
from storage.notation import written_key
from storage.schema import literal, quoted

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset

ARRIVALS = (
    "create table if not exists arrivals (dataset VARCHAR, series VARCHAR, key VARCHAR, "
    "ingested_at TIMESTAMPTZ, first TIMESTAMPTZ, last TIMESTAMPTZ, stored_at TIMESTAMPTZ)"
)
# Up to so many rows that came late are named one by one; a range could cover others by mistake.
_FEW = 64


def series(dataset: Dataset, table: str) -> str:
    """Return an expression: the name of the series that a row of `table` belongs to."""
    names = [name for name in dataset.partition_by if name != "month"]
    parts = [f"{table}.{quoted(name)}" for name in names]
    return f"concat_ws('/', {', '.join(parts)})" if parts else "''"


def on_grid(dataset: Dataset) -> bool:
    """Return whether a series and a time name one row, and times lie on the interval's grid."""
    named = {name for name in dataset.partition_by if name != "month"} | {dataset.time_column}
    return "interval" in dataset.columns and named == set(dataset.key)


def note_arrivals(con: DuckDBPyConnection, dataset: Dataset, now: datetime) -> None:
    """Note that the rows of `unmatched` are stored since `now`."""
    time = f"i.{quoted(dataset.time_column)}"
    con.execute(
        "create or replace temp table fresh as "
        f"select {series(dataset, 'i')} as series, i.ingested_at, min({time}) as first, "
        f"max({time}) as last, count(*) as rows"
        f"{f', any_value({STEP}) as step' if on_grid(dataset) else ''} "
        "from unmatched i group by all"
    )
    (_note_bars if on_grid(dataset) else _note_rows)(con, dataset, time, now)


_WHOLE = "(epoch_us(last) - epoch_us(first)) // step + 1 = rows"


def _note_bars(con: DuckDBPyConnection, dataset: Dataset, time: str, now: datetime) -> None:
    """Write a line for every run of bars without a hole."""
    holed = con.execute(f"select count(*) from fresh where not {_WHOLE}").fetchall()[0][0]
    lines = f"select series, ingested_at, first, last from fresh where {_WHOLE}"
    if holed:
        lines += (
            " union all select series, ingested_at, min(opens), max(opens) from ("
            f"select {series(dataset, 'i')} as series, i.ingested_at, {time} as opens, "
            f"epoch_us({time}) // {STEP} - row_number() over (partition by "
            f"{series(dataset, 'i')}, i.ingested_at order by {time}) as run "
            "from unmatched i) "
            f"semi join (from fresh where not {_WHOLE}) using (series, ingested_at) "
            "group by series, ingested_at, run"
        )
    con.execute(
        f"insert into hot.arrivals by name select {literal(dataset.name)} as dataset, series, "
        f"ingested_at, first, last, $now as stored_at from ({lines})",
        {"now": now},
    )


def _note_rows(con: DuckDBPyConnection, dataset: Dataset, time: str, now: datetime) -> None:
    """Write a line for each row of a group that came late or in parts, else one for the group."""
    known = f"dataset = {literal(dataset.name)}"
    con.execute(
        "create or replace temp table spread as select f.*, "
        f"(rows <= {_FEW} and ingested_at <> $now) or exists (select 1 from hot.arrivals a "
        f"where {known} and a.series = f.series and a.ingested_at = f.ingested_at "
        "and a.first <= f.last and a.last >= f.first) as apart from fresh f",
        {"now": now},
    )
    con.execute(
        f"insert into hot.arrivals by name select {literal(dataset.name)} as dataset, *, "
        "$now as stored_at from (select series, null as key, ingested_at, first, last "
        "from spread where not apart union all by name "
        f"select {series(dataset, 'i')} as series, {written_key(dataset, 'i')} as key, "
        f"i.ingested_at, {time} as first, {time} as last "
        "from unmatched i "
        f"semi join (from spread where apart) s on s.series = {series(dataset, 'i')} "
        "and s.ingested_at = i.ingested_at)",
        {"now": now},
    )
