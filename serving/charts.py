"""Charts as inline SVG (and PNG for places that cannot show it), drawn by Vega-Lite.

A chart names the light colours of `serving.style`; a page restyles them for dark mode by matching
those values, so a chart saved alone still looks right. Whoever imports this module waits a
second for altair: import it where a chart is drawn.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt

from serving.style import ACCENT, ALARM, BAR, FONT, INK, MUTED, RULE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from serving.candidates import Curve

Rows = list[dict[str, Any]]

_MOST_POINTS = 400  # of one line: more than pixels would show


class Stretch(NamedTuple):
    """A series and its holes, all in [start, end)."""

    name: str
    start: datetime
    end: datetime
    holes: Sequence[tuple[datetime, datetime]]


def equity(
    strategy: Curve,
    hold: Curve | None,
    *,
    promoted: bool,
    width: int = 250,
    height: int = 150,
) -> Any:
    """Draw a candidate against buy and hold, as change since the start."""
    lines = [(_thinned(strategy), ACCENT if promoted else INK, 2.0)]
    if hold is not None and len(hold.values):
        lines.insert(0, (_thinned(hold), MUTED, 1.3))
    values = [0.0, *(row["change"] for rows, _, _ in lines for row in rows)]
    spread = max(values) - min(values)
    pad = 0.06 * spread or 0.01
    digits = 0 if spread > 0.05 else 2
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc")).axis(
        grid=False, tickCount=4, format="%-d %b", labelOverlap=True, labelSeparation=8
    )
    y = alt.Y("change:Q", title=None, scale=fixed([min(values) - pad, max(values) + pad])).axis(
        tickCount=4, labelExpr=f"datum.value == 0 ? '0%' : format(datum.value, '+.{digits}%')"
    )
    layers = [alt.Chart(data([{"change": 0.0}])).mark_rule(color=BAR).encode(y=y)]
    layers += [
        alt.Chart(data(rows)).mark_line(color=stroke, strokeWidth=thick).encode(x=x, y=y)
        for rows, stroke, thick in lines
    ]
    return styled(alt.layer(*layers), width, height)


def forward(
    earned: Sequence[float],
    forecast: Sequence[float],
    kill_line: Sequence[float] | None,
    *,
    width: int = 250,
    height: int = 150,
) -> Any:
    """Draw what a promotion earned on paper, day by day, beside what was planned for it.

    The plan may be longer than what is behind it: then the days to come are shown too.
    """
    lines = [(forecast, MUTED, 1.3), (earned, ACCENT, 2.0)]
    if kill_line is not None:
        lines.insert(0, (kill_line, ALARM, 1.3))
    values = [0.0, *(value for line, _, _ in lines for value in line)]
    pad = 0.06 * (max(values) - min(values)) or 0.01
    x = alt.X(
        "day:Q",
        title="days on paper",
        scale=fixed([0, max(1, *(len(line) for line, _, _ in lines))]),
    ).axis(grid=False, tickCount=4, format="d")
    y = alt.Y("sum:Q", title=None, scale=fixed([min(values) - pad, max(values) + pad])).axis(
        tickCount=4, labelExpr="datum.value == 0 ? '0%' : format(datum.value, '+.1%')"
    )
    layers = [alt.Chart(data([{"sum": 0.0}])).mark_rule(color=BAR).encode(y=y)]
    for line, stroke, thick in lines:
        rows: Rows = [{"day": day, "sum": float(value)} for day, value in enumerate((0.0, *line))]
        drawn = alt.Chart(data(_few(rows))).mark_line(color=stroke, strokeWidth=thick)
        layers.append(drawn.encode(x=x, y=y))
    return styled(alt.layer(*layers), width, height)


def stretches(series: Sequence[Stretch], *, width: int = 820) -> Any:
    """Draw each series as a strip over time, its holes marked."""
    held = [{"name": s.name, "from": _utc(s.start), "to": _utc(s.end)} for s in series]
    holes = [
        {"name": s.name, "from": _utc(start), "to": _utc(end)}
        for s in series
        for start, end in s.holes
    ]
    x = alt.X("from:T", title=None, scale=alt.Scale(type="utc")).axis(
        grid=False, format="%-d %b %y", labelOverlap=True, tickCount=6
    )
    y = alt.Y("name:N", title=None, sort=[s.name for s in series]).axis(
        ticks=False, domain=False, grid=False, labelPadding=8, labelLimit=170
    )
    layers = [alt.Chart(data(held)).mark_bar(color=BAR, height=9).encode(x=x, x2="to:T", y=y)]
    if holes:
        layers.append(
            alt.Chart(data(holes))
            # An outline, so that a hole of a minute in a year is still seen.
            .mark_bar(color=ACCENT, stroke=ACCENT, strokeWidth=1.5, height=15)
            .encode(x=x, x2="to:T", y=y)
        )
    return styled(alt.layer(*layers), width, 26 * len(series))


def svg(chart: Any, name: str) -> str:
    """Return `chart` as an `<svg>` element that can stand in a page beside others.

    `name` keeps the ids of its clip paths apart from those of other charts. The element scales
    with its container and carries no namespace, which HTML does not need.
    """
    buffer = io.StringIO()
    chart.save(buffer, format="svg")
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text, count=2)
    ids = {old: f"{name}-{n}" for n, old in enumerate(re.findall(r'\bid="([^"]+)"', text))}
    for old, new in ids.items():
        text = text.replace(f'id="{old}"', f'id="{new}"').replace(f"url(#{old})", f"url(#{new})")
    return text


def png(chart: Any, *, scale: float = 1.5) -> bytes:
    """Return `chart` as a PNG picture."""
    buffer = io.BytesIO()
    chart.save(buffer, format="png", scale_factor=scale)
    return buffer.getvalue()


def _thinned(curve: Curve) -> Rows:
    return _few(
        [
            {"day": str(day), "change": value - 1.0}
            for day, value in zip(curve.days, curve.values, strict=True)
        ]
    )


def _few(points: Rows) -> Rows:
    """Return no more points than a chart can show, the last one among them."""
    kept = points[:: -(-len(points) // _MOST_POINTS)]
    return kept if kept[-1] is points[-1] else [*kept, points[-1]]


def _utc(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def data(rows: Rows) -> Any:
    """Return rows as altair wants them."""
    return alt.Data(values=rows)  # type: ignore[no-untyped-call] # made by altair's generator


def fixed(domain: Sequence[float]) -> Any:
    """Return a scale that shows exactly `domain`."""
    return alt.Scale(domain=list(domain), nice=False, zero=False)


def styled(chart: Any, width: int, height: int) -> Any:
    """Give a chart its size and the looks that all of ours share."""
    axis: Mapping[str, Any] = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "gridColor": RULE,
        "domainColor": BAR,
        "tickColor": BAR,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    }
    config = {
        "font": FONT,
        "background": "transparent",
        "aria": False,
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
        "text": {"fontSize": 12},
    }
    chart = chart.properties(width=width, height=height)
    chart.config = config
    return chart
