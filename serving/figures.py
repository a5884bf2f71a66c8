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


def curves(report: NightReport, rows: pl.DataFrame, *, most: int) -> list[Row]:
    """Draw the equity of up to `most` of `rows` that have one, against buy and hold."""
    keys = ["strategy_id", "symbol"]
    ranked = rows.with_row_index("rank", offset=1)
    known = report.equity.filter(pl.col("equity").is_finite(), pl.col("day").is_not_null())
    having = ranked.join(known, on=keys, how="semi", maintain_order="left")
    return [_drawn(report, row) for row in having.head(most).to_dicts()]


def _drawn(report: NightReport, row: Row) -> Row:
    held_out = None if report.holdout_from is None else report.holdout_from.date()
    hold = curve(report.benchmark.filter(symbol=row["symbol"]))
    own = curve(report.equity.filter(symbol=row["symbol"], strategy_id=row["strategy_id"]))
    chart = charts.equity(own, hold, promoted=bool(report.promoted.height), holdout_from=held_out)
    return row | {
        "why": check(row["verdict"]).why,
        "svg": markup(charts.svg(chart, f"equity-{row['rank']}")),
        "own": percent(change(own), signed=True),
        "hold": percent(change(hold), signed=True),
    }


def _luck(report: NightReport, size: tuple[int, int]) -> Any:
    promoted = report.promoted[SCORE].drop_nulls().to_list()
    width, height = size
    return charts.luck(scores(report), report.luck_hurdle, promoted, width=width, height=height)
