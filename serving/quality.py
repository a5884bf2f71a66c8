"""The data-quality page: how complete and how fresh every series is, in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from core.clock import format_utc
from core.datasets import TIME, VERDICTS
from core.market import INTERVALS
from serving import gates
from serving.calendar import strips
from serving.causes import WORDS
from serving.frames import shaped
from serving.markdown import escape, table
from serving.night import SANDBOX
from serving.page import markup, render
from serving.reasons import REASONS
from serving.score import PARTS
from serving.words import completeness, count, decimal, listed, moment, plural, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.calendar import Day

Row = dict[str, Any]

_SERIES = {"venue": pl.String(), "symbol": pl.String(), "interval": pl.String()}
COVERAGE: dict[str, Any] = {
    **_SERIES,
    "first": TIME,
    "last": TIME,
    "bars": pl.Int64(),
    "expected": pl.Int64(),
    "missing": pl.Int64(),
}
GAPS: dict[str, Any] = {**_SERIES, "start": TIME, "end": TIME, "bars": pl.Int64()}
QUARANTINE: dict[str, Any] = {"reason": pl.String(), "rows": pl.Int64()}
FRESHNESS: dict[str, Any] = {**_SERIES, "behind": pl.Float64()}
CAUSES: dict[str, Any] = {**GAPS, "cause": pl.String()}
SCORES: dict[str, Any] = {**_SERIES, **dict.fromkeys(("score", *PARTS), pl.Float64())}
OUTLIERS: dict[str, Any] = {
    **_SERIES,
    "open_time": TIME,
    "kind": pl.String(),
    "size": pl.Float64(),
    "sigmas": pl.Float64(),
}

_DRAWN_SERIES = 40
_DRAWN_HOLES = 200  # of one series, the longest
_LISTED_GAPS = 30
_LISTED_BATCHES = 40
_LISTED_OUTLIERS = 20

_QUERIES = (
    "select * from coverage",
    "select * from missing_bars order by bars desc",
    "select * from verdicts where judged_at >= '{day}' order by judged_at",
)


@dataclass(frozen=True, eq=False)
class QualityReport:
    """What is known of the data at `made_at`; the frames are checked when it is made.

    `coverage` has a row per series; `gaps` a row per hole, [start, end); `quarantine` counts rows
    by reason; `freshness` says how many seconds before `made_at` the last bar of each series
    closed (made from `coverage` where it is not given); `verdicts` are those of the last day.
    `causes` has the holes cut where their cause changes; `scores` and `outliers` are of the last
    `days` days. A series is behind when its last bar closed more than `stale_after` ago.

    Raises:
        ContractBroken: a frame lacks a column, or one holds something else.
    """

    coverage: pl.DataFrame
    gaps: pl.DataFrame
    quarantine: pl.DataFrame
    verdicts: pl.DataFrame
    made_at: datetime
    freshness: pl.DataFrame = field(default_factory=pl.DataFrame)
    stale_after: timedelta = timedelta(hours=2)
    causes: pl.DataFrame = field(default_factory=pl.DataFrame)
    scores: pl.DataFrame = field(default_factory=pl.DataFrame)
    outliers: pl.DataFrame = field(default_factory=pl.DataFrame)
    calendar: Sequence[Day] = ()
    days: int = 30

    def __post_init__(self) -> None:
        frames = {
            "coverage": COVERAGE,
            "gaps": GAPS,
            "quarantine": QUARANTINE,
            "verdicts": VERDICTS.columns,
            "causes": CAUSES,
            "scores": SCORES,
            "outliers": OUTLIERS,
        }
        for name, columns in frames.items():
            frame = shaped(f"the report's {name}", getattr(self, name), columns)
            object.__setattr__(self, name, frame)
        given = self.freshness if self.freshness.columns else freshness(self.coverage, self.made_at)
        object.__setattr__(self, "freshness", shaped("the report's freshness", given, FRESHNESS))


class Series(NamedTuple):
    """One series and what is said of it."""

    name: str
    venue: str
    complete: str
    missing: int
    holes: int
    behind: float
    stale: bool
    statement: str
    score: float | None = None


def freshness(coverage: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return how many seconds ago the last bar of each series closed."""
    coverage = shaped("coverage", coverage, COVERAGE)
    step = pl.col("interval").replace_strict(
        INTERVALS, default=None, return_dtype=pl.Duration("us")
    )
    age = pl.lit(now).cast(TIME) - pl.col("last") - step
    return coverage.select(*_SERIES, behind=age.dt.total_microseconds() / 1e6)


