"""The page about storage: how it is measured, and the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.report import Section, number, ratio
from benchmarks.storage.way_in import small_merges, way_in
from benchmarks.storage.way_out import Shelf

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MILLION = 1_000_000


class Plan(NamedTuple):
    """How much is measured."""

    months: int
    merged_into: Sequence[int]  # rows
    sizes: Sequence[int]  # rows
    merges: int


FULL = Plan(24, (MILLION, 10 * MILLION), (MILLION, 10 * MILLION, 50 * MILLION), 30)
QUICK = Plan(3, (MILLION,), (MILLION,), 10)


def storage(plan: Plan, folder: Path) -> Section:
    """Measure the ways in and out."""
    section = Section("Storage", TEXT)
    _ways_in(section, plan, folder)
    _merges(section, plan, folder)
    _ways_out(section, plan, folder)
    return section


def _ways_in(section: Section, plan: Plan, folder: Path) -> None:
    found = way_in(folder / "in", plan.months)
    rows, total = found.rows, sum(found.stages.values())
    table = [
        [what, number(rows / took / 1e3), number(took)]
        for what, took in (
            *found.stages.items(),
            ("all of it, one core", total),
            ("all of it, all cores, on the wall", found.ahead),
            *((f"raw {name}: unzip, parse, write", took) for name, took in found.floors.items()),
        )
    ]
    note = f"{rows:,} bars in {plan.months} monthly zips."
    section.table(["from zip to hot", "thousand bars per s", "s"], table, note)
    section.short.append(
        f"archive zip through the gate into hot: {rows / total:,.0f} candles/s on one core, "
        f"{rows / found.ahead:,.0f} on all"
    )


def _merges(section: Section, plan: Plan, folder: Path) -> None:
    table = []
    for stored in plan.merged_into:
        took = small_merges(folder / f"merge{stored}", stored, plan.merges)
        cpu = sorted(one.cpu for one in took)
        figures = [cpu[len(cpu) // 2], took[0].wall, took[len(took) // 2].wall, took[-1].wall]
        table.append([f"{stored:,}", *(number(each * 1e3) for each in figures)])
    header = ["600 rows into", "processor ms", "best ms of the wall", "median", "worst"]
    section.table(header, table)
    section.short.append(f"600 rows merged: {table[-1][1]} ms of processor, into {table[-1][0]}")


def _ways_out(section: Section, plan: Plan, folder: Path) -> None:
    shelf = Shelf(folder / "out")
    table = []
    for size in plan.sizes:
        shelf.grow(size)
        for read in shelf.reads():
            figures = [number(took * 1e3) for took in read[2:]]
            floor = min(read.duckdb, read.polars)
            table.append(
                [f"{shelf.rows:,}", read.name, *figures, ratio(read.ours / floor), f"{read.rows:,}"]
            )
    rate = shelf.archived / shelf.archiving
    note = f"The archive moved {shelf.archived:,} rows to cold, {rate / 1e3:,.0f} thousand per s."
    header = ["rows stored", "question", "ours ms", "DuckDB ms", "Polars ms", "beside the faster"]
    section.table([*header, "rows"], table, note)
    section.short.append(f"archive from hot to cold: {rate:,.0f} rows/s")
    first = table[-3]
    section.short.append(f"one symbol's 90 days: {first[2]} ms of {first[0]} rows, {first[5]}")


TEXT = """\
Everything on one core, in processor time; files in the page cache. For small merges, which wait
for the disk to have flushed, the time of the wall too. The way in is what an
ingest does with official dumps: read and check the zip, land the batch, judge it with all of the
gate's rules, and merge it with others; on all cores some are read while others are merged. Each
file is one batch, on disk and flushed before it is judged. The floors unzip, parse and write the
same files, on one core, and do nothing else.

Questions are asked of a store with two years of minutes, the last 90 days in hot and the rest in
cold, of one DuckDB table, opened for the question as ours is, and of one Parquet file a symbol. The
best of a second's calls."""
