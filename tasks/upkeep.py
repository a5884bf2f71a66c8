"""Steps of the nightly upkeep: the doctor looks at every file, and says what it found."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from prefect import task
from prefect.artifacts import create_markdown_artifact

from core.errors import NightjarError, StoreDamaged
from serving.doctor import render_markdown
from storage import landing
from storage.care.backup import backup
from storage.care.doctor import Checkup, doctor
from storage.store import default_store
from tasks.settle import settle_together
from tasks.steps import PATIENT, log


@task(task_run_name="look at the store", **PATIENT)
def look_after(now: datetime) -> Checkup:
    """Examine every file of every tier by its hash, and mend what can be mended."""
    found = doctor(default_store(), now=now)
    for finding in found.findings:
        speak = log.info if finding.mended else log.warning
        speak("%s %s: %s", finding.place, finding.problem, finding.how)
    create_markdown_artifact(render_markdown(found), key="upkeep")
    log.info("%s tables looked at, %s problems", len(found.after), len(found.findings))
    return found


@task(task_run_name="copy the store", **PATIENT)
def copy_store(folder: Path, now: datetime) -> str:
    """Copy the store, open the copy, and compare; return where the copy is."""
    made = backup(default_store(), folder, now=now)
    log.info("copied %s files to %s, and compared them", f"{made.files:,}", made.path)
    return made.path


def require_sound(found: Checkup) -> Checkup:
    """Return the checkup, or raise what could not be mended, so that a person hears of it."""
    for finding in found.findings:
        if not finding.mended:
            raise StoreDamaged(finding.place, f"{finding.problem}; {finding.how}")
    return found


def settle_waiting(now: datetime) -> list[str]:
    """Judge and merge the batches that wait in landing, without Prefect; return the refused."""
    store, refused = default_store(), []
    for receipt in landing.pending(store):
        try:
            [became] = settle_together(store, [receipt], now)
        except NightjarError as error:
            became = error
        if isinstance(became, NightjarError):
            refused.append(f"{receipt.path}: {became}")
    return refused
