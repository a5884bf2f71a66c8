"""A replay: run a past night again, beside the store, and say whether it comes out equal."""

from __future__ import annotations

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from tasks import replay as steps
from tasks.backtests import backtest_symbol, gather
from tasks.breed import breed
from tasks.judge import judge
from tasks.ledger import account
from tasks.steps import Stopwatch
from tasks.weigh import promote, weigh


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
    with watch("search"):
        bred, searched = breed(once_more)
    with watch("luck"):
        judge(once_more)
    with watch("weigh"):
        candidates = weigh(once_more, searched)
        promotions = promote(once_more, candidates)
    with watch("backtest"):
        parts = [
            future.result()
            for future in [
                backtest_symbol.submit(once_more, bred, symbol) for symbol in once_more.symbols
            ]
        ]
        metrics = gather(once_more, "backtests", [metrics for metrics, _ in parts])
        equity = gather(once_more, "equity", [equity for _, equity in parts])
    with watch("compare"):
        trials = account(once_more, searched, candidates, metrics, equity)
        made = steps.Made(bred, metrics, trials, candidates, promotions)
        tables = steps.compare_night(past, once_more, made)
    return steps.conclude(past, once_more, changed, tables, watch.seconds)
