"""A replay: run a past night again, beside the store, and say whether it comes out equal."""

from __future__ import annotations

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.nightly import answer
from tasks import replay as steps
from tasks.steps import Stopwatch


@flow(
    name="replay",
    flow_run_name="replay {night}",
    task_runner=ThreadPoolTaskRunner(max_workers=2),  # type: ignore[arg-type]
)
def replay(night: str) -> steps.ReplaySummary:
    """Run a past night again without saving it, and compare every row with what is stored.

    Args:
        night: Its name, or the beginning of it, such as 2026-11-20.
    """
    watch = Stopwatch()
    with watch("recall"):
        past, once_more, changed = steps.prepare(night)
    made = answer(once_more, watch, unchecked)
    with watch("compare"):
        tables = steps.compare_night(past, once_more, made)
    return steps.conclude(past, once_more, changed, tables, watch.seconds)


def unchecked(*_: object) -> None:
    """Let a stage pass: its rows are compared with those that passed the gates then."""
