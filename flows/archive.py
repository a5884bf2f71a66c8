"""Move what is older than its retention from the hot store to the lake."""

from __future__ import annotations

from prefect import flow

from core.clock import utc_now
from tasks import archive as steps


@flow(name="archive", flow_run_name="archive")
def archive(
    hot_days: int | None = None,
    whole_months: bool = True,  # noqa: FBT001, FBT002 - Prefect passes parameters by name
    datasets: list[str] | None = None,
) -> steps.Moved:
    """Move old rows to the lake, remove what is kept no longer, and clear landing.

    Args:
        hot_days: How many days stay hot; what each dataset declares where it is empty.
        whole_months: Leave a month hot until all of it is old enough; else each day goes alone.
        datasets: Which tables; all that do not stay hot for ever where it is empty.
    """
    now = utc_now()
    moved = {
        dataset: steps.archive_dataset(dataset, now, hot_days, whole_months=whole_months)
        for dataset in steps.archived_datasets(datasets)
    }
    expired = {dataset: steps.expire_dataset(dataset, now) for dataset in steps.expiring_datasets()}
    return steps.Moved(
        rows={name: sum(part.rows for part in parts) for name, parts in moved.items() if parts},
        partitions={name: len(parts) for name, parts in moved.items() if parts},
        expired={name: rows for name, rows in expired.items() if rows},
        swept=steps.sweep_landing(now),
    )
