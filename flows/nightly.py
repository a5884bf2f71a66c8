"""The night: refresh the market, hunt for strategies, ask luck, promote what it cannot explain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from core.clock import utc_now
from flows.ingest import collect
from tasks import nightly as steps
from tasks import report as pages
from tasks.backtests import backtest_symbol, gather
from tasks.breed import breed
from tasks.gates import gate_stage
from tasks.judge import judge
from tasks.ledger import account, chain
from tasks.markets import is_rest
from tasks.paper import follow_paper
from tasks.steps import Stopwatch
from tasks.weigh import promote, weigh

Check = Callable[..., object]


@flow(
    name="nightly",
    flow_run_name="night",
    task_runner=ThreadPoolTaskRunner(max_workers=2),  # type: ignore[arg-type]
)
def nightly(
    as_of: datetime | None = None,
    symbols: list[str] | None = None,
    venue: str | None = None,
    strategies: int | None = None,
    days: int | None = None,
    seed: int | None = None,
    interval: str | None = None,
) -> pages.NightSummary:
    """Breed strategies, ask worlds without an edge what they are worth, promote what survives.

    Every parameter may be left empty; the settings (NIGHTJAR_*, nightjar.toml) then decide.

    Args:
        as_of: The moment the night looks back from; now where it is empty.
        symbols: Which markets to search, such as BTC-USDT; all of the venue where it is empty.
        venue: Whose bars to search: sandbox or binance.
        strategies: How many strategies to breed.
        days: How many days of history to look at.
        seed: Decides everything random; the same night with the same seed gives the same result.
        interval: The bars to search and to fill trades on, such as 1m or 5m.
    """
    watch, started_at = Stopwatch(), utc_now()
    question = steps.ask(
        as_of=as_of,
        symbols=symbols,
        venue=venue,
        strategies=strategies,
        days=days,
        seed=seed,
        interval=interval,
    )
    with watch("refresh"):
        if is_rest(question.venue):
            steps.note_missing(
                collect(
                    question.venue,
                    list(question.symbols),
                    question.start,
                    question.as_of,
                    question.interval,
                )
            )
    with watch("pin"):
        night = steps.pin(question, started_at)
    found = answer(night, watch, gate_stage)
    with watch("save"):
        for receipt in (found.strategies, found.backtests, found.candidates, found.promotions):
            steps.save(receipt)
        chain(night, found.trials)
    with watch("paper"):
        follow_paper(night)
    with watch("report"):
        return pages.report_night(night, watch.seconds)


def answer(night: steps.Night, watch: Stopwatch, check: Check) -> steps.Answer:
    """Answer a night's question: hunt, ask luck, weigh, backtest, account for all of it.

    What each stage made is left on disk, not in the store. `check` looks at a stage's rows, and at
    their number where it is known, before the next stage reads them.
    """
    with watch("search"):
        bred, searched = breed(night)
        check(bred)
    with watch("luck"):
        judge(night)
    with watch("weigh"):
        candidates = weigh(night, searched)
        check(candidates)
        promotions = promote(night, candidates)
        check(promotions)
    with watch("backtest"):
        parts = [
            future.result()
            for future in [backtest_symbol.submit(night, bred, symbol) for symbol in night.symbols]
        ]
        metrics = gather(night, "backtests", [metrics for metrics, _ in parts])
        equity = gather(night, "equity", [equity for _, equity in parts])
        check(metrics, bred.rows * len(night.symbols))
    with watch("account"):
        trials = account(night, searched, candidates, metrics, equity)
        check(trials)
    return steps.Answer(bred, metrics, trials, candidates, promotions)
