"""Landing: what a source returned, on disk before anything judges it.

`landing/<dataset>/<series_><first>_<last>_<hash>.parquet`: one immutable file per batch, named
after its content, so that the same answer twice is one file.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.clock import format_utc, parse_utc, require_utc
from core.datasets import DATASETS, dataset_named
from core.errors import InvalidInput, StoreDamaged
from core.market import check_symbol, check_venue, interval_step
from core.receipts import Receipt
from storage.files import TEMPORARY, content_sha256, replacing
from storage.hot_file import reading
from storage.migrations import has_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.datasets import Dataset
    from storage.store import Store

_NAME = re.compile(r"(?:[A-Za-z0-9_-]+_)?(?P<hash>[0-9a-f]{16})\.parquet", re.ASCII)
_STALE = timedelta(days=1)  # a temporary file this old belongs to nobody


def land(store: Store, dataset: str, frame: pl.DataFrame, *, source: str, now: datetime) -> Receipt:
    """Write a batch to landing and return its receipt.

    A batch that lies there already, `ingested_at` aside, is not written again.
    """
    declared = dataset_named(dataset)
    frame = declared.conform(frame)
    receipt = _receipt(store, declared, frame, source)
    path = store.home / receipt.path
    if _whole(store, receipt):
        return receipt
    facts = {"source": source, "landed_at": format_utc(now)}
    for name, moment in (("start", receipt.start), ("end", receipt.end)):
        if moment is not None:
            facts[name] = require_utc(moment).isoformat()
    with replacing(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", metadata=facts)
    return receipt


def read_batch(store: Store, receipt: Receipt) -> pl.DataFrame:
    """Return a landed batch; raise `StoreDamaged` where it is not what was landed."""
    path = store.home / receipt.path
    frame = dataset_named(receipt.dataset).conform(_read(path))
    found = _NAME.fullmatch(path.name)
    if found is None or _hash(frame) != found["hash"]:
        raise StoreDamaged(str(path), "its content is not what its name says")
    return frame


def pending(store: Store) -> list[Receipt]:
    """Return the batches that are neither merged nor refused, oldest first.

    A file that is no batch does not keep the others waiting; `damaged` names it.
    """
    return [landed for landed in _unsettled(store) if isinstance(landed, Receipt)]


def damaged(store: Store) -> list[StoreDamaged]:
    """Return what is wrong with the files of landing that are no batches."""
    return [landed for landed in _unsettled(store) if isinstance(landed, StoreDamaged)]


def sweep(store: Store, *, now: datetime, keep_days: int) -> int:
    """Delete settled batches that were settled more than `keep_days` ago; return how many.

    What a killed process left half written goes too.
    """
    before = require_utc(now) - timedelta(days=keep_days)
    gone = [store.home / batch for batch, at in _settled(store).items() if at <= before]
    files = [path for path in gone if store.landing in path.parents and path.is_file()]
    for path in [*files, *_leftovers(store, now)]:
        path.unlink(missing_ok=True)
    return len(files)


def _unsettled(store: Store) -> Iterator[Receipt | StoreDamaged]:
    settled = _settled(store)
    waiting = [
        path
        for path in store.landing.glob("*/*")
        if str(path.relative_to(store.home)) not in settled and not path.name.startswith(TEMPORARY)
    ]
    for path in sorted(waiting, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        try:
            yield _receipt_of(store, path)
        except StoreDamaged as error:
            yield error


def _settled(store: Store) -> dict[str, datetime]:
    """Return when each merged or refused batch was settled."""
    with reading(store) as con:
        if not has_table(con, "batches"):
            return {}
        return dict(con.execute("select batch, settled_at from hot.batches").fetchall())


def _receipt(store: Store, dataset: Dataset, frame: pl.DataFrame, source: str) -> Receipt:
    times = frame[dataset.time_column]
    start, end = times.min(), times.max()
    parts = [*_series(dataset, frame), _compact(start), _compact(end), _hash(frame)]
    name = "_".join(part for part in parts if part) + ".parquet"
    path = store.landing / dataset.name / name
    return Receipt(
        dataset=dataset.name,
        path=str(path.relative_to(store.home)),
        rows=frame.height,
        source=source,
        start=require_utc(start) if isinstance(start, datetime) else None,
        end=require_utc(end) if isinstance(end, datetime) else None,
    )


def _series(dataset: Dataset, frame: pl.DataFrame) -> list[str]:
    """Return venue, symbol and interval for the name, where the batch is of one series."""
    checks = {"venue": check_venue, "symbol": check_symbol, "interval": interval_step}
    parts = []
    for column, check in checks.items():
        if column not in dataset.columns or frame[column].n_unique() != 1:
            continue
        value = str(frame[column][0])
        try:
            check(value)
        except InvalidInput:  # the gate will say so; no such name becomes a path
            continue
        parts.append(value)
    return parts


def _compact(moment: object) -> str:
    return moment.strftime("%Y%m%dT%H%M%S") if isinstance(moment, datetime) else ""


def _hash(frame: pl.DataFrame) -> str:
    return content_sha256(frame.drop("ingested_at"))[:16]


def _whole(store: Store, receipt: Receipt) -> bool:
    if not (store.home / receipt.path).exists():
        return False
    try:
        read_batch(store, receipt)
    except StoreDamaged:
        return False
    return True


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, hive_partitioning=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreDamaged(str(path), str(error)) from error


def _receipt_of(store: Store, path: Path) -> Receipt:
    """Read a batch's receipt from the end of its file; raise `StoreDamaged` where it is none."""
    dataset = path.parent.name
    if dataset not in DATASETS or not _NAME.fullmatch(path.name) or not path.is_file():
        raise StoreDamaged(str(path), "expected a batch that nightjar landed; move it elsewhere")
    try:
        facts = pl.read_parquet_metadata(path)
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreDamaged(str(path), str(error)) from error
    if "source" not in facts:
        raise StoreDamaged(str(path), "expected a batch that nightjar landed; it names no source")
    return Receipt(
        dataset=dataset,
        path=str(path.relative_to(store.home)),
        rows=rows,
        source=facts["source"],
        start=parse_utc(facts["start"]) if "start" in facts else None,
        end=parse_utc(facts["end"]) if "end" in facts else None,
    )


def _leftovers(store: Store, now: datetime) -> list[Path]:
    before = (require_utc(now) - _STALE).timestamp()
    found = store.landing.glob(f"*/{TEMPORARY}*")
    return [path for path in found if path.stat().st_mtime < before]
