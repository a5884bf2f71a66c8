"""The morning report of a night: one HTML file, a Markdown artifact, and a terminal table.

Data in, text out: the same report gives the same bytes, and nothing is read from anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving import gates
from serving.checks import check
from serving.claims import claims
from serving.distribution import describe
from serving.explain import facts
from serving.markdown import block, escape, table
from serving.night import (
    SCORE,
    NightReport,
    best,
    change,
    cost,
    curve,
    funnel,
    headline,
    meaning,
    misses,
    nearest,
    scores,
    silent,
    summary,
    winners,
)
from serving.page import render
from serving.words import completeness, count, decimal, percent, probability

__all__ = ["NightReport", "headline", "nearest", "render_html", "render_markdown", "summary_table"]

_CURVES = 12  # charts of the promoted; the rest is in the table
_FAILED_CURVES = 3  # charts of what was not promoted, where nothing was
_MISSES = 5
_OPEN = 3  # entries whose numbers are spelled out without a click
_GATES = 40

Row = dict[str, Any]


def render_html(report: NightReport) -> str:
    """Return the report as one page that opens without a network."""
    from serving import figures  # noqa: PLC0415 - altair takes a second to import

    won, missed = winners(report), misses(report, report.results.height)
    near = missed.head(_MISSES)
    notable = gates.notable(report.gates)
    return render(
        "night.html.j2",
        report=report,
        date=f"{report.as_of:%Y-%m-%d}",
        headline=headline(report),
        summary=summary(report),
        meaning=meaning(report),
        best=(best(report) or {SCORE: None})[SCORE],
        held=_held(report),
        luck=figures.luck(report),
        luck_words=describe(scores(report), report.luck_hurdle, won.height),
        silent=silent(report),
        curves=figures.curves(report, won, most=_CURVES)
        if won.height
        else figures.curves(report, missed, most=_FAILED_CURVES),
        winners=[
            _entry(report, f"won-{n}", n, row) for n, row in enumerate(won.to_dicts(), start=1)
        ],
        misses=[
            _entry(report, f"missed-{n}", n, row) for n, row in enumerate(near.to_dicts(), start=1)
        ],
        open_entries=_OPEN,
        steps=funnel(report),
        quality=report.quality.sort("symbol").to_dicts(),
        verdicts=gates.by_dataset(report.gates),
        notable=notable[:_GATES],
        notable_more=max(0, len(notable) - _GATES),
        refused=gates.refused(report.gates),
        costs={name: cost(report, name) for name in ("fee_bps", "slippage_bps", "funding_bps")},
        manifest=_flat(report.manifest),
        again=_again(report),
        timings=[(stage, float(took)) for stage, took in report.timings.items()],
        claims=claims(report),
    )


def render_markdown(report: NightReport, *, chart: bool = False) -> str:
    """Return the report in short, as Markdown; `chart` embeds the distribution as a PNG."""
    won, missed = winners(report).to_dicts(), misses(report, _MISSES).to_dicts()
    parts = [f"# {escape(headline(report))}", escape(summary(report)), meaning(report)]
    if report.sandbox:
        parts.insert(1, "**SANDBOX: made-up markets of the offline exchange, not real ones.**")
    if chart and len(scores(report)):
        from serving import figures  # noqa: PLC0415 - altair takes a second to import

        words = describe(scores(report), report.luck_hurdle, len(won))
        parts.append(f"![{words}](data:image/png;base64,{figures.luck_png(report)})")
    if won:
        parts += ["## Promoted to paper trading", table(_columns(won)), *_texts(won[:_CURVES])]
    if missed:
        title = "## Nearest misses (not promoted)"
        parts += [title, table(_columns(missed, why=True)), *_texts(missed)]
    if steps := funnel(report):
        parts += [
            "## Where trials failed",
            table(
                [
                    ("check", [step.label for step in steps]),
                    ("failed", [count(step.failed) for step in steps]),
                    ("left", [count(step.left) for step in steps]),
                ]
            ),
        ]
    parts += ["## Find it again", *(block(claim.command) for claim in claims(report)[:4])]
    return "\n\n".join(parts) + "\n"


def summary_table(report: NightReport) -> list[tuple[str, list[str]]]:
    """Return the promoted as columns of text; the nearest misses where nothing was promoted."""
    rows = winners(report).to_dicts()
    return _columns(rows) if rows else _columns(misses(report, _MISSES).to_dicts(), why=True)


def _columns(rows: list[Row], *, why: bool = False) -> list[tuple[str, list[str]]]:
    columns = [
        ("strategy", [row["strategy_id"] for row in rows]),
        ("symbol", [row["symbol"] for row in rows]),
        ("Sharpe", [decimal(row[SCORE]) for row in rows]),
        ("holdout", [decimal(row["out_of_sample_sharpe"]) for row in rows]),
        ("deflated", [probability(row["deflated_sharpe"]) for row in rows]),
        ("return", [percent(row["total_return"], signed=True) for row in rows]),
        ("deepest fall", [percent(row["max_drawdown"]) for row in rows]),
        ("trades", [count(row["trades"]) for row in rows]),
    ]
    if why:
        columns.append(("failed because", [check(row["verdict"]).label for row in rows]))
    return columns


def _texts(rows: list[Row]) -> list[str]:
    return [f"**{escape(row['strategy_id'])}**\n\n{block(row['text'] or '')}" for row in rows]


def _entry(report: NightReport, anchor: str, rank: int, row: Row) -> Row:
    """Put together what the page says of one strategy on one symbol."""
    hold = change(curve(report.benchmark.filter(symbol=row["symbol"])))
    return row | {
        "rank": rank,
        "anchor": anchor,
        "why": check(row["verdict"]).why,
        "facts": facts(report, row, hold),
        "columns": _columns([row]),
    }


def _held(report: NightReport) -> str:
    quality = report.quality
    return completeness(int(quality["bars"].sum()), int(quality["expected"].sum()))


def _again(report: NightReport) -> str:
    symbols = f" --symbols {','.join(report.symbols)}" if report.symbols else ""
    return (
        f"nightjar nightly --as-of {report.as_of:%Y-%m-%dT%H:%M:%SZ}{symbols} "
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
