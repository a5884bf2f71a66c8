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
import numpy as np

from serving.distribution import Bins, histogram
from serving.style import ACCENT, BAR, FONT, INK, MUTED, PAPER, RULE, SHADE
from serving.words import decimal, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

    from serving.night import Curve

Rows = list[dict[str, Any]]

_MOST_POINTS = 400  # of one line: more than pixels would show


class Stretch(NamedTuple):
    """A series and its holes, all in [start, end)."""

    name: str
    start: datetime
    end: datetime
    holes: Sequence[tuple[datetime, datetime]]


def luck(
    scores: NDArray[np.float64],
    hurdle: float,
    promoted: Sequence[float],
    *,
    width: int = 820,
    height: int = 300,
) -> Any:
    """Draw the distribution of Sharpe ratios, the luck hurdle, and the promoted on it.

    Bars have square-root heights: the few at the right are what the reader looks for.
    """
    promoted = sorted(float(value) for value in promoted if np.isfinite(value))
    bins = histogram(scores, show=max([hurdle, *promoted]))
    bars = [
        {"from": float(a), "to": float(b), "root": float(np.sqrt(n))}
        for a, b, n in zip(bins.edges, bins.edges[1:], bins.counts, strict=False)
        if n
    ]
    plane = _Plane((float(bins.edges[0]), float(bins.edges[-1])), float(np.sqrt(bins.most)) or 1.0)
    x = plane.x("from").title("annualised Sharpe ratio of a trial")
    y = plane.y("root").title("trials")
    y = y.axis(
        values=[float(np.sqrt(n)) for n in _round_counts(bins.most)],
        labelExpr="format(round(datum.value * datum.value), ',')",
    )
    drawn = alt.Chart(_data(bars)).mark_bar(color=BAR, binSpacing=1)
    layers = [
        drawn.encode(
            x=x.axis(grid=False, tickCount=8 if width > 500 else 5), x2="to:Q", y=y, y2=alt.datum(0)
        ),
        *_hurdle(hurdle, plane),
        *_marks(scores, promoted, plane),
        *_folded(bins, plane),
    ]
    return _styled(alt.layer(*layers), width, height)


def equity(
    strategy: Curve,
    hold: Curve | None,
    *,
    promoted: bool,
    holdout_from: date | None = None,
    width: int = 250,
    height: int = 150,
) -> Any:
    """Draw a strategy against buy and hold, as change since the start; the holdout is shaded."""
    lines = [(_thinned(strategy), ACCENT if promoted else INK, 2.0)]
    if hold is not None and len(hold.values):
        lines.insert(0, (_thinned(hold), MUTED, 1.3))
    values = [0.0, *(row["change"] for rows, _, _ in lines for row in rows)]
    spread = max(values) - min(values)
    pad = 0.06 * spread or 0.01
    digits = 0 if spread > 0.05 else 2
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc")).axis(
        grid=False, tickCount=4, format="%-d %b", labelOverlap=True
    )
    y = alt.Y("change:Q", title=None, scale=_fixed([min(values) - pad, max(values) + pad])).axis(
        tickCount=4, labelExpr=f"datum.value == 0 ? '0%' : format(datum.value, '+.{digits}%')"
    )
    layers = _shade(holdout_from, strategy.days)
    layers.append(alt.Chart(_data([{"change": 0.0}])).mark_rule(color=BAR).encode(y=y))
    layers += [
        alt.Chart(_data(rows)).mark_line(color=stroke, strokeWidth=thick).encode(x=x, y=y)
        for rows, stroke, thick in lines
    ]
    return _styled(alt.layer(*layers), width, height)


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
    layers = [alt.Chart(_data(held)).mark_bar(color=BAR, height=9).encode(x=x, x2="to:T", y=y)]
    if holes:
        layers.append(
            alt.Chart(_data(holes))
            # An outline, so that a hole of a minute in a year is still seen.
            .mark_bar(color=ACCENT, stroke=ACCENT, strokeWidth=1.5, height=15)
            .encode(x=x, x2="to:T", y=y)
        )
    return _styled(alt.layer(*layers), width, 26 * len(series))


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


