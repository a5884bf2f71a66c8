"""Collect anything but candles: tickers, prices, books, chains, indices, what people say."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from core.settings import load
from storage.store import default_store
from tasks import collect as steps
from tasks.asking import asking
from tasks.gather import Window
from tasks.ingest import note_health
from tasks.markets import at_address, reachable
from tasks.questions import Question, is_sandbox, questions
from tasks.secrets import with_secret_blocks
from tasks.steps import in_turn
from tasks.tally import Summary, Tally

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture

MOST_AT_ONCE = 64  # threads; how many of them ask is the setting routing.connections


@flow(
    name="collect",
    flow_run_name="collect {datasets}",
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_AT_ONCE),  # type: ignore[arg-type]
)
def collect(
    datasets: list[str] | None = None,
    source: str | None = None,
    subjects: list[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    interval: str | None = None,
) -> Summary:
    """Ask for datasets, through the gate into the store.

    A source whose key is not set is skipped, and said to be.

    Args:
        datasets: Such as tickers, prices or social_posts; all that the source gives where empty.
        source: Whom to ask; everybody whom the settings name where it is empty.
        subjects: What about, such as BTC-USDT; what the settings watch where it is empty.
        since: From when, where there is a history; a little further back than the last run.
        until: Until when, where there is a history; now where it is empty.
        interval: The resolution, where there is a choice.
    """
    settings = load()
    asked = questions(settings, datasets or [], source, subjects)
    what = source or ", ".join(datasets or [])
    summary = gather_all(what, asked, Window(since, until, interval))
    steps.publish(summary)
    return summary.require()


def gather_all(what: str, asked: list[Question], window: Window) -> Summary:
    """Put questions over many connections, and merge the answers as they come."""
    settings, tally = load(), Tally(what)
    if not asked and is_sandbox(settings.venue):
        tally.note(f"this desk is offline (venue = {settings.venue}): nobody was asked")
    sources = {one.source for one in asked}
    offline = next((name for name in sources if is_sandbox(name)), "")
    with (
        reachable(offline) as url,
        asking(at_address(with_secret_blocks(settings, sources), url), default_store()) as asker,
    ):

        def submit(question: Question) -> PrefectFuture[steps.Gathered]:
            return steps.ask.submit(asker, question, window)

        for question, future in in_turn(submit, asked, settings.routing.connections):
            steps.take(tally, question, future.result(raise_on_failure=False))
        note_health(asker)
    return tally.summary()
