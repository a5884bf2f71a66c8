"""Steps that tell a person how the night went: the page, the artifact, the row in `nights`."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
import polars as pl
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from core.clock import utc_now
from core.datasets import NIGHTS
from core.receipts import Receipt
from research.statistics import luck_hurdle
from serving.night import RESULTS
from serving.report import NightReport, headline, nearest, render_html, render_markdown
from storage import hot, stages
from storage.files import replacing
from storage.lake import read_candles, sql
from storage.store import Store, default_store
from tasks.nightly import BASE, MADE_BY, Night, quality
from tasks.steps import ONCE, log
from tasks.weigh import NOT_CHOSEN, PROMOTED

# How many that were not promoted are drawn beside the winners.
NEAREST = 3
# Stages' files of so many nights are kept for a look; the store has what they found.
KEPT_NIGHTS = 7


class NightSummary(msgspec.Struct, frozen=True):
    """What a night came to, for whoever started it."""

    night: str
    headline: str
    venue: str
    symbols: tuple[str, ...]
    strategies: int
    trials: int
    luck_hurdle: float
    best_sharpe: float | None
    promoted: list[dict[str, Any]]
    verdicts: dict[str, int]
    report: str
    timings: dict[str, float]


@task(task_run_name="report {night.night}", **ONCE)
def report_night(
    night: Night,
    bred: Receipt,
    metrics: Receipt,
    equity: Receipt,
    trials: Receipt,
    candidates: Receipt,
    timings: dict[str, float],
) -> NightSummary:
    """Write the night's page, its artifacts and its row in `nights`."""
    store = default_store()
    results = _results(store, bred, metrics, trials)
    hurdle = luck_hurdle(trials.rows, night.question.days)
    page = _page(
        store,
        night,
        results,
        _promoted(stages.read(store, candidates)),
        stages.read(store, equity),
        trials.rows,
        hurdle,
        timings,
    )
    path = store.reports / f"{night.night}.html"
    with replacing(path) as temporary:
        temporary.write_text(render_html(page), encoding="utf-8")
    create_markdown_artifact(render_markdown(page), key="night", description=headline(page))
    create_table_artifact(
        page.promoted.select(
            "strategy_id", "symbol", "text", "sharpe", "deflated_sharpe"
        ).to_dicts(),
        key="promotions",
        description=headline(page),
    )
    _remember(store, night, page, path.relative_to(store.home).as_posix())
    stages.sweep(store, nights=KEPT_NIGHTS)
    log.info("report: %s", path)
    return NightSummary(
        night=night.night,
        headline=headline(page),
        venue=page.venue,
        symbols=night.symbols,
        strategies=page.strategies,
        trials=page.trials,
        luck_hurdle=hurdle,
        best_sharpe=_best(results),
        promoted=page.promoted.to_dicts(),
        verdicts=dict(results["verdict"].value_counts(sort=True).iter_rows()),
        report=str(path),
        timings=timings,
    )


def _best(results: pl.DataFrame) -> float | None:
    return cast("float | None", results["sharpe"].max())


def _promoted(candidates: pl.DataFrame) -> pl.DataFrame:
    """Return the promoted in the form of results; what only a backtest measures is null."""
    rows = candidates.filter(pl.col("verdict") == PROMOTED).rename({"candidate_id": "strategy_id"})
    empty = pl.DataFrame(schema=RESULTS)
    return pl.concat([empty, rows.select(name for name in RESULTS if name in rows)], how="diagonal")


def _results(store: Store, bred: Receipt, metrics: Receipt, trials: Receipt) -> pl.DataFrame:
    """Return one row per strategy and symbol: its text, its metrics, its verdict."""
    keys = ["strategy_id", "symbol"]
    scores = ["in_sample_sharpe", "out_of_sample_sharpe", "deflated_sharpe", "verdict"]
    texts = stages.read(store, bred).select("strategy_id", "text")
    vetted = stages.read(store, trials).select(*keys, *scores)
    return (
        stages.read(store, metrics)
        .drop("night", "venue", "start", "end", "source", "ingested_at")
        .join(texts, on="strategy_id", how="left", maintain_order="left")
        .join(vetted, on=keys, how="left", maintain_order="left")
    )