def by_reason(quarantined: pl.DataFrame) -> pl.DataFrame:
    """Count quarantined rows by reason; `quarantined` has a list column `reasons`."""
    return (
        quarantined.select(pl.col("reasons").alias("reason"))
        .explode("reason")
        .drop_nulls()
        .group_by("reason")
        .agg(rows=pl.len().cast(pl.Int64))
        .sort("rows", "reason", descending=[True, False])
    )


def series_of(report: QualityReport) -> list[Series]:
    """Say of each series how complete and how fresh it is, the worst first."""
    rows = report.coverage.join(
        report.freshness, on=list(_SERIES), how="left", maintain_order="left"
    ).join(report.scores, on=list(_SERIES), how="left", maintain_order="left")
    found = [_series(report, row) for row in rows.to_dicts()]
    return sorted(found, key=lambda one: (not one.stale, -one.missing, one.name))


def headline(report: QualityReport) -> str:
    """Say in a sentence or two how the data is."""
    found = series_of(report)
    if not found:
        return "Nothing is stored yet."
    incomplete = sum(1 for one in found if one.missing)
    stale = sum(1 for one in found if one.stale)
    refused = gates.refused(report.verdicts)
    wrong = []
    if incomplete:
        wrong.append(f"{count(incomplete)} {'has' if incomplete == 1 else 'have'} gaps")
    if stale:
        wrong.append(f"{count(stale)} {'is' if stale == 1 else 'are'} behind")
    alone = len(found) == 1
    every = "The one series is" if alone else f"All {count(len(found))} series are"
    said = (
        f"Of {count(len(found))} series {listed(wrong)}."
        if wrong
        else f"{every} complete and fresh."
    )
    if refused:
        said += f" The gates refused {plural(refused, 'batch', 'batches')} in the last day."
    return said


def render_html(report: QualityReport) -> str:
    """Return the page as one file that opens without a network."""
    found = series_of(report)
    notable = gates.notable(report.verdicts)
    gaps = report.causes if report.causes.height else report.gaps.with_columns(cause=None)
    gaps = gaps.sort("bars", "start", "symbol", descending=[True, True, False])
    return render(
        "quality.html.j2",
        report=report,
        headline=headline(report),
        series=found,
        sandbox=any(one.venue == SANDBOX for one in found),
        all_sandbox=all(one.venue == SANDBOX for one in found),
        chart=_chart(report),
        undrawn=max(0, len(found) - _DRAWN_SERIES),
        gaps=gaps.head(_LISTED_GAPS).to_dicts(),
        gaps_more=max(0, gaps.height - _LISTED_GAPS),
        words=WORDS,
        by_cause=_by_cause(report),
        parts=PARTS,
        scores=report.scores.sort("score", *_SERIES).to_dicts(),
        outliers=report.outliers.head(_LISTED_OUTLIERS).to_dicts(),
        strips=strips(report.calendar),
        quarantine=_quarantine(report),
        verdicts=gates.by_dataset(report.verdicts),
        notable=notable[:_LISTED_BATCHES],
        notable_more=max(0, len(notable) - _LISTED_BATCHES),
        queries=_queries(report),
    )


