"""Quarantine: rows that a gate held back, with their reasons, so that nothing disappears.

`quarantine/<dataset>/<hash of the batch's name>.parquet`: the dataset's columns, then `reasons`,
`batch` and `quarantined_at`. A row leaves quarantine by being in the store: nothing is deleted.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl
from pyarrow import parquet

from core.datasets import CANDLES, TIME, dataset_named
from core.errors import ContractBroken, StoreDamaged
from core.market import interval_step
from storage.cold import cold_files
from storage.files import TEMPORARY, content_sha256, read_parquet, write_parquet
from storage.hot_file import reading
from storage.selection import Selection
from storage.tiers import union

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from core.datasets import Dataset
    from storage.store import Store

_REMEMBERED = 10_000  # files; they are small
_HASH = "content_sha256"  # in the file: what its rows were when they were written
MARKS = {"reasons": pl.List(pl.String()), "batch": pl.String(), "quarantined_at": TIME}


def write(
    store: Store, dataset: str, quarantined: pl.DataFrame, batch: str, now: datetime
) -> Path | None:
    """Keep a batch's quarantined rows; return the file, None where there is nothing to keep.

    The same batch again replaces its own file. Rows that another batch's file has already (they
    were judged again, and are still held) are not kept twice.
    """
    declared = dataset_named(dataset)
    path = _folder(store, dataset) / f"{name_of(batch)}.parquet"
    rows = _without_known(declared, _conform(declared, quarantined), _files(store, dataset), path)
    if rows.is_empty():
        return None
    marked = rows.with_columns(
        pl.lit(batch).alias("batch"), pl.lit(now).cast(TIME).alias("quarantined_at")
    )
    rewrite(path, marked)
    return path


def rewrite(path: Path, marked: pl.DataFrame) -> None:
    """Make `marked` all that a file of the quarantine holds."""
    write_parquet(path, marked, compression="zstd", facts={_HASH: content_sha256(marked)})


def read(store: Store, dataset: str) -> pl.DataFrame:
    """Return all that was ever quarantined of a dataset, with `reasons` and the batch."""
    return _read(dataset_named(dataset), _files(store, dataset))


def check_file(path: Path) -> None:
    """Raise `StoreDamaged` unless a file's rows are those that were written.

    A file of an older nightjar does not say what they were; it must be readable.
    """
    _checked(path)


def _checked(path: Path) -> pl.DataFrame:
    rows = read_parquet(path)
    expected = (parquet.read_metadata(path).metadata or {}).get(_HASH.encode())
    if expected is not None and content_sha256(rows) != expected.decode():
        raise StoreDamaged(str(path), "its rows are not those that were written")
    return rows


def held(
    store: Store, venue: str, symbol: str, interval: str, reason: str = "price_jump"
) -> pl.DataFrame:
    """Return candles that wait in quarantine for `reason`, oldest first, as `CANDLES` has them.

    A row waits until the store holds its key with a row as new or newer: because it was
    released itself, or because the source sent another one that was accepted.
    """
    own = {"venue": venue, "symbol": symbol, "interval": interval}
    found = [_with_reason(path, _stamp(path), reason) for path in _files(store, CANDLES.name)]
    waiting = (
        pl.concat([CANDLES.empty(), *(rows.filter(**own) for rows in found if rows.height)])
        .sort("open_time", "ingested_at")
        .unique(["open_time"], keep="last", maintain_order=True)
    )
    if waiting.is_empty():
        return waiting
    stored = _stored(store, waiting)
    newer = waiting.join(stored, on="open_time", suffix="_stored").filter(
        pl.col("ingested_at_stored") >= pl.col("ingested_at")
    )
    return waiting.join(newer, on="open_time", how="anti")


def files(store: Store) -> dict[str, list[str]]:
    """Return the quarantine's files by dataset, for SQL."""
    folders = sorted(path for path in store.quarantine.glob("*") if path.is_dir())
    found = {folder.name: [str(path) for path in _files(store, folder.name)] for folder in folders}
    return {dataset: paths for dataset, paths in found.items() if paths}


def _stored(store: Store, waiting: pl.DataFrame) -> pl.DataFrame:
    """Return `open_time` and `ingested_at` of the stored rows of the waiting rows' series."""
    venue, symbol, interval = waiting.select("venue", "symbol", "interval").row(0)
    start, end = waiting["open_time"][0], waiting["open_time"][-1] + interval_step(interval)
    chosen = Selection(venue, (symbol,), interval, start, end)
    with reading(store) as con:
        files = chosen.files(cold_files(store, CANDLES))
        query = (
            f"select open_time, ingested_at from ({union(con, CANDLES, files, chosen.condition)})"
        )
        stored: pl.DataFrame = con.sql(query).pl()
    return stored


def _conform(dataset: Dataset, quarantined: pl.DataFrame) -> pl.DataFrame:
    if "reasons" not in quarantined.columns:
        raise ContractBroken(dataset.name, "quarantined rows have no column `reasons`")
    rows = dataset.conform(quarantined.drop("reasons"))
    return rows.with_columns(quarantined["reasons"].cast(MARKS["reasons"]))


def _without_known(
    dataset: Dataset, rows: pl.DataFrame, others: list[Path], own: Path
) -> pl.DataFrame:
    known = [path for path in others if path != own]
    if rows.is_empty() or not known:
        return rows
    columns = [*dataset.columns]
    return rows.join(
        _read(dataset, known), on=columns, how="anti", nulls_equal=True, maintain_order="left"
    )


def _read(dataset: Dataset, paths: list[Path]) -> pl.DataFrame:
    """Return the files' rows; a column that came after a file was written is null."""
    schema = pl.Schema({**dataset.columns, **MARKS})
    found = [_rows(path, _stamp(path)) for path in paths]
    return pl.concat([schema.to_frame(), *found], how="diagonal").select(*schema)


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced."""
    try:
        found = path.stat()
    except OSError as error:
        raise StoreDamaged(str(path), str(error)) from error
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=_REMEMBERED)
def _rows(path: Path, _stamp: tuple[int, int, int]) -> pl.DataFrame:
    """Return a file's rows; each batch that is judged asks for those of all files."""
    return _checked(path)


@lru_cache(maxsize=_REMEMBERED)
def _with_reason(path: Path, _stamp: tuple[int, int, int], reason: str) -> pl.DataFrame:
    """Return the candles of a file that are held back for a reason, mostly none."""
    rows = _read(CANDLES, [path]).filter(pl.col("reasons").list.contains(reason))
    return rows.select(*CANDLES.columns)


def _folder(store: Store, dataset: str) -> Path:
    return store.quarantine / dataset


def _files(store: Store, dataset: str) -> list[Path]:
    found = _folder(store, dataset).glob("*.parquet")
    return sorted(path for path in found if not path.name.startswith(TEMPORARY))


def name_of(batch: str) -> str:
    """Return how the name of a batch's file begins."""
    return hashlib.sha256(batch.encode()).hexdigest()[:16]
