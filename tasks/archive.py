"""Steps of the archive: from hot to cold, out of what is kept no longer, and out of landing."""

from __future__ import annotations

from datetime import datetime

import msgspec
from prefect import task

from core.datasets import DATASETS, dataset_named
from core.settings import load
from storage import archive as tiers
from storage import landing, retention
from storage.store import default_store
from tasks.steps import PATIENT, log


class Moved(msgspec.Struct, frozen=True):
    """What an archive run did: rows and partitions moved, rows expired, landing files removed.

    Only datasets with which anything happened are named.
    """

    rows: dict[str, int]
    partitions: dict[str, int]
    expired: dict[str, int]
    swept: int


def archived_datasets(chosen: list[str] | None) -> list[str]:
    """Return the datasets whose rows do not stay hot for ever, or those that were asked for."""
    if chosen:
        return [dataset_named(name).name for name in chosen]
    return [dataset.name for dataset in DATASETS.values() if dataset.hot_days is not None]


def expiring_datasets() -> list[str]:
    """Return the datasets whose rows are not kept for ever."""
    return [dataset.name for dataset in DATASETS.values() if dataset.keep_days is not None]


@task(task_run_name="archive {dataset}", **PATIENT)
def archive_dataset(
    dataset: str, now: datetime, hot_days: int | None, *, whole_months: bool = True
) -> list[tiers.Archived]:
    """Move a dataset's old partitions from hot to cold."""
    moved = tiers.archive(
        default_store(), dataset, now=now, hot_days=hot_days, whole_months=whole_months
    )
    for part in moved:
        log.info("archived %s %s: %s rows", dataset, part.partition, f"{part.rows:,}")
    return moved


@task(task_run_name="expire {dataset}", **PATIENT)
def expire_dataset(dataset: str, now: datetime) -> int:
    """Remove the rows of a dataset that are kept no longer; return how many."""
    gone = retention.expire(default_store(), dataset, now=now)
    rows = gone.hot_rows + gone.cold_rows
    if rows:
        log.info("removed %s rows of %s that are kept no longer", f"{rows:,}", dataset)
    return rows


@task(task_run_name="sweep landing", **PATIENT)
def sweep_landing(now: datetime) -> int:
    """Remove merged raw batches that were kept long enough."""
    swept = landing.sweep(default_store(), now=now, keep_days=load().landing_days)
    log.info("removed %s merged batches from landing", swept)
    return swept
