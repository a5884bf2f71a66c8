"""The suite of on-chain metrics: numbers about a chain as a whole."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import ONCHAIN_METRICS
from expectations.crowd import unlike_before
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between, matches, one_of

if TYPE_CHECKING:
    from datetime import datetime

SERIES = ("venue", "asset", "metric", "resolution")
STEPS = {"10m": 600, "1h": 3_600, "1d": 86_400, "1w": 604_800}  # seconds
GRIDS = {name: step for name, step in STEPS.items() if name != "1w"}  # weeks begin on Mondays
SPIKE = 10

MOST = 1e24  # beyond any count, sum of money or hash rate
RULES = (
    matches("asset", "bad_asset", r"^[A-Z0-9]{1,20}\Z", "a ticker such as BTC"),
    matches("metric", "bad_metric", r"^[a-z0-9_./-]{1,200}\Z", "a metric's name"),
    one_of("resolution", "unknown_resolution", list(STEPS)),
    between("value", "implausible", None, MOST),
    between("off_grid_s", "off_grid", 0, 0),
    BEFORE_2009,
    IN_FUTURE,
    between("over_for_s", "still_forming", 0),
    between("z", "value_spike", -SPIKE, SPIKE, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute where a point lies on the grid of its resolution, and whether its time is over."""
    del now
    micros = 1_000_000
    grid, step = _seconds(GRIDS), _seconds(STEPS)
    came = (pl.col("ingested_at") - pl.col("time")).dt.total_microseconds() / micros
    return rows.select(
        ROW,
        *moment_facts("time"),
        off_grid_s=pl.col("time").to_physical() % (grid * micros),
        over_for_s=pl.when(came >= 0).then(came - step),
    )


def _seconds(steps: dict[str, int]) -> pl.Expr:
    return pl.col("resolution").replace_strict(steps, default=None, return_dtype=pl.Int64)


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compare each value with those of its series before it."""
    return unlike_before(rows, history, series=SERIES, value="value")


SUITE = Suite(
    dataset=ONCHAIN_METRICS,
    rules=RULES,
    facts=facts,
    neighbour_facts=neighbour_facts,
    remembers=(*ONCHAIN_METRICS.key, "value"),
    lately=timedelta(days=75),
)
