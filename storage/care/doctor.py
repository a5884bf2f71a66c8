"""The doctor: look at every part of a store, mend what can be, and show it by counts and hashes.

Every part is looked at, mended from the other tiers, and looked at again, the parts that others
rest on first. Nothing is deleted that held data: it is moved to `NIGHTJAR_HOME/damaged/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import msgspec

from core.clock import require_utc
from core.datasets import DATASETS
from core.errors import NightjarError, StoreBusy
from storage import landing
from storage.care import examine_home, examine_lake
from storage.care.problems import Loss, Patient, Problem
from storage.cold import cold_files, tables
from storage.hot_file import reading
from storage.migrations import has_table
from storage.schema import columns, quoted, values
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.cold import ColdFile
    from storage.store import Store

    Examination = Callable[[Patient], Iterator[Problem]]

EXAMINATIONS: tuple[tuple[str, Examination], ...] = (
    ("disk", examine_home.disk),
    ("leftovers", examine_home.leftovers),
    ("hot", examine_home.hot),
    ("landing and quarantine", examine_home.batches),
    ("lake", examine_lake.tables),
    ("files of the lake", examine_lake.files),
    ("soundness", examine_home.soundness),
    ("clock", examine_home.clock),
)


class Finding(msgspec.Struct, frozen=True):
    """Something that was wrong: where, what, whether it is mended, and how or what to do."""

    part: str
    place: str
    problem: str
    mended: bool
    how: str


class Count(msgspec.Struct, frozen=True):
    """What one table holds: rows by tier, and a checksum of what readers see of it.

    The checksum is of keys and values, and does not depend on order or tier.
    """

    table: str
    hot: int
    cold: int
    rows: int
    checksum: str


class Checkup(msgspec.Struct, frozen=True):
    """What the doctor found and did; `before` lacks the tables that could not be read."""

    findings: tuple[Finding, ...]
    before: tuple[Count, ...]
    after: tuple[Count, ...]
    pending: int  # batches of landing that wait to be judged and merged

    def then(self, later: Checkup) -> Checkup:
        """Return this checkup and a later one as one."""
        known = {(finding.place, finding.problem) for finding in self.findings}
        new = tuple(f for f in later.findings if (f.place, f.problem) not in known)
        return Checkup(self.findings + new, self.before, later.after, later.pending)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong any more."""
        return all(finding.mended for finding in self.findings)


def doctor(store: Store, *, now: datetime, mend: bool = True, own_lake: bool = False) -> Checkup:
    """Examine a store, and mend what can be mended.

    Args:
        store: the store.
        now: when this happens.
        mend: whether to change anything; otherwise it only says what is wrong.
        own_lake: take the lake over where another desk wrote to it last.

    Raises:
        StoreBusy: somebody else held the store for longer than its `lock_wait`.
    """
    if not store.home.is_dir():
        return Checkup((), (), (), 0)
    patient = Patient(store, require_utc(now), own_lake)
    before = census(store)
    found: list[Finding] = []
    for part, examine in EXAMINATIONS:
        found += _visit(patient, part, examine, mend=mend)
        if part == "hot" and found and _left(patient, examine):
            break  # everything after it is looked up in hot
    return Checkup(tuple(found), before, census(store), _pending(store))


def _visit(patient: Patient, part: str, examine: Examination, *, mend: bool) -> Iterator[Finding]:
    """Examine one part, mend it, and look again: what is still there was not mended."""
    try:
        problems = list(examine(patient))
    except StoreBusy:
        raise
    except (NightjarError, duckdb.Error) as error:
        yield Finding(part, "", f"could not be examined: {error}", mended=False, how="")
        return
    told = {problem: _cured(problem) if mend else "" for problem in problems}
    left = _left(patient, examine) if mend and problems else {(p.place, p.what) for p in problems}
    for problem, how in told.items():
        mended = (problem.place, problem.what) not in left and not isinstance(how, Loss)
        said = how or ("mended with the others" if mended else problem.advice)
        yield Finding(part, problem.place, problem.what, mended, said)


def _left(patient: Patient, examine: Examination) -> set[tuple[str, str]]:
    try:
        return {(problem.place, problem.what) for problem in examine(patient)}
    except NightjarError:
        return set()


def _cured(problem: Problem) -> str:
    """Return what was done, empty where nothing could be."""
    if problem.cure is None:
        return ""
    try:
        return problem.cure()
    except StoreBusy:
        raise
    except NightjarError as error:
        return f"could not be mended: {error}"


def census(store: Store) -> tuple[Count, ...]:
    """Count every table that can be read and holds rows, by tier, with a checksum of it."""
    found = []
    try:
        with reading(store) as con:
            cold = tables(store)
            for name, dataset in DATASETS.items():
                try:
                    files = cold_files(store, dataset) if name in cold else []
                    found.append(_count(con, dataset, files))
                except (NightjarError, duckdb.Error):
                    continue
    except StoreBusy:
        raise
    except (NightjarError, duckdb.Error):
        return ()
    return tuple(count for count in found if count.rows)


def _count(con: DuckDBPyConnection, dataset: Dataset, files: list[ColdFile]) -> Count:
    hot = 0
    if has_table(con, dataset.name):
        [(hot,)] = con.execute(f"select count(*) from hot.{quoted(dataset.name)}").fetchall()
    if not hot and not files:
        return Count(dataset.name, hot=0, cold=0, rows=0, checksum="")
    said = columns([*dataset.key, *values(dataset)])
    [(rows, total)] = con.execute(
        f"select count(*), sum(hash({said}))::varchar from ({union(con, dataset, files)})"
    ).fetchall()
    cold = sum(file.rows for file in files)
    return Count(dataset.name, hot=hot, cold=cold, rows=rows, checksum=str(total))


def _pending(store: Store) -> int:
    try:
        return len(landing.pending(store))
    except NightjarError:
        return 0
