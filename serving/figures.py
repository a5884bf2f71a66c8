"""The charts of a night's report, ready to stand in its page."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

from serving import charts, luckcharts
from serving.candidates import change, curve, hold, place, why
from serving.luck import chance_of
from serving.night import best, finite, winners
from serving.page import markup
from serving.words import known, percent

if TYPE_CHECKING:
    import polars as pl
    from markupsafe import Markup

    from serving.night import NightReport

Row = dict[str, Any]

_DESK, _PHONE = (820, 300), (310, 260)
_LOW_DESK, _LOW_PHONE = (820, 210), (310, 210)


def worlds(report: NightReport) -> list[Markup]:
    """Draw the null worlds twice, for a desk and for a phone; nothing where none was searched."""
    if not len(report.luck.mirrored):
        return []
    return [
        markup(charts.svg(_worlds(report, size), name))
        for name, size in (("worlds", _DESK), ("worlds-phone", _PHONE))
    ]


def worlds_png(report: NightReport) -> str:
    """Draw the same as a PNG, in base64."""
    return base64.b64encode(charts.png(_worlds(report, (560, 240)), scale=1.0)).decode()


def power(report: NightReport) -> list[Markup]:
    """Draw what a night can find, twice; nothing where that is not known."""
    luck = report.luck
    if luck.hurdle is None or luck.smallest is None or not known(luck.hurdle):
        return []
    chance = partial(chance_of, hurdle=luck.hurdle, days=report.days)
    return [
        markup(
            charts.svg(
                luckcharts.power(
                    chance, hurdle=luck.hurdle, smallest=luck.smallest, width=width, height=height
                ),
                name,
            )
        )
        for name, (width, height) in (("power", _LOW_DESK), ("power-phone", _LOW_PHONE))
    ]


def curves(report: NightReport, rows: pl.DataFrame, *, most: int, prefix: str) -> list[Row]:
    """Draw the equity of up to `most` of `rows` that have one, against buy and hold."""
    having = [row for row in rows.iter_rows(named=True) if curve(row).values]
    return [_drawn(report, row, f"{prefix}-{n}") for n, row in enumerate(having[:most], start=1)]


def paper(report: NightReport, *, most: int) -> list[Row]:
    """Draw up to `most` promotions that run on paper and have a day behind them."""
    standings = [] if report.book is None else report.book.standings
    running = [one for one in standings if one.status == "running" and one.days][:most]
    return [
        {
            "title": one.symbol if one.kind == "rule" else one.kind,
            "strategy_id": one.strategy_id,
            "earned": percent(one.earned, signed=True),
            "forecast": percent(one.forecast, signed=True),
            "kill_line": None if one.kill_line is None else percent(one.kill_line, signed=True),
            "svg": markup(
                charts.svg(
                    charts.forward(one.curve, one.forecasts, one.kill_lines), f"paper-{number}"
                )
            ),
        }
        for number, one in enumerate(running, start=1)
    ]


def _drawn(report: NightReport, row: Row, name: str) -> Row:
    own, held = curve(row), hold(row, report.benchmark, report.symbols)
    chart = charts.equity(own, held, promoted=row["verdict"] == "promoted")
    return row | {
        "place": place(row, len(report.symbols)),
        "why": why(report, row),
        "svg": markup(charts.svg(chart, name)),
        "own": percent(change(own), signed=True),
        "hold": percent(change(held), signed=True),
    }


def _worlds(report: NightReport, size: tuple[int, int]) -> Any:
    top, (width, height) = best(report), size
    return luckcharts.worlds(
        finite(report.luck.mirrored),
        finite(report.luck.permuted),
        best=None if top is None else top["score"],
        promoted=winners(report)["score"].drop_nulls().to_list(),
        hurdle=report.luck.hurdle,
        width=width,
        height=height,
    )
