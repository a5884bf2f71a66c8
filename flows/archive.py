"""Move what is older than its retention from the hot store to the lake."""

from __future__ import annotations

from prefect import flow

from core.clock import utc_now
from tasks import archive as steps


@flow(name="archive", flow_run_name="archive")
def archive(hot_days: int | None = None) -> steps.Moved:
    """Move old rows to the lake, and clear merged raw batches out of landing.

    Args:
        hot_days: How many days stay hot; what each dataset declares where it is empty.
    """
    now = utc_now()
    moved = {
        dataset: steps.archive_dataset(dataset, now, hot_days)
        for dataset in steps.archived_datasets()
    }
    return steps.Moved(
        rows={dataset: sum(part.rows for part in parts) for dataset, parts in moved.items()},
        partitions={dataset: len(parts) for dataset, parts in moved.items()},
        swept=steps.sweep_landing(now),
    )
