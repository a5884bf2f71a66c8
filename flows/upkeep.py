"""Look at every file of the store by its hash, and mend what can be mended from other tiers."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - Prefect reads annotations when flows run
from pathlib import Path

from prefect import flow

from core.clock import utc_now
from storage import landing
from storage.care.doctor import Checkup
from storage.store import default_store
from tasks import upkeep as steps
from tasks.tally import Tally


@flow(name="upkeep", flow_run_name="upkeep")
def upkeep(backup: Path | None = None) -> Checkup:
    """Let the doctor look at the store, and merge the batches that wait in landing.

    Fails where something is wrong that could not be mended, after all that could be was.

    Args:
        backup: A folder, best on another disk, to which the store is copied afterwards.
    """
    found = steps.look_after(utc_now())
    tally = Tally("upkeep")
    for receipt in landing.pending(default_store()):
        tally.merge(receipt)
    tally.settle()
    if backup is not None:
        steps.copy_store(backup, utc_now())
    return steps.require_sound(found)


def settle_waiting(now: datetime) -> list[str]:
    """Judge and merge the batches that wait in landing outside of a run; return the refused."""
    return steps.settle_waiting(now)
