"""Reading one file of bars, with notes on all that was detected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from core.clock import format_utc, require_utc
from core.errors import InvalidInput
from core.market import check_symbol, check_venue, interval_step
from sources.files.checks import (
    check_neighbours,
    check_prices,
    check_series,
    check_times,
    check_volumes,
    find_interval,
)
from sources.files.columns import OPTIONAL, find_columns
from sources.files.tables import read_table
from sources.files.times import moment, open_times
from sources.frames import PRICES, bars, stamp
from sources.numbers import floats

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from sources.numbers import Refuse


class Reading(msgspec.Struct, frozen=True):
    """The rows of a file as `CANDLES`, by time, and what was detected while reading them."""

    frame: pl.DataFrame
    notes: list[str]


def read_file(
    path: Path,
    *,
    venue: str,
    symbol: str,
    interval: str | None = None,
    zone: str | None = None,
    columns: Sequence[str] | None = None,
    now: datetime,
) -> Reading:
    """Return the bars of one series in a CSV, JSON, Parquet or Feather file, packed or not.

    Names, units and the interval are detected and told in the notes. What is ambiguous is an
    error naming the option that decides: `zone` for times that do not carry theirs, `interval`
    for too few rows, `columns` for names nobody knows (ours, in the file's order, "" to skip).
    A row that is wrong by itself stays, with NaN for a price that is missing: the gate judges it.

    Raises:
        InvalidInput: the file cannot be read, or is wrong as a whole; the text says how.
    """
    check_venue(venue)
    check_symbol(symbol)
    require_utc(now)
    if interval is not None:
        interval_step(interval)

    def refuse(reason: str) -> InvalidInput:
        return InvalidInput(f"{path}: {reason}")

    table = read_table(path)
    found = find_columns(table, symbol, columns, refuse)
    named = check_series(table.frame, found.places, {"venue": venue, "symbol": symbol}, refuse)
    cells = {name: table.frame.to_series(n).alias(name) for name, n in found.places.items()}
    times, told = open_times(cells["open_time"], zone=zone, inner=table.inner, refuse=refuse)
    interval, step = find_interval(times, interval or named, refuse)
    check_times(times, interval, now, refuse)
    rows, holes = _rows(cells, times, refuse)
    check_prices(rows.select(*PRICES, "volume"), refuse)
    check_volumes(rows, refuse)
    check_neighbours(rows, interval, refuse)
    frame = stamp(
        bars(rows.to_dict(), venue=venue, symbol=symbol, interval=interval),
        source=f"file:{path.name}",
        now=now,
    )
    order = _order(times, rows["open_time"], interval)
    return Reading(frame, [*table.notes, *found.notes, *told, step, *holes, order])


def _rows(
    cells: dict[str, pl.Series], times: pl.Series, refuse: Refuse
) -> tuple[pl.DataFrame, list[str]]:
    """Return the columns as numbers, by time, and a note on missing prices and volumes."""
    read = {name: _number(cells[name], refuse) for name in (*PRICES, "volume")}
    read |= {name: _number(cells[name], refuse) for name in OPTIONAL if name in cells}
    if "trades" in read:
        read["trades"] = _count(read["trades"], refuse)
    if "synthetic" in cells and cells["synthetic"].dtype == pl.Boolean:
        read["synthetic"] = cells["synthetic"]
    rows = pl.DataFrame([times.alias("open_time"), *read.values()])
    missing = rows.select(pl.any_horizontal(pl.col(*PRICES, "volume").is_null())).to_series().sum()
    rows = rows.with_columns(pl.col(*PRICES, "volume").fill_null(float("nan")))
    notes = [f"missing: a price or volume in {missing} rows, kept as NaN"] if missing else []
    return rows.sort("open_time", maintain_order=True), notes


def _number(column: pl.Series, refuse: Refuse) -> pl.Series:
    """Return Float64; an empty cell is null."""
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        return floats(
            text.to_frame().select(pl.col(column.name).replace("", None)).to_series(), refuse
        )
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return column.cast(pl.Float64)
    raise refuse(f"expected numbers in {column.name}, was {column.dtype}")


def _count(column: pl.Series, refuse: Refuse) -> pl.Series:
    odd = (column != column.floor()) | (column.abs() >= 2.0**53) | column.is_nan()
    if odd.any():
        row = odd.fill_null(value=False).arg_max() or 0
        raise refuse(f"row {row + 1}, trades: expected a whole number, was {column[row]}")
    return column.cast(pl.Int64)


def _order(times: pl.Series, ordered: pl.Series, interval: str) -> str:
    first, last = int(ordered[0]), int(ordered[-1])
    step = int(interval_step(interval).total_seconds() * 1_000_000)
    different = times.n_unique()
    order = "in order" if times.is_sorted() else "sorted by time"
    return (
        f"rows: {len(times)}, {format_utc(moment(first))} to {format_utc(moment(last))}, {order},"
        f" {max(0, (last - first) // step + 1 - different)} missing,"
        f" {len(times) - different} doubled"
    )
