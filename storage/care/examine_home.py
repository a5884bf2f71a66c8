"""Examinations of `NIGHTJAR_HOME`: the disk, hot, landing, quarantine, what must always hold."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from core.clock import format_utc, require_utc
from core.datasets import DATASETS
from core.errors import LakeUnavailable, StoreDamaged, StoreTooNew
from storage import landing, lock, quarantine
from storage.care.problems import Loss, Patient, Problem
from storage.care.rebuild import rebuild_hot, set_aside
from storage.care.restore import unsettle
from storage.cold import cold_files, tables
from storage.files import TEMPORARY, read_parquet
from storage.hot_file import reading, writing
from storage.invariants import check_invariants, lost_rows
from storage.migrations import has_table
from storage.schema import columns, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.store import Store

HEADROOM = 0.05  # of the disk: below it a run may stop half way
_STALE = timedelta(days=1)  # a temporary file this old belongs to nobody
_SKEW = timedelta(seconds=2)


def disk(patient: Patient) -> Iterator[Problem]:
    """May nightjar write everywhere, and is there room?"""
    store = patient.store
    folders = [store.home, store.landing, store.quarantine]
    folders += [] if "://" in store.lake else [Path(store.lake)]
    for folder in folders:
        if folder.is_dir() and (reason := _refusal(folder)):
            advice = "what is there stays readable; let nightjar write, and run it again"
            yield Problem(str(folder), f"cannot be written: {reason}", advice=advice)
    usage = shutil.disk_usage(store.home)
    if usage.free < HEADROOM * usage.total:
        left = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.0f} are free"
        yield Problem(str(store.home), f"the disk is almost full: {left}", advice="free some space")


def _refusal(folder: Path) -> str:
    probe = folder / f"{TEMPORARY}probe-{os.getpid()}"
    try:
        probe.write_bytes(b"nightjar")
        probe.unlink()
    except OSError as error:
        return str(error)
    return ""


def leftovers(patient: Patient) -> Iterator[Problem]:
    """Did killed processes leave half-written files, or a note that they hold the lock?"""
    store, before = patient.store, (require_utc(patient.now) - _STALE).timestamp()
    for path in sorted(store.home.rglob(f"{TEMPORARY}*")):
        if path.is_file() and path.stat().st_mtime < before:
            yield Problem(str(path), "was left half written", partial(_delete, path))
    if (note := lock.stale_note(store)) is not None:
        yield Problem(str(note), "names a writer that is no more", partial(_delete, note))
    try:
        with lock.hot_shared(store, lock.Patience(store.lock_wait)):
            pass
    except StoreDamaged as error:
        yield Problem(error.path, error.reason, partial(_delete, Path(error.path)))


def _delete(path: Path) -> str:
    path.unlink(missing_ok=True)
    return "deleted"


def hot(patient: Patient) -> Iterator[Problem]:
    """Is `hot.duckdb` there, does it open, and is every block of it what was written?"""
    store, cure = patient.store, partial(_rebuild, patient)
    if not store.hot_path.exists():
        if any(store.landing.glob("*/*.parquet")) or _has_cold(store):
            what = "is not there, though landing or the lake hold rows"
            yield Problem(str(store.hot_path), what, cure)
        return
    try:
        _read_all(store)
    except StoreTooNew as error:
        yield Problem(str(store.hot_path), str(error), advice="use the newer nightjar")
    except (StoreDamaged, duckdb.Error) as error:
        yield Problem(str(store.hot_path), f"is damaged: {_first_line(error)}", cure)


def _has_cold(store: Store) -> bool:
    try:
        return any(cold_files(store, DATASETS[name]) for name in tables(store))
    except (StoreDamaged, StoreTooNew, LakeUnavailable):
        return True


def _read_all(store: Store) -> None:
    """Read every value of hot: DuckDB checks the checksum of each block that it reads."""
    with reading(store) as con:
        names = con.execute(
            "select table_name from duckdb_tables() where database_name = 'hot' order by all"
        ).fetchall()
        for (name,) in names:
            con.execute(f"select bit_xor(hash(t)) from hot.{quoted(name)} t").fetchall()


def _rebuild(patient: Patient) -> str:
    done = rebuild_hot(patient.store, now=patient.now)
    kept, thawed = (sum(getattr(t, what) for t in done) for what in ("salvaged", "from_cold"))
    said = f"made anew: {kept:,} rows read from the old file, {thawed:,} copied from the lake"
    lost = [f"{table.unreadable:,} of {table.table}" for table in done if table.unreadable]
    if not kept:
        lost = ["all that the old file held"]
    if not lost:
        return f"{said}, none lost; the old file is in damaged/"
    return Loss(
        f"{said}; {', '.join(lost)} could not be read: landing's part is merged again, a backup "
        "may have the rest; what is left of the old file is in damaged/"
    )


def batches(patient: Patient) -> Iterator[Problem]:
    """Are the bytes of every file of landing and quarantine those that were written?"""
    store = patient.store
    for path in sorted(store.landing.glob("*/*")):
        if path.is_file() and not path.name.startswith(TEMPORARY):
            try:
                landing.check_file(path)
            except StoreDamaged as error:
                what = f"{error.reason}; {_fate(store, path)}"
                yield Problem(str(path), what, partial(_aside, patient, path))
    for path in sorted(store.quarantine.glob("*/*.parquet")):
        if not path.name.startswith(TEMPORARY):
            try:
                quarantine.check_file(path)
                read_parquet(path)
            except StoreDamaged as error:
                cure = partial(_judge_again, patient, path)
                yield Problem(str(path), f"is damaged: {_first_line(error)}", cure)


def _fate(store: Store, path: Path) -> str:
    """Return what became of the batch that a file of landing was."""
    with reading(store) as con:
        rows = []
        if has_table(con, "batches"):
            batch = path.relative_to(store.home).as_posix()
            rows = con.execute(
                "select rows from hot.batches where batch = ? and state = 'merged'", [batch]
            ).fetchall()
    if rows:
        return f"its {rows[0][0]:,} accepted rows are in the store"
    return "it was never merged: the next collection asks for what is missing"


def _aside(patient: Patient, path: Path) -> str:
    return f"moved to {set_aside(patient.store, path, patient.now)}"


def _judge_again(patient: Patient, path: Path) -> str:
    """Set a quarantine file aside; let its batch be judged again where landing still has it."""
    store = patient.store
    moved = set_aside(store, path, patient.now)
    landed = [file.relative_to(store.home).as_posix() for file in store.landing.glob("*/*")]
    own = [batch for batch in landed if path.name.startswith(quarantine.name_of(batch))]
    unsettle(store, own, now=patient.now)
    again = "is judged again by the next collection" if own else "is not in landing any more"
    return f"moved to {moved}; its batch {again}"


def soundness(patient: Patient) -> Iterator[Problem]:
    """Does what must always hold do so, and is every merged row of landing somewhere?"""
    for breach in check_invariants(patient.store):
        table = breach.split(":")[0]
        repeated = breach.startswith(f"{table}: hot has ") and table in DATASETS
        cure = partial(_once, patient, table) if repeated else None
        yield Problem(table, breach, cure, advice="copy NIGHTJAR_HOME before anything else")
    for batch, count in lost_rows(patient.store).items():
        what = f"{count:,} of its rows are neither stored nor quarantined"
        yield Problem(batch, what, partial(_unsettle, patient, batch))


def _once(patient: Patient, table: str) -> str:
    """Keep of each key the newest row."""
    name, key = quoted(table), columns(DATASETS[table].key)
    with writing(patient.store, "removing repeated rows", now=patient.now) as con:
        [(before,)] = con.execute(f"select count(*) from hot.{name}").fetchall()
        con.execute(
            f"create or replace temp table kept as from hot.{name} qualify row_number() "
            f"over (partition by {key} order by ingested_at desc) = 1"
        )
        con.execute(f"delete from hot.{name}")
        con.execute(f"insert into hot.{name} from kept")
        [(after,)] = con.execute(f"select count(*) from hot.{name}").fetchall()
        con.execute("drop table kept")
    return f"{before - after:,} repeated rows removed, {after:,} kept"


def _unsettle(patient: Patient, batch: str) -> str:
    unsettle(patient.store, [batch], now=patient.now)
    return "is pending again: the next collection judges and merges it"


def clock(patient: Patient) -> Iterator[Problem]:
    """Does the store know of moments that this machine's clock has not reached?"""
    newest = None
    with reading(patient.store) as con:
        if has_table(con, "batches"):
            [(newest,)] = con.execute("select max(settled_at) from hot.batches").fetchall()
    if newest is not None and newest > patient.now + _SKEW:
        moments = f"{format_utc(newest)}, and this machine says {format_utc(patient.now)}"
        what = f"the last batch was merged at {moments}: a clock jumped"
        advice = "set the clock; until it has caught up, rows that arrive count as older"
        yield Problem("clock", what, advice=advice)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
