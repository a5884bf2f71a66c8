"""The morning report of a night: one HTML file and a Markdown artifact.

Data in, text out: the same report gives the same bytes, and nothing is read from anywhere else.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import polars as pl

from serving import gates
from serving.book import SCORECARD, STANDINGS, scorecard_rows, standing_rows, verdicts
from serving.candidates import change, curve, hold, members, objections, opinions, place, why
from serving.checks import HELD_BACK, check, ending, in_order
from serving.claims import claims
from serving.explain import facts
from serving.luck import (
    describe,
    describe_permuted,
    describe_power,
    hurdle_words,
    left,
    levels,
    lines,
)
from serving.markdown import block, escape, table
from serving.night import NightReport, above_luck, best, cost, held, misses, winners
from serving.outcome import alarm, headline, meaning, summary
from serving.page import render
from serving.plans import plan
from serving.words import completeness, count, decimal, odds, percent

__all__ = ["NightReport", "headline", "render_html", "render_markdown"]

_CURVES = 12  # charts of the promoted; the rest is in the table
_FAILED_CURVES = 3  # charts of what was not promoted, where nothing was
_MISSES = 5
_OPEN = 3  # entries whose numbers are spelled out without a click
_ON_PAPER = 6  # charts of what runs on paper
_GATES = 40

Row = dict[str, Any]


def render_html(report: NightReport) -> str:
    """Return the report as one page that opens without a network."""
    from serving import figures  # noqa: PLC0415 - altair takes a second to import

    won, stopped, near = (
        winners(report),
        held(report),
        misses(report, _MISSES + held(report).height),
    )
    notable = gates.notable(report.gates)
    return render(
        "night.html.j2",
        report=report,
        date=f"{report.as_of:%Y-%m-%d}",
        headline=headline(report),
        alarm=alarm(report),
        summary=summary(report),
        meaning=meaning(report),
        best=best(report),
        above=above_luck(report),
        held=_complete(report),
        worlds=figures.worlds(report),
        worlds_words=describe(report),
        permuted_words=describe_permuted(report),
        hurdle_words=hurdle_words(report),
        power=figures.power(report),
        power_words=describe_power(report),
        lines=lines(report),
        levels=levels(report.luck.alpha),
        curves=figures.curves(report, won, most=_CURVES, prefix="won-equity")
        if won.height
        else figures.curves(report, near, most=_FAILED_CURVES, prefix="near-equity"),
        winners=_entries(report, won, "won"),
        stopped=_entries(report, stopped, "held"),
        misses=_entries(report, near.filter(pl.col("verdict") != HELD_BACK), "near"),
        open_entries=_OPEN,
        endings=_endings(report),
        verdict_counts=_verdicts(report),
        book=report.book,
        standing_columns=STANDINGS,
        cohort_columns=SCORECARD,
        standings=[] if report.book is None else standing_rows(report.book),
        cohorts=[] if report.book is None else scorecard_rows(report.book),
        edges=[] if report.book is None else verdicts(report.book),
        paper=figures.paper(report, most=_ON_PAPER),
        quality=report.quality.sort("symbol").to_dicts(),
        verdicts=gates.by_dataset(report.gates),
        notable=notable[:_GATES],
        notable_more=max(0, len(notable) - _GATES),
        refused=gates.refused(report.gates),
        costs={name: cost(report, name) for name in ("fee_bps", "slippage_bps", "funding_bps")},
        manifest=_flat(report.manifest),
        replay=f"nightjar nightly --replay {shlex.quote(report.night)}",
        again=_again(report),
        timings=[(stage, float(took)) for stage, took in report.timings.items()],
        claims=claims(report),
    )


def render_markdown(report: NightReport, *, chart: bool = False) -> str:
    """Return the report in short, as Markdown; `chart` embeds the null worlds as a PNG."""
    won, near = winners(report).to_dicts(), misses(report, _MISSES).to_dicts()
    parts = [f"# {escape(headline(report))}", escape(summary(report)), escape(meaning(report))]
    if report.sandbox:
        parts.insert(1, "**SANDBOX: made-up markets of the offline exchange, not real ones.**")
    if (warning := alarm(report)) is not None:
        parts.insert(0, f"**ALARM.** {escape(warning)}")
    parts.append("## What luck alone would show")
    if chart and len(report.luck.mirrored):
        from serving import figures  # noqa: PLC0415 - altair takes a second to import

        parts.append(f"![{describe(report)}](data:image/png;base64,{figures.worlds_png(report)})")
    parts.append(escape(describe(report)))
    if found := lines(report):
        parts.append("## What a night like this can find")
        parts.append("\n".join(f"- **{one.name}: {one.value}.** {one.sentence}" for one in found))
    if won:
        parts += ["## Promoted to paper trading", table(_columns(report, won))]
        parts += [_told(report, row) for row in won[:_CURVES]]
    if near:
        parts += ["## Nearest, and not promoted", table(_columns(report, near, why_not=True))]
        parts += [_told(report, row) for row in near]
    if rows := _endings(report):
        names = ("where its way ended", "trials")
        cells = [[row["label"] for row in rows], [count(row["trials"]) for row in rows]]
        parts += ["## What was tried", table(list(zip(names, cells, strict=True)))]
    parts += ["## Find it again", *(block(claim.command) for claim in claims(report)[:5])]
    return "\n\n".join(parts) + "\n"


def _columns(
    report: NightReport, rows: list[Row], *, why_not: bool = False
) -> list[tuple[str, list[str]]]:
    columns = [
        ("candidate", [row["candidate_id"] for row in rows]),
        ("market", [place(row, len(report.symbols)) for row in rows]),
        ("score", [decimal(row["score"]) for row in rows]),
        ("left", [left(report.luck, row) for row in rows]),
        ("p", [odds(row["p_value"]) for row in rows]),
        ("p permuted", [odds(row["permutation_p"]) for row in rows]),
        ("return", [percent(row["total_return"], signed=True) for row in rows]),
        ("deepest fall", [percent(row["max_drawdown"]) for row in rows]),
        ("trades", [count(row["trades"]) for row in rows]),
    ]
    if why_not:
        columns.append(("not promoted because", [why(report, row) for row in rows]))
    return columns


def _told(report: NightReport, row: Row) -> str:
    against = [
        f"- objection: {escape(one.title)}. {escape(one.sentence)}" for one in objections(row)
    ]
    title = f"**{escape(row['candidate_id'])}** ({escape(place(row, len(report.symbols)))})"
    return "\n\n".join(
        [title, block(row["text"] or ""), *(["\n".join(against)] if against else [])]
    )


def _entries(report: NightReport, rows: pl.DataFrame, anchor: str) -> list[Row]:
    return [
        _entry(report, f"{anchor}-{n}", n, row)
        for n, row in enumerate(rows.iter_rows(named=True), start=1)
    ]


def _entry(report: NightReport, anchor: str, number: int, row: Row) -> Row:
    """Put together what the page says of one candidate."""
    parts = _members(report, row)
    alone = parts[0] if row["kind"] == "rule" and len(parts) == 1 else None
    promised = report.promotions.filter(
        strategy_id=row["candidate_id"], symbol=row["symbol"]
    ).to_dicts()
    said, held_still = opinions(row), change(hold(row, report.benchmark, report.symbols))
    return row | {
        "number": number,
        "anchor": anchor,
        "place": place(row, len(report.symbols)),
        "why": why(report, row),
        "left": left(report.luck, row),
        "own": percent(change(curve(row)), signed=True),
        "facts": facts(report, row, hold=held_still, metrics=alone),
        "members": [] if alone else parts,
        "judging": [one for one in said if one.agrees is not None],
        "reporting": [one for one in said if one.agrees is None],
        "plan": plan(promised[0]["plan"]) if promised else [],
        "rule_hash": promised[0]["rule_hash"] if promised else None,
    }


def _members(report: NightReport, row: Row) -> list[Row]:
    """Return the backtests of a candidate's rules, in its order; of a pooled one on each symbol."""
    found: list[Row] = []
    for strategy, symbol in members(row):
        backtests = report.members.filter(strategy_id=strategy).sort("symbol")
        found += (backtests if symbol == "*" else backtests.filter(symbol=symbol)).to_dicts()
    return found


