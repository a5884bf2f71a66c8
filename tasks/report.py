"""Steps that tell a person how the night went: the page, the artifacts, the row in `nights`."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import polars as pl
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from core.clock import utc_now
from core.datasets import NIGHTS
from research.paper import RUNNING
from serving.candidates import place, why
from serving.night import NightReport, above_luck, best, misses, winners
from serving.report import headline, render_html, render_markdown
from storage import hot, stages
from storage.files import replacing
from storage.store import Store, default_store
from tasks.nightly import MADE_BY, Night
from tasks.nightpage import page_of
from tasks.steps import ONCE, log

# Stages' files of so many nights are kept for a look; the store has what they found.
KEPT_NIGHTS = 7
# How many that were not promoted a summary names.
NEAREST = 5


class NightSummary(msgspec.Struct, frozen=True):
    """What a night came to, for whoever started it.

    `p_value`, `permutation_p` and `best_score` are those of the best candidate, None where there
    was none; `smallest_sharpe` is the least true Sharpe ratio found on four nights of five;
    `alarm` is how many times too good the worlds without an edge were, None where they were as
    they should be. `promoted` and `nearest` are rows of candidates; `verdicts` counts them.
    """

    night: str
    headline: str
    alarm: float | None
    venue: str
    symbols: tuple[str, ...]
    days: int
    alpha: float
    p_value: float | None
    permutation_p: float | None
    best_score: float | None
    worlds: int
    as_good: int
    permuted_worlds: int
    luck_hurdle: float | None
    smallest_sharpe: float | None
    strategies: int
    trials: int
    distinct_trials: int
    effective_trials: float | None
    refused: int
    candidates: int
    verdicts: dict[str, int]
    promoted: list[dict[str, Any]]
    nearest: list[dict[str, Any]]
    running: int
    ledger: str | None
    report: str
    timings: dict[str, float]


@task(task_run_name="report {night.night}", **ONCE)
def report_night(night: Night, timings: dict[str, float]) -> NightSummary:
    """Write the night's page, its artifacts and its row in `nights`.

    All rows of the night must be in the store.
    """
    store = default_store()
    page = page_of(store, night, timings)
    path = store.reports / f"{night.night}.html"
    with replacing(path) as temporary:
        temporary.write_text(render_html(page), encoding="utf-8")
    summary = _summary(page, str(path))
    create_markdown_artifact(
        render_markdown(page, chart=True), key="night", description=summary.headline
    )
    create_table_artifact(summary.promoted, key="promotions", description=summary.headline)
    _remember(store, page, summary, path.relative_to(store.home).as_posix())
    stages.sweep(store, nights=KEPT_NIGHTS)
    log.info("report: %s", path)
    return summary


def _summary(page: NightReport, path: str) -> NightSummary:
    luck, top = page.luck, best(page) or {}
    return NightSummary(
        night=page.night,
        headline=headline(page),
        alarm=luck.alarm,
        venue=page.venue,
        symbols=tuple(page.symbols),
        days=page.days,
        alpha=luck.alpha,
        p_value=top.get("p_value"),
        permutation_p=top.get("permutation_p"),
        best_score=top.get("score"),
        worlds=len(luck.mirrored),
        as_good=luck.as_good(top["score"]) if top else 0,
        permuted_worlds=len(luck.permuted),
        luck_hurdle=luck.hurdle,
        smallest_sharpe=luck.smallest,
        strategies=page.strategies,
        trials=page.trials,
        distinct_trials=page.distinct,
        effective_trials=luck.effective,
        refused=page.refused,
        candidates=page.candidates.height,
        verdicts=dict(page.candidates["verdict"].value_counts(sort=True).iter_rows()),
        promoted=_briefly(page, winners(page)),
        nearest=_briefly(page, misses(page, NEAREST)),
        running=0
        if page.book is None
        else sum(one.status == RUNNING for one in page.book.standings),
        ledger=page.ledger,
        report=path,
        timings=dict(page.timings),
    )


def _briefly(page: NightReport, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return candidates without their daily returns, in words where that is shorter."""
    names = (
        *("candidate_id", "symbol", "kind", "text", "score", "shrunk", "p_value", "permutation_p"),
        *("sharpe", "total_return", "max_drawdown", "trades", "verdict"),
    )
    return [
        {"market": place(row, len(page.symbols))}
        | {name: row[name] for name in names}
        | {"cautious": None if row["shrunk"] is None else page.luck.cautious(row["score"])}
        | ({} if row["verdict"] == "promoted" else {"why": why(page, row)})
        for row in rows.iter_rows(named=True)
    ]


def _remember(store: Store, page: NightReport, summary: NightSummary, report: str) -> None:
    now, top = utc_now(), best(page) or {}
    row: dict[str, Any] = {
        name: value
        for name, value in msgspec.structs.asdict(summary).items()
        if name in NIGHTS.columns
    } | {
        "as_of": page.as_of,
        "started_at": page.started_at,
        "finished_at": page.finished_at,
        "symbols": list(page.symbols),
        "seed": page.seed,
        "survivors": above_luck(page),
        "promoted": len(summary.promoted),
        "lookahead_refused": page.refused,
        "best_sharpe": top.get("sharpe"),
        "null_scores": list(page.luck.mirrored),
        "permuted_scores": list(page.luck.permuted),
        "manifest": json.dumps(page.manifest, sort_keys=True),
        "timings": json.dumps(summary.timings),
        "report": report,
        "source": MADE_BY,
        "ingested_at": now,
    }
    hot.put(store, NIGHTS.name, pl.DataFrame([row], schema=NIGHTS.schema), now=now)
