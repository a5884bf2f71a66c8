"""The charts of a night's report, ready to stand in its page."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import polars as pl

from serving import charts
from serving.checks import check
from serving.night import SCORE, change, curve, scores
from serving.page import markup
from serving.words import percent

if TYPE_CHECKING:
    from markupsafe import Markup

    from serving.night import NightReport

Row = dict[str, Any]

_DESK = (820, 300)
_PHONE = (310, 260)


def luck(report: NightReport) -> list[Markup]:
    """Draw the distribution of the Sharpe ratios twice: for a desk and for a phone."""
    return [
        markup(charts.svg(_luck(report, size), name))
        for name, size in (("luck", _DESK), ("luck-phone", _PHONE))
    ]


def luck_png(report: NightReport) -> str:
    """Draw the same distribution as a PNG, in base64."""
    return base64.b64encode(charts.png(_luck(report, (560, 240)), scale=1.0)).decode()


def curves(report: NightReport, rows: list[Row], *, most: int) -> list[Row]:
    """Draw the equity of up to `most` of `rows` that have one, against buy and hold."""
    unseen = None if report.holdout_from is None else report.holdout_from.date()
    drawn: list[Row] = []
    for rank, row in enumerate(rows, start=1):
        hold = curve(report.benchmark.filter(pl.col("symbol") == row["symbol"]))
        own = curve(
            report.equity.filter(
                pl.col("symbol") == row["symbol"], pl.col("strategy_id") == row["strategy_id"]
            )
        )
        if own.values and len(drawn) < most:
            won = bool(report.promoted.height)
            chart = charts.equity(own, hold, promoted=won, unseen_from=unseen)
            drawn.append(
                row
                | {
                    "rank": rank,
                    "why": check(row["verdict"]).why,
                    "svg": markup(charts.svg(chart, f"equity-{rank}")),
                    "own": percent(change(own), signed=True),
                    "hold": percent(change(hold), signed=True),
                }
            )
    return drawn


def _luck(report: NightReport, size: tuple[int, int]) -> Any:
    promoted = report.promoted[SCORE].drop_nulls().to_list()
    width, height = size
    return charts.luck(scores(report), report.luck_hurdle, promoted, width=width, height=height)
