"""Steps of the archive: from hot to cold, and out of landing."""

from __future__ import annotations

from datetime import datetime

import msgspec
from prefect import task

from core.datasets import DATASETS
from core.settings import load
from storage import archive as tiers
from storage import landing
from storage.store import default_store
from tasks.steps import PATIENT, log


class Moved(msgspec.Struct, frozen=True):
    """What an archive run moved: partitions and rows by dataset, and landing files removed."""

    rows: dict[str, int]
    partitions: dict[str, int]
    swept: int


def archived_datasets() -> list[str]:
    """Return the datasets whose rows do not stay hot for ever."""
    return [dataset.name for dataset in DATASETS.values() if dataset.hot_days is not None]


@task(task_run_name="archive {dataset}", **PATIENT)
def archive_dataset(dataset: str, now: datetime, hot_days: int | None) -> list[tiers.Archived]:
    """Move a dataset's old partitions from hot to cold."""
    moved = tiers.archive(default_store(), dataset, now=now, hot_days=hot_days)
    for part in moved:
        log.info("archived %s %s: %s rows", dataset, part.partition, f"{part.rows:,}")
    return moved


@task(task_run_name="sweep landing", **PATIENT)
def sweep_landing(now: datetime) -> int:
    """Remove merged raw batches that were kept long enough."""
    swept = landing.sweep(default_store(), now=now, keep_days=load().landing_days)
    log.info("removed %s merged batches from landing", swept)
    return swept
