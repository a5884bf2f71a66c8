"""Examinations of the lake: whose it is, its logs, and the hash of every file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from core.datasets import DATASETS
from core.errors import LakeTaken, LakeUnavailable, StoreDamaged, StoreTooNew
from storage import identity
from storage.care.problems import Loss, Patient, Problem
from storage.care.rebuild import record_files, set_aside
from storage.care.relog import make_log_again, partition_of
from storage.care.restore import drop_file, landed_rows, restore_file
from storage.cold import cold_files, open_table
from storage.cold import tables as tables_of
from storage.freezing import own
from storage.scrub import damage_of, listed_rows, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.datasets import Dataset
    from storage.cold import ColdFile


def tables(patient: Patient) -> Iterator[Problem]:
    """Can each table's log be read, and did this desk write it last?"""
    for dataset in _present(patient):
        folder = patient.store.lake_table(dataset.name)
        try:
            identity.require_ours(patient.store, folder, open_table(patient.store, dataset))
            cold_files(patient.store, dataset)
        except LakeTaken as error:
            cure = partial(_own, patient, dataset) if _may_own(patient) else None
            yield Problem(folder, str(error), cure, advice="nightjar doctor --own-lake")
        except StoreTooNew as error:
            yield Problem(folder, str(error), advice="use the newer nightjar")
        except LakeUnavailable as error:
            yield Problem(folder, str(error), advice="check AWS_ENDPOINT_URL and credentials")
        except StoreDamaged as error:
            tokens = patient.store.home / identity.TOKENS
            lost = error.path == str(tokens)
            cure = partial(_own_anew if lost else _log_again, patient, dataset)
            yield Problem(error.path, error.reason.splitlines()[0], cure)


def _present(patient: Patient) -> list[Dataset]:
    names = tables_of(patient.store)
    return [dataset for dataset in DATASETS.values() if dataset.name in names]


def _may_own(patient: Patient) -> bool:
    """Whether a lake last written with another desk's token may become this desk's.

    In a lake under `home` it may where this desk lost its tokens: no other desk can have it.
    """
    tokens = patient.store.home / identity.TOKENS
    return patient.own_lake or (patient.store.owns_lake and not tokens.exists())


def _own(patient: Patient, dataset: Dataset) -> str:
    own(patient.store, dataset)
    return "this desk writes to it from now on, and what another had under way there fails"


def _own_anew(patient: Patient, dataset: Dataset) -> str:
    tokens = patient.store.home / identity.TOKENS
    moved = set_aside(patient.store, tokens, patient.now) if tokens.exists() else "damaged/"
    if not _may_own(patient):
        return f"moved to {moved}; `nightjar doctor --own-lake` makes the lake this desk's again"
    return f"moved to {moved}; {_own(patient, dataset)}"


def _log_again(patient: Patient, dataset: Dataset) -> str:
    return make_log_again(patient.store, dataset, now=patient.now)


def files(patient: Patient) -> Iterator[Problem]:
    """Is every file what was written, and does the catalogue list just these files?"""
    known, there = recorded(patient.store), set()
    for dataset in _present(patient):
        for file in _listed(patient, dataset):
            there.add(patient.store.in_lake(file.path))
            if damage := damage_of(file, known.get(patient.store.in_lake(file.path))):
                what = f"{damage.reason}; it held {file.rows:,} rows"
                yield Problem(file.path, what, partial(_mend, patient, dataset, file))
    if known.keys() != there:
        extra, missing = known.keys() - there, len(there - known.keys())
        what = f"the catalogue lists {len(extra)} files that the lake has not, and lacks {missing}"
        yield Problem("files", what, partial(_record, patient, frozenset(extra)))


def _listed(patient: Patient, dataset: Dataset) -> list[ColdFile]:
    try:
        return cold_files(patient.store, dataset)
    except (StoreDamaged, StoreTooNew, LakeUnavailable):
        return []  # said by `tables`


def _mend(patient: Patient, dataset: Dataset, file: ColdFile) -> str:
    if restore_file(patient.store, dataset, file, now=patient.now):
        return f"made again from landing: {file.rows:,} rows, SHA-256 {file.sha256} as it was"
    landed = landed_rows(patient.store, dataset, file.partition)
    batches = drop_file(patient.store, dataset, file, now=patient.now)
    said = (
        f"taken out of the lake, kept in damaged/; {len(batches)} batches of landing are judged "
        f"and merged again by the next collection: {landed:,} of its {file.rows:,} rows"
    )
    return said if landed >= file.rows else Loss(f"{said}; collect the rest again")


def _record(patient: Patient, gone: frozenset[str]) -> str:
    """Make the catalogue list the lake's files; say how many rows of those that are gone remain."""
    rows, left = 0, 0
    for name, path, count in listed_rows(patient.store):
        if path in gone and name in DATASETS:
            dataset = DATASETS[name]
            rows += count
            left += min(count, landed_rows(patient.store, dataset, partition_of(dataset, path)))
    said = f"it lists {record_files(patient.store, patient.now)} files, each with its hash"
    if rows:
        said += f"; landing has {left:,} of the {rows:,} rows that went with the others"
    return said if left >= rows else Loss(f"{said}; collect the rest again")
