"""Steps of the quality report: look at the store, write the page, leave the artifact."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
from prefect import task
from prefect.artifacts import create_markdown_artifact

from core.datasets import CANDLES
from serving.calendar import calendar
from serving.quality import QualityReport, by_reason, render_html, render_markdown
from serving.score import scores
from storage import catalog, checkup, quarantine
from storage.files import replacing
from storage.lake import sql
from storage.store import default_store
from tasks.steps import ONCE, log

PAGE = "quality.html"
DAYS = 30  # that a score looks at
CALENDAR_DAYS = 60


@task(task_run_name="quality report", **ONCE)
def report_quality(now: datetime) -> str:
    """Write the data-quality page and its artifact; return the page's path."""
    store = default_store()
    found = checkup.facts(store, now=now, days=DAYS)
    report = QualityReport(
        coverage=catalog.coverage(store),
        gaps=catalog.gaps(store),
        quarantine=by_reason(quarantine.read(store, CANDLES.name)),
        verdicts=sql(
            "select * from verdicts where judged_at >= $since order by judged_at",
            {"since": now - timedelta(days=1)},
            store=store,
        ),
        made_at=now,
        causes=catalog.causes(store),
        scores=scores(found),
        outliers=checkup.outliers(store, now=now, days=DAYS),
        calendar=calendar(store, now=now, days=CALENDAR_DAYS),
        days=DAYS,
    )
    path = store.reports / PAGE
    with replacing(path) as temporary:
        temporary.write_text(render_html(report), encoding="utf-8")
    create_markdown_artifact(render_markdown(report), key="quality")
    missing = report.coverage.select(pl.col("missing").sum()).item()
    log.info("%s series, %s bars missing: %s", report.coverage.height, missing, path)
    return str(path)