class _Plane(NamedTuple):
    """The scales that all layers of the distribution share."""

    across: tuple[float, float]
    top: float

    def x(self, name: str) -> Any:
        return alt.X(f"{name}:Q", scale=_fixed(self.across))

    def y(self, name: str) -> Any:
        return alt.Y(f"{name}:Q", scale=_fixed([0, self.top * 1.22]))

    def at(self, value: float) -> float:
        """Return how far across `value` lies, from 0 to 1."""
        return (value - self.across[0]) / (self.across[1] - self.across[0])

    def label(self, x: float, y: float, text: str, **style: Any) -> list[Any]:
        """Write `text` beside a point, on the side that has room, over a halo of paper."""
        right = self.at(x) > 0.6
        style = {"align": "right" if right else "left", "dx": -8 if right else 8} | style
        rows = alt.Chart(_data([{"x": x, "y": y, "label": text}]))
        where = {"x": self.x("x"), "y": self.y("y"), "text": "label:N"}
        halo = style | {"color": PAPER, "stroke": PAPER, "strokeWidth": 5, "strokeJoin": "round"}
        return [rows.mark_text(**mark).encode(**where) for mark in (halo, style)]


def _hurdle(hurdle: float, plane: _Plane) -> list[Any]:
    line = alt.Chart(_data([{"x": hurdle}])).mark_rule(
        color=INK, strokeDash=[5, 4], strokeWidth=1.5
    )
    text = f"luck alone: {decimal(hurdle, 1)}"
    style = {"color": INK, "fontSize": 13, "fontWeight": 600}
    return [line.encode(x=plane.x("x")), *plane.label(hurdle, plane.top * 1.15, text, **style)]


def _marks(scores: NDArray[np.float64], promoted: Sequence[float], plane: _Plane) -> list[Any]:
    """Pin the promoted, or the best trial where none was, above the bars."""
    if not promoted and not len(scores):
        return []
    at = promoted or [float(scores.max())]
    colour = ACCENT if promoted else INK
    text = f"best: {decimal(at[-1], 1)}"
    if promoted:
        text = "promoted" if len(promoted) > 1 else f"promoted: {decimal(at[0], 1)}"
    height = plane.top * 1.05
    pins = alt.Chart(_data([{"x": value, "y": height} for value in at]))
    x, y = plane.x("x"), plane.y("y")
    return [
        pins.mark_rule(color=colour, strokeWidth=1.2).encode(x=x, y=y, y2=alt.datum(0)),
        pins.mark_point(shape="diamond", filled=True, size=90, color=colour, opacity=1).encode(
            x=x, y=y
        ),
        *plane.label(at[0], height, text, color=colour, fontWeight=600, align="right", dx=-10),
    ]


def _folded(bins: Bins, plane: _Plane) -> list[Any]:
    """Say how many trials the first bar holds that lie further left."""
    if not bins.below:
        return []
    style = {"color": MUTED, "align": "left", "dx": 2, "dy": -9}
    height = float(np.sqrt(bins.counts[0]))
    text = f"{plural(bins.below, 'lies', 'lie')} further left"
    return plane.label(plane.across[0], height, text, **style)


def _shade(start: date | None, days: Sequence[date]) -> list[Any]:
    if start is None or not any(day >= start for day in days):
        return []
    rows = [{"from": str(start), "to": str(max(days))}]
    x = alt.X("from:T", scale=alt.Scale(type="utc"))
    return [alt.Chart(_data(rows)).mark_rect(color=SHADE).encode(x=x, x2="to:T")]


def _thinned(curve: Curve) -> Rows:
    step = -(-len(curve.values) // _MOST_POINTS)
    points = [
        {"day": str(day), "change": value - 1.0}
        for day, value in zip(curve.days, curve.values, strict=True)
    ]
    kept = points[::step]
    return kept if kept[-1] is points[-1] else [*kept, points[-1]]


def _round_counts(most: int) -> list[int]:
    """Return axis marks of one digit that stand about evenly on a square-root scale."""
    marks = {0, most if most < 10 else 0}
    for share in (1 / 9, 4 / 9, 1):
        size = 10 ** int(np.log10(max(1, most * share)))
        marks.add(int(most * share) // size * size)
    return sorted(marks)


def _utc(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _data(rows: Rows) -> Any:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call] # made by altair's generator


def _fixed(domain: Sequence[float]) -> Any:
    return alt.Scale(domain=list(domain), nice=False, zero=False)


def _styled(chart: Any, width: int, height: int) -> Any:
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
