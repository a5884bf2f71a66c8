"""Fill an empty store with history: phase by phase, each from who has that kind of history."""

from __future__ import annotations

from datetime import datetime, timedelta

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from core.clock import floor_to, utc_now
from core.settings import load
from flows.collect import MOST_AT_ONCE, gather_all
from flows.ingest import collect as collect_candles
from tasks import seed as steps
from tasks.collect import publish
from tasks.gather import Window
from tasks.progress import Progress
from tasks.steps import log
from tasks.tally import Summary


@flow(
    name="seed",
    flow_run_name="seed",
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_AT_ONCE),  # type: ignore[arg-type]
)
def seed(
    days: int | None = None,
    symbols: list[str] | None = None,
    phases: list[str] | None = None,
    until: datetime | None = None,
) -> Summary:
    """Collect history from several providers: instruments, candles, daily bars, prices, rates.

    What is stored already is not asked for again, so that a run that was cut short goes on where
    it was. How far each phase is stands on the run's page and in the log.

    Args:
        days: How far back; as far as a night looks where it is empty.
        symbols: Which markets; what the settings watch where it is empty.
        phases: Which of instruments, candles, daily, prices and rates; all where it is empty.
        until: The end; now where it is empty.
    """
    settings = load()
    end = until or floor_to(utc_now(), timedelta(minutes=1))
    start = end - timedelta(days=days or settings.days)
    done: list[Summary] = []
    for phase in phases or steps.PHASES:
        todo = steps.pieces(phase, settings, symbols or [], start, end)
        progress = Progress(f"seeding {phase}", f"seeding-{phase}")
        for number, piece in enumerate(todo, start=1):
            log.info("seeding %s: %s", phase, piece)
            done.append(_collect(piece, start, end))
            progress(number, len(todo))
    summary = steps.together("history", done)
    publish(summary)
    return summary.require()


def _collect(piece: steps.Piece, start: datetime, end: datetime) -> Summary:
    if isinstance(piece, steps.Bars):
        return collect_candles(
            piece.venue, list(piece.symbols), piece.start, piece.end, piece.interval
        )
    return gather_all(f"{piece}", [piece], Window(start, end))
