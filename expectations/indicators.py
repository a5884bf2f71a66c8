"""The suite of indicators, each of a bar that is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.clock import to_micros
from core.datasets import INDICATORS
from core.market import INTERVALS
from expectations.candles import FIRST_TIME, STEPS
from expectations.rules import ROW, Suite, between, one_of

if TYPE_CHECKING:
    from datetime import datetime

AVERAGES = tuple(
    name for name in INDICATORS.columns if name.startswith(("ema_", "sma_", "bollinger_middle"))
)
VALUES = tuple(
    name for name, kind in INDICATORS.schema.items() if kind == pl.Float64()
)  # null where too few bars came before
ROUNDING = 1e-9

RULES = (
    one_of("interval", "unknown_interval", list(INTERVALS)),
    between("rsi_14", "out_of_bounds", 0, 100),
    between("off_histogram", "histogram_mismatch", None, ROUNDING),
    between("bands", "bands_crossed", -ROUNDING),
    between("atr_14", "negative_range", 0),
    *(between(average, "average_not_positive", 0, strictly=True) for average in AVERAGES),
    between("realised_volatility", "negative_volatility", 0),
    between("says", "says_nothing", 1),
    between("off_grid_us", "off_grid", 0, 0),
    between("days_since_2009", "before_2009", 0),
    between("open_for_s", "in_future", 0),
    between("closed_for_s", "still_forming", 0),
    between("realised_volatility", "volatility_implausible", None, 20, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare the values of a bar with each other, and its time with now."""
    opened = pl.col("open_time").to_physical()
    step = pl.col("interval").replace_strict(STEPS, default=None, return_dtype=pl.Int64)
    open_for = (to_micros(now) - opened.cast(pl.Float64)) / 1e6
    size = pl.max_horizontal(pl.col("macd").abs(), pl.col("macd_signal").abs(), 1e-12)
    histogram = pl.col("macd") - pl.col("macd_signal") - pl.col("macd_histogram")
    middle = pl.col("bollinger_middle")
    bands = pl.min_horizontal(
        pl.col("bollinger_upper") - middle, middle - pl.col("bollinger_lower")
    )
    return rows.select(
        ROW,
        off_histogram=histogram.abs() / size,
        bands=pl.when(middle > 0).then(bands / middle),
        says=pl.sum_horizontal(pl.col(*VALUES).is_not_null()),
        off_grid_us=opened % step,
        days_since_2009=(opened / 1e6 - FIRST_TIME) / 86_400,
        open_for_s=open_for,
        closed_for_s=pl.when(open_for >= 0).then(open_for - step / 1e6),
    )


SUITE = Suite(dataset=INDICATORS, rules=RULES, optional=VALUES, facts=facts)
