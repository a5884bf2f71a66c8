"""Report how fresh and complete every series is."""

from __future__ import annotations

from prefect import flow

from core.clock import utc_now
from tasks import quality as steps


@flow(name="quality", flow_run_name="quality")
def quality() -> str:
    """Write the data-quality page, and the same summary as an artifact."""
    return steps.report_quality(utc_now())