def render_markdown(report: QualityReport) -> str:
    """Return the page in short, as Markdown."""
    found = series_of(report)
    parts = [f"# {escape(headline(report))}", f"Looked at {moment(report.made_at)}."]
    if any(one.venue == SANDBOX for one in found):
        parts.append("**SANDBOX: series of that venue are made up, not real markets.**")
    parts += [f"- **{escape(one.name)}**{_scored(one)}: {escape(one.statement)}" for one in found]
    if missing := _by_cause(report):
        parts += [
            "## Missing bars by cause",
            table(
                [
                    ("cause", [WORDS[cause] for cause, _ in missing]),
                    ("bars", [count(bars) for _, bars in missing]),
                ]
            ),
        ]
    if quarantine := _quarantine(report):
        columns = ("reason", "rows", "because")
        cells = zip(*quarantine, strict=True)
        parts += [
            "## Quarantine by reason",
            table(
                [(name, list(map(str, cell))) for name, cell in zip(columns, cells, strict=True)]
            ),
        ]
    return "\n\n".join(parts) + "\n"


def _series(report: QualityReport, row: Row) -> Series:
    name = f"{row['venue']} {row['symbol']} {row['interval']}"
    holes = report.gaps.filter(
        **{column: row[column] for column in _SERIES},
    ).sort("bars", "start", descending=[True, False])
    behind = row["behind"]
    stale = behind is None or behind > report.stale_after.total_seconds()
    return Series(
        name=name,
        venue=row["venue"],
        complete=completeness(row["bars"], row["expected"]),
        missing=row["missing"],
        holes=holes.height,
        behind=behind,
        stale=stale,
        statement=f"{_complete(row, holes)} {_fresh(behind, stale=stale)}",
        score=row["score"],
    )


def _scored(one: Series) -> str:
    return "" if one.score is None else f" (score {decimal(one.score)})"


def _by_cause(report: QualityReport) -> list[tuple[str, int]]:
    """Count missing bars by cause, the most first."""
    counted = report.causes.group_by("cause").agg(pl.col("bars").sum())
    return counted.sort("bars", "cause", descending=[True, False]).rows()


def _complete(row: Row, holes: pl.DataFrame) -> str:
    if not row["missing"]:
        return f"Complete: all {plural(row['expected'], 'bar')} since {moment(row['first'])}."
    said = (
        f"{count(row['bars'])} of {plural(row['expected'], 'bar')} since {moment(row['first'])} "
        f"({completeness(row['bars'], row['expected'])}); {count(row['missing'])} missing"
    )
    if not holes.height:
        return said + "."
    longest = holes.row(0, named=True)
    where = f"{plural(longest['bars'], 'bar')} from {moment(longest['start'])}"
    if holes.height == 1:
        return f"{said} in one gap, {where}."
    return f"{said} in {count(holes.height)} gaps, the longest {where}."


def _fresh(behind: float | None, *, stale: bool) -> str:
    if behind is None:
        return "How fresh it is cannot be said."
    if behind < 0:
        return "Its last bar closes after this page was made, which cannot be."
    ago = f"the last bar closed {seconds(behind)} before this page was made."
    return f"Behind: {ago}" if stale else f"Fresh: {ago}"


def _chart(report: QualityReport) -> list[Any]:
    from serving import charts  # noqa: PLC0415 - altair takes a second to import

    strips = [_stretch(report, row) for row in report.coverage.head(_DRAWN_SERIES).to_dicts()]
    if not strips:
        return []
    return [
        markup(charts.svg(charts.stretches(strips, width=width), name))
        for name, width in (("held", 680), ("held-phone", 230))
    ]


def _stretch(report: QualityReport, row: Row) -> Any:
    from serving import charts  # noqa: PLC0415 - as above

    key = {column: row[column] for column in _SERIES}
    holes = report.gaps.filter(**key).sort("bars", descending=True).head(_DRAWN_HOLES)
    return charts.Stretch(
        f"{row['symbol']} {row['interval']}" + f" ({row['venue']})",
        row["first"],
        row["last"],
        holes.sort("start").select("start", "end").rows(),
    )


def _quarantine(report: QualityReport) -> list[tuple[str, int, str]]:
    rows = report.quarantine.sort("rows", "reason", descending=[True, False]).rows()
    return [(reason, total, REASONS.get(reason, "")) for reason, total in rows]


def _queries(report: QualityReport) -> list[str]:
    day = format_utc(report.made_at - timedelta(days=1))
    return [query.format(day=day) for query in _QUERIES]