def _endings(report: NightReport) -> list[Row]:
    """Return how many trials ended where, promotions first."""
    counts = {verdict or "": trials for verdict, trials in report.ended.iter_rows()}
    return [
        {"label": ending(verdict), "trials": counts[verdict], "won": verdict == "promoted"}
        for verdict in in_order(list(counts))
    ]


def _verdicts(report: NightReport) -> list[tuple[str, int]]:
    counts = dict(report.candidates["verdict"].fill_null("").value_counts().iter_rows())
    return [(check(verdict).label, counts[verdict]) for verdict in in_order(list(counts))]


def _complete(report: NightReport) -> str:
    quality = report.quality
    return completeness(int(quality["bars"].sum()), int(quality["expected"].sum()))


def _again(report: NightReport) -> str:
    symbols = f" --symbols {','.join(report.symbols)}" if report.symbols else ""
    bars = "" if report.interval == "1m" else f" --interval {report.interval}"
    return (
        f"nightjar nightly --as-of {report.as_of:%Y-%m-%dT%H:%M:%SZ}{symbols}{bars} "
        f"--strategies {report.strategies} --days {report.days} --seed {report.seed}"
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Write nested settings as dotted names and texts."""
    flat: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{name}.")
        else:
            flat.append((f"{prefix}{name}", str(value)))
    return flat
