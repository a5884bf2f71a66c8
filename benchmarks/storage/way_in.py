"""From a venue's zip through the gate into hot, and the merge of a few rows into many."""

from __future__ import annotations

import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import polars as pl

from benchmarks.freely import freely
from benchmarks.storage.rows import END, NOW, candles, symbol, zips
from benchmarks.timing import Timing, timed
from core.errors import NightjarError
from sources.binance_dump import read_archive
from storage import hot, landing
from storage.hot_file import writing
from storage.schema import columns
from storage.store import Store
from tasks.settle import MOST_ROWS, settle_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from core.receipts import Merge, Receipt
    from sources.binance_dump import ArchiveFile

MINUTE = timedelta(minutes=1)
STAGES = ("read the zip", "land", "gate", "merge")


def store_in(folder: Path) -> Store:
    """Return a store of its own."""
    return Store(folder / "home", str(folder / "home" / "lake"))


class WayIn(NamedTuple):
    """What it took to ingest dumps: seconds of the processor, and of the wall on all cores."""

    rows: int
    stages: dict[str, float]
    floors: dict[str, float]
    ahead: float


def way_in(folder: Path, months: int) -> WayIn:
    """Ingest monthly dumps on one core, then on all of them; and let others do the least of it."""
    folder.mkdir()
    files = zips(folder, months)
    _by_stage(store_in(folder / "warm"), files[:1])  # imports and compiles what is used
    rows, seconds = _by_stage(store_in(folder), files)
    floors = {
        "DuckDB": _took(lambda: _raw_duckdb(folder, files)),
        "Polars": _took(lambda: _raw_polars(folder, files)),
    }
    wall = freely(f"{__name__}:ahead", folder=str(folder / "ahead"), months=months)
    return WayIn(rows, seconds, floors, wall)


def _by_stage(store: Store, files: list[ArchiveFile]) -> tuple[int, dict[str, float]]:
    """Bring dumps into a store one after the other; return the bars, and seconds by stage."""
    took = dict.fromkeys(STAGES, 0.0)
    began = time.process_time()

    def lap(stage: str) -> None:
        nonlocal began
        took[stage] += time.process_time() - began
        began = time.process_time()

    def read() -> Iterator[Receipt]:
        for file in files:
            frame = read_archive(file, now=NOW)
            lap("read the zip")
            receipt = landing.land(store, "candles", frame, source="binance-archive", now=NOW)
            lap("land")
            yield receipt

    rows = 0
    for group in groups(read()):
        rows += inserted(settle_together(store, group, NOW, show=lambda _: lap("gate")))
        lap("merge")
    return rows, took


def groups(receipts: Iterable[Receipt]) -> Iterator[list[Receipt]]:
    """Gather batches as a collection does."""
    group: list[Receipt] = []
    for receipt in receipts:
        group.append(receipt)
        if sum(one.rows for one in group) >= MOST_ROWS:
            yield group
            group = []
    if group:
        yield group


def inserted(became: Iterable[Merge | NightjarError]) -> int:
    """Add up what was merged; a batch that was not would make the figures worthless."""
    rows = 0
    for one in became:
        if isinstance(one, NightjarError):
            raise one
        rows += one.inserted
    return rows


def ahead(folder: str, months: int) -> float:
    """Return the seconds on the wall where dumps are read while others are merged."""
    place = Path(folder)
    place.mkdir()
    files = zips(place, months)
    _by_stage(store_in(place / "warm"), files[:1])
    store = store_in(place)

    def read(file: ArchiveFile) -> Receipt:
        frame = read_archive(file, now=NOW)
        return landing.land(store, "candles", frame, source="binance-archive", now=NOW)

    began = time.perf_counter()
    with ThreadPoolExecutor(1) as reader:
        for group in groups(reader.map(read, files)):
            inserted(settle_together(store, group, NOW))
    return time.perf_counter() - began


def _raw_duckdb(folder: Path, files: list[ArchiveFile]) -> None:
    """Let DuckDB read the same dumps, unjudged, into a table of its own."""
    with duckdb.connect(folder / "raw.duckdb") as con:
        con.execute(
            "create table bars (t BIGINT, o DOUBLE, h DOUBLE, l DOUBLE, c DOUBLE, v DOUBLE, "
            "e BIGINT, q DOUBLE, n BIGINT, tb DOUBLE, tq DOUBLE, i DOUBLE)"
        )
        for file in files:
            path = _unzipped(folder, file)
            con.execute(f"insert into bars from read_csv('{path}', header = false)")


def _raw_polars(folder: Path, files: list[ArchiveFile]) -> None:
    """Let Polars read the same dumps, unjudged, into a Parquet file each."""
    for number, file in enumerate(files):
        rows = pl.read_csv(_unzipped(folder, file), has_header=False)
        rows.write_parquet(folder / f"{number}.parquet", compression="zstd")


def _unzipped(folder: Path, file: ArchiveFile) -> Path:
    with zipfile.ZipFile(file.path) as zipped:
        [name] = zipped.namelist()
        zipped.extract(name, folder)
    return folder / name


def _took(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def small_merges(folder: Path, stored: int, times: int) -> list[Timing]:
    """Merge 600 bars of ten symbols into a hot file of `stored` rows; return times, sorted."""
    folder.mkdir()
    store = store_in(folder)
    fill_hot(store, stored)
    took = []
    for turn in range(times + 1):
        start = END + turn * 60 * MINUTE
        rows = pl.concat([candles(number, start, 60) for number in range(10)])
        took.append(_merged(store, rows, f"{turn}"))
    return sorted(took[1:])  # the first one warms up


def _merged(store: Store, rows: pl.DataFrame, batch: str) -> Timing:
    return timed(lambda: hot.merge(store, "candles", rows, batch=batch, now=NOW))[0]


def fill_hot(store: Store, stored: int) -> None:
    """Put `stored` bars of ten symbols into hot, past the merge: they are new by construction."""
    minutes = stored // 10
    for number in range(10):
        rows = candles(number, END - minutes * MINUTE, minutes)
        with writing(store, f"filling {symbol(number)}", now=NOW) as con:
            con.register("made", rows)
            con.execute(f"insert into hot.candles by name select {columns(rows.columns)} from made")  # noqa: S608 - our own columns
            con.unregister("made")
