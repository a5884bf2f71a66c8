"""From a venue's zip through the gate into hot, and the merge of a few rows into many."""

from __future__ import annotations

import time
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from benchmarks.storage.rows import END, NOW, candles, symbol, zips
from benchmarks.timing import Timing, timed
from sources.binance_dump import read_archive
from storage import hot, landing
from storage.hot_file import writing
from storage.schema import columns
from storage.store import Store
from tasks.settle import judge, settle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sources.binance_dump import ArchiveFile

MINUTE = timedelta(minutes=1)
STAGES = ("read the zip", "land", "gate", "merge")


def store_in(folder: Path) -> Store:
    """Return a store of its own."""
    return Store(folder / "home", str(folder / "home" / "lake"))


def way_in(folder: Path, months: int) -> tuple[int, dict[str, float], dict[str, float]]:
    """Ingest monthly dumps; return how many bars, seconds by stage, and seconds of the floors."""
    folder.mkdir()
    files = zips(folder, months)
    store = store_in(folder)
    _settle_one(store_in(folder / "warm"), files[0])  # imports and compiles what is used
    seconds = dict.fromkeys(STAGES, 0.0)
    rows = sum(_settle_one(store, file, seconds) for file in files)
    floors = {
        "DuckDB": _took(lambda: _raw_duckdb(folder, files)),
        "Polars": _took(lambda: _raw_polars(folder, files)),
    }
    return rows, seconds, floors


def _settle_one(store: Store, file: ArchiveFile, seconds: dict[str, float] | None = None) -> int:
    """Bring one dump into the store, and add up what each stage took."""
    took = dict.fromkeys(STAGES, 0.0) if seconds is None else seconds
    began = time.process_time()

    def lap(stage: str) -> None:
        nonlocal began
        took[stage] += time.process_time() - began
        began = time.process_time()

    frame = read_archive(file, now=NOW)
    lap("read the zip")
    receipt = landing.land(store, "candles", frame, source="binance-archive", now=NOW)
    lap("land")
    verdict = judge(store, receipt, NOW)
    lap("gate")
    merge = settle(store, receipt, verdict, NOW)
    lap("merge")
    return merge.inserted


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