def _page(
    store: Store,
    night: Night,
    results: pl.DataFrame,
    promoted: pl.DataFrame,
    equity: pl.DataFrame,
    trials: int,
    luck_hurdle: float,
    timings: dict[str, float],
) -> NightReport:
    question = night.question
    failed = results.filter(pl.col("verdict") != PROMOTED)
    drawn = pl.concat(
        [one.select("strategy_id", "symbol") for one in (promoted, nearest(failed, NEAREST))]
    )
    return NightReport(
        night=night.night,
        as_of=question.as_of,
        started_at=night.started_at,
        finished_at=utc_now(),
        venue=question.venue,
        symbols=list(night.symbols),
        days=question.days,
        seed=question.seed,
        strategies=question.strategies,
        trials=trials,
        luck_hurdle=luck_hurdle,
        costs=question.costs,
        results=results,
        promoted=promoted,
        equity=equity.join(drawn, on=["strategy_id", "symbol"], how="semi"),
        benchmark=_buy_and_hold(store, night),
        quality=_quality(store, night),
        gates=_gates(store, night),
        timings=timings,
        manifest=night.manifest,
    )


def _buy_and_hold(store: Store, night: Night) -> pl.DataFrame:
    """Return the equity of buying each symbol at its first open, at the end of each UTC day."""
    question = night.question
    closes = read_candles(
        store,
        venue=question.venue,
        symbols=list(night.symbols),
        interval=BASE,
        start=question.start,
        end=question.as_of,
    ).select("symbol", "open_time", "open", "close")
    days = closes.group_by(
        "symbol", pl.col("open_time").dt.date().alias("day"), maintain_order=True
    )
    first = closes.group_by("symbol").agg(pl.col("open").first())
    return (
        days.agg(pl.col("close").last())
        .join(first, on="symbol", how="left", maintain_order="left")
        .select("symbol", "day", equity=pl.col("close") / pl.col("open"))
    )


def _quality(store: Store, night: Night) -> pl.DataFrame:
    question = night.question
    counts = sql(
        "select symbol, count(*) as quarantined from quarantine where venue = $venue "
        "and open_time >= $start and open_time < $end group by symbol",
        {"venue": question.venue, "start": question.start, "end": question.as_of},
        store=store,
    )
    return (
        quality(store, question)
        .join(counts, on="symbol", how="left", maintain_order="left")
        .with_columns(pl.col("quarantined").fill_null(0))
    )


def _gates(store: Store, night: Night) -> pl.DataFrame:
    """Return the verdicts since the night began: its collection's and its stages'."""
    return sql(
        "select * from verdicts where judged_at >= $start order by judged_at, verdict_id",
        {"start": night.started_at},
        store=store,
    )


def _remember(store: Store, night: Night, page: NightReport, report: str) -> None:
    verdicts = dict(page.results["verdict"].value_counts().iter_rows())
    now = utc_now()
    row: dict[str, Any] = {
        "night": night.night,
        "as_of": page.as_of,
        "started_at": page.started_at,
        "finished_at": page.finished_at,
        "venue": page.venue,
        "symbols": list(page.symbols),
        "days": page.days,
        "seed": page.seed,
        "strategies": page.strategies,
        "trials": page.trials,
        "survivors": verdicts.get(PROMOTED, 0) + verdicts.get(NOT_CHOSEN, 0),
        "promoted": page.promoted.height,
        "luck_hurdle": page.luck_hurdle,
        "best_sharpe": _best(page.results),
        "manifest": json.dumps(night.manifest, sort_keys=True),
        "timings": json.dumps(dict(page.timings)),
        "report": report,
        "source": MADE_BY,
        "ingested_at": now,
    }
    hot.put(store, NIGHTS.name, pl.DataFrame([row], schema=NIGHTS.schema), now=now)
