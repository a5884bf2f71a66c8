"""Landing: what a source returned, on disk before anything judges it.

`landing/<dataset>/<series>_<first>_<last>_<content>_<bytes>.parquet`: one immutable file per
batch. `content` is a hash of its rows, so that the same answer twice is one file; `bytes` is a
hash of the file, so that a file that changed is known before anything reads it.
"""

from __future__ import annotations

import hashlib
import io
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.clock import parse_utc, require_utc
from core.datasets import DATASETS, dataset_named
from core.errors import InvalidInput, StoreDamaged
from core.market import check_symbol, check_venue, interval_step
from core.receipts import Receipt
from storage.files import TEMPORARY, content_sha256, file_sha256, replacing
from storage.hot_file import reading
from storage.migrations import has_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from core.datasets import Dataset
    from storage.store import Store

_NAME = re.compile(r"(?:[A-Za-z0-9_-]+_)?[0-9a-f]{16}_(?P<bytes>[0-9a-f]{16})\.parquet", re.ASCII)
_STALE = timedelta(days=1)  # a temporary file this old belongs to nobody


def land(store: Store, dataset: str, frame: pl.DataFrame, *, source: str, now: datetime) -> Receipt:
    """Write a batch to landing and return its receipt.

    A batch that lies there already, `ingested_at` aside, is not written again.
    """
    declared = dataset_named(dataset)
    frame = declared.conform(frame)
    folder, label = store.landing / dataset, _label(declared, frame)
    there = sorted(folder.glob(f"{label}_*.parquet"))
    for path in there:
        try:
            return _receipt_of(store, path)
        except StoreDamaged:
            continue
    content, facts = io.BytesIO(), _facts(declared, frame, source, now)
    # Gone in days, and waited for: lz4 takes half the time of zstd and a third more space.
    frame.write_parquet(content, compression="lz4", metadata=facts)
    data = content.getvalue()
    path = folder / f"{label}_{hashlib.sha256(data).hexdigest()[:16]}.parquet"
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    for damaged_copy in there:
        if damaged_copy != path:
            damaged_copy.unlink()
    return _receipt(store, path, facts)


def read_batch(store: Store, receipt: Receipt) -> pl.DataFrame:
    """Return a landed batch; raise `StoreDamaged` where it is not what was landed."""
    path = store.home / receipt.path
    check_file(path)
    rows = pl.read_parquet(path, hive_partitioning=False)
    return dataset_named(receipt.dataset).conform(rows)


def pending(store: Store) -> list[Receipt]:
    """Return the batches that are neither merged nor refused, oldest first.

    A file that is no batch does not keep the others waiting; `damaged` names it.
    """
    found = [(landed, path) for path, landed in _unsettled(store) if isinstance(landed, Receipt)]
    oldest_first = sorted(found, key=lambda pair: (_landed_at(pair[1]), pair[0].path))
    return [receipt for receipt, _ in oldest_first]


def damaged(store: Store) -> list[StoreDamaged]:
    """Return what is wrong with the files of landing that are no batches."""
    return [landed for _, landed in _unsettled(store) if isinstance(landed, StoreDamaged)]


def sweep(store: Store, *, now: datetime, keep_days: int) -> int:
    """Delete batches that were merged at least `keep_days` ago; return how many.

    What a killed process left half written goes too. A batch that the gate refused stays: no
    other place has its rows.
    """
    before = require_utc(now) - timedelta(days=keep_days)
    merged = _settled(store, "merged")
    gone = [store.home / batch for batch, at in merged.items() if at <= before]
    files = [path for path in gone if store.landing in path.parents and path.is_file()]
    for path in [*files, *_leftovers(store, now)]:
        path.unlink(missing_ok=True)
    return len(files)


def _unsettled(store: Store) -> Iterator[tuple[Path, Receipt | StoreDamaged]]:
    settled = _settled(store)
    for path in sorted(store.landing.glob("*/*")):
        if path.name.startswith(TEMPORARY) or _relative(store, path) in settled:
            continue
        try:
            yield path, _receipt_of(store, path)
        except StoreDamaged as error:
            yield path, error


def _settled(store: Store, *states: str) -> dict[str, datetime]:
    """Return when each batch was settled: merged, refused, or only those in the given states."""
    with reading(store) as con:
        if not has_table(con, "batches"):
            return {}
        query = "select batch, settled_at from hot.batches where ? = [] or list_contains(?, state)"
        return dict(con.execute(query, [list(states), list(states)]).fetchall())


def _label(dataset: Dataset, frame: pl.DataFrame) -> str:
    """Return the part of the name that the rows decide."""
    ends = [f"{time:%Y%m%dT%H%M%S}" for time in _ends(dataset, frame).values()]
    content = content_sha256(frame.drop("ingested_at"))[:16]
    return "_".join([*_series(dataset, frame), *ends, content])


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


def _ends(dataset: Dataset, frame: pl.DataFrame) -> dict[str, datetime]:
    """Return the first and last time, as far as there is one."""
    times = frame[dataset.time_column]
    ends = {"start": times.min(), "end": times.max()}
    return {name: time for name, time in ends.items() if isinstance(time, datetime)}


def _facts(dataset: Dataset, frame: pl.DataFrame, source: str, now: datetime) -> dict[str, str]:
    """Return what the file says of itself beside its rows."""
    moments = {"landed_at": now, **_ends(dataset, frame)}
    return {
        "source": source,
        "rows": str(frame.height),
        **{name: require_utc(moment).isoformat() for name, moment in moments.items()},
    }


def _receipt_of(store: Store, path: Path) -> Receipt:
    """Read a batch's receipt from its file; raise `StoreDamaged` where it is none."""
    dataset = path.parent.name
    if dataset not in DATASETS:
        raise StoreDamaged(str(path), f"expected a folder of {', '.join(DATASETS)}")
    check_file(path)
    return _receipt(store, path, pl.read_parquet_metadata(path))


def _receipt(store: Store, path: Path, facts: Mapping[str, str]) -> Receipt:
    return Receipt(
        dataset=path.parent.name,
        path=_relative(store, path),
        rows=int(facts["rows"]),
        source=facts["source"],
        start=parse_utc(facts["start"]) if "start" in facts else None,
        end=parse_utc(facts["end"]) if "end" in facts else None,
    )


def _landed_at(path: Path) -> datetime:
    return parse_utc(pl.read_parquet_metadata(path)["landed_at"])


def check_file(path: Path) -> None:
    """Raise `StoreDamaged` unless the file's bytes are those that its name tells of."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise StoreDamaged(str(path), "expected a batch that nightjar landed; move it elsewhere")
    try:
        actual = file_sha256(path)
    except OSError as error:
        raise StoreDamaged(str(path), str(error)) from error
    if not actual.startswith(found["bytes"]):
        raise StoreDamaged(str(path), "its bytes are not those that were landed")


def _relative(store: Store, path: Path) -> str:
    return path.relative_to(store.home).as_posix()


def _leftovers(store: Store, now: datetime) -> list[Path]:
    before = (require_utc(now) - _STALE).timestamp()
    found = store.landing.glob(f"*/{TEMPORARY}*")
    return [path for path in found if path.stat().st_mtime < before]
