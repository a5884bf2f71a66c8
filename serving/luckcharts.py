"""The two pictures of luck: what null worlds showed tonight, and what a night can find.

Whoever imports this module waits a second for altair: import it where a chart is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import numpy as np

from serving.charts import data, fixed, styled
from serving.distribution import histogram
from serving.style import ACCENT, BAR, INK, MUTED, PAPER
from serving.words import BEST, decimal, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from serving.distribution import Bins

_HEAD = 1.32  # of the highest bar: room for what is written above
_POINTS = 121


def worlds(
    mirrored: NDArray[np.float64],
    permuted: NDArray[np.float64],
    *,
    best: float | None,
    promoted: Sequence[float] = (),
    hurdle: float | None = None,
    width: int = 820,
    height: int = 300,
) -> Any:
    """Draw the best scores of null worlds as bars, and on them the best of the real one.

    Bars are mirrored worlds, the thin outline permuted ones; scores must be finite.
    """
    pins = sorted(float(score) for score in promoted if np.isfinite(score))
    if not pins and best is not None and np.isfinite(best):
        pins = [float(best)]
    line = hurdle if hurdle is not None and np.isfinite(hurdle) else None
    bins = histogram(mirrored, permuted, show=[*pins, *([] if line is None else [line])])
    plane = _Plane((float(bins.edges[0]), float(bins.edges[-1])), float(max(bins.most, 1)))
    layers = [
        _bars(bins, plane, narrow=width < 500),
        *_outline(bins, plane),
        *(_hurdle(line, plane) if line is not None else []),
        *(_pins(pins, plane, promoted=bool(promoted), narrow=width < 500) if pins else []),
    ]
    return styled(alt.layer(*layers), width, height)


def power(
    chance: Callable[[float], float],
    *,
    hurdle: float,
    smallest: float,
    width: int = 820,
    height: int = 220,
) -> Any:
    """Draw the chance that a rule is found against what it truly earns; mark the 80 %."""
    top = max(1.0, smallest + (smallest - hurdle) * 2.0)
    grid = np.linspace(0.0, top, _POINTS)
    rows = [{"true": float(true), "chance": chance(float(true))} for true in grid]
    x = alt.X("true:Q", scale=fixed([0.0, top]), title="true annual Sharpe ratio of a rule")
    y = alt.Y("chance:Q", scale=fixed([0.0, 1.04]), title="chance to be promoted")
    y = y.axis(values=[0.0, 0.2, 0.5, 0.8, 1.0], format=".0%")
    line = alt.Chart(data(rows)).mark_line(color=INK, strokeWidth=2)
    mark = alt.Chart(data([{"true": smallest, "chance": chance(smallest)}]))
    text = f"{percent(chance(smallest), 0)} at {decimal(smallest, 1)}"
    labelled = alt.Chart(data([{"true": smallest, "chance": chance(smallest), "label": text}]))
    label: dict[str, Any] = {"align": "right", "dx": -12, "fontWeight": 600, "fontSize": 13}
    layers = [
        line.encode(x=x.axis(grid=False, tickCount=8 if width > 500 else 5), y=y),
        mark.mark_rule(color=MUTED, strokeDash=[2, 3]).encode(x=x, y=y, y2=alt.datum(0)),
        mark.mark_point(filled=True, size=80, color=INK, opacity=1).encode(x=x, y=y),
        *(
            labelled.mark_text(**(label | style)).encode(x=x, y=y, text="label:N")
            for style in (_HALO, {"color": INK})
        ),
    ]
    return styled(alt.layer(*layers), width, height)


_HALO: dict[str, Any] = {"color": PAPER, "stroke": PAPER, "strokeWidth": 5, "strokeJoin": "round"}


class _Plane(NamedTuple):
    """The scales that all layers of the distribution share."""

    across: tuple[float, float]
    top: float

    def x(self, name: str) -> Any:
        return alt.X(f"{name}:Q", scale=fixed(self.across))

    def y(self, name: str) -> Any:
        return alt.Y(f"{name}:Q", scale=fixed([0, self.top * _HEAD]))

    def at(self, value: float) -> float:
        """Return how far across `value` lies, from 0 to 1."""
        return (value - self.across[0]) / (self.across[1] - self.across[0])

    def label(
        self, x: float, y: float, text: str, *, left_from: float = 0.5, **style: Any
    ) -> list[Any]:
        """Write `text` beside a point over a halo of paper: left of it from a share across on."""
        right = self.at(x) > left_from
        style = {"align": "right" if right else "left", "dx": -10 if right else 10} | style
        rows = alt.Chart(data([{"x": x, "y": y, "label": text}]))
        where = {"x": self.x("x"), "y": self.y("y"), "text": "label:N"}
        return [rows.mark_text(**mark).encode(**where) for mark in (style | _HALO, style)]


def _bars(bins: Bins, plane: _Plane, *, narrow: bool) -> Any:
    rows = [
        {"from": float(a), "to": float(b), "worlds": int(n)}
        for a, b, n in zip(bins.edges, bins.edges[1:], bins.counts, strict=False)
        if n
    ]
    x = plane.x("from").title("best score of a world (annual Sharpe ratio)")
    y = plane.y("worlds").title("worlds")
    return (
        alt.Chart(data(rows))
        .mark_bar(color=BAR, binSpacing=1)
        .encode(
            x=x.axis(grid=False, tickCount=5 if narrow else 8),
            x2="to:Q",
            y=y.axis(values=_counts(bins.most), format=",d"),
            y2=alt.datum(0),
        )
    )


def _outline(bins: Bins, plane: _Plane) -> list[Any]:
    """Trace the permuted worlds from bar to bar, over the stretch that holds any."""
    (held,) = np.nonzero(bins.others)
    if not len(held):
        return []
    first, last = int(held[0]), int(held[-1])
    steps = [(float(bins.edges[first]), 0)]
    for bar in range(first, last + 1):
        steps += [(float(edge), int(bins.others[bar])) for edge in bins.edges[bar : bar + 2]]
    steps.append((float(bins.edges[last + 1]), 0))
    rows = [{"x": x, "y": y, "step": n} for n, (x, y) in enumerate(steps)]
    drawn = alt.Chart(data(rows)).mark_line(color=MUTED, strokeWidth=1)
    return [drawn.encode(x=plane.x("x"), y=plane.y("y"), order="step:Q")]


def _hurdle(hurdle: float, plane: _Plane) -> list[Any]:
    line = alt.Chart(data([{"x": hurdle}])).mark_rule(color=INK, strokeDash=[5, 4], strokeWidth=1.5)
    text = f"hurdle of luck: {decimal(hurdle, 1)}"
    style = {"color": INK, "fontSize": 13, "fontWeight": 600}
    label = plane.label(hurdle, plane.top * (_HEAD - 0.05), text, left_from=0.3, **style)
    return [line.encode(x=plane.x("x")), *label]


def _pins(at: Sequence[float], plane: _Plane, *, promoted: bool, narrow: bool) -> list[Any]:
    """Pin the promoted, or the best candidate where none was, above the bars."""
    colour = ACCENT if promoted else INK
    height = plane.top * (_HEAD - 0.22)
    pins = alt.Chart(data([{"x": value, "y": height} for value in at]))
    x, y = plane.x("x"), plane.y("y")
    style: dict[str, Any] = {"color": colour, "fontWeight": 600, "fontSize": 13}
    if promoted:
        many = f"{len(at)} promoted" + ("" if narrow else f", the best {decimal(at[-1], 1)}")
        text = many if len(at) > 1 else f"promoted: {decimal(at[0], 1)}"
        # Above the first of them, where nothing else is written.
        label = plane.label(at[0], height, text, left_from=0.75, dx=0, dy=-16, **style)
    else:
        label = plane.label(at[-1], height, f"{BEST}: {decimal(at[-1], 1)}", **style)
    return [
        pins.mark_rule(color=colour, strokeWidth=1.2).encode(x=x, y=y, y2=alt.datum(0)),
        pins.mark_point(shape="diamond", filled=True, size=90, color=colour, opacity=1).encode(
            x=x, y=y
        ),
        *label,
    ]


def _counts(most: int) -> list[int]:
    """Return whole numbers that stand about evenly up to the highest bar."""
    step = max(1, round(most / 4))
    size = 10 ** (len(str(step)) - 1)
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= step)
    return list(range(0, most + 1, step))
