"""How a number compares with others: with what other venues say, and with what came before it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from expectations.rules import ROW

if TYPE_CHECKING:
    from collections.abc import Sequence

WITHIN = timedelta(minutes=10)  # of which others speak of the same time
BEFORE = 60  # values that one is compared with
MISSING = pl.lit(None, pl.Float64)


def distance_to_others(
    rows: pl.DataFrame,
    past: pl.DataFrame,
    *,
    same: Sequence[str],
    who: str = "venue",
    value: str = "price",
    time: str = "time",
) -> pl.DataFrame:
    """Return per `ROW` how far `value` is from the median of what others say, as a fraction.

    Others are the rows, also of `past`, that agree in `same` and differ in `who`; each counts once,
    with the last it said in the same ten minutes. Null where nobody else speaks.
    """
    keys = [*same, "window"]
    wanted = [*same, who, value, time]
    both = pl.concat([past.select(wanted), rows.select(wanted)]).sort(time)
    window = pl.col(time).dt.truncate(WITHIN).alias("window")
    said = (
        both.with_columns(window)
        .filter(pl.col(value).is_finite() & (pl.col(value) > 0))
        .group_by([*keys, who], maintain_order=True)
        .agg(other=pl.col(value).last())
    )
    mine = rows.select(ROW, *wanted).with_columns(window)
    beside = mine.join(said, on=keys, suffix="_other").filter(pl.col(who) != pl.col(f"{who}_other"))
    middle = beside.group_by(ROW).agg(middle=pl.col("other").median())
    return (
        mine.join(middle, on=ROW, how="left", maintain_order="left")
        .with_columns(distance=(pl.col(value) / pl.col("middle") - 1).abs())
        .select(ROW, "distance")
    )


def unlike_before(
    rows: pl.DataFrame,
    past: pl.DataFrame,
    *,
    series: Sequence[str],
    value: str,
    time: str = "time",
) -> pl.DataFrame:
    """Return per `ROW` the z-score of `value` beside the sixty of its series before it.

    Null where fewer than thirty came before, or where they were all the same.
    """
    wanted = [*series, time, value]
    known = past.select(wanted).join(rows, on=[*series, time], how="anti")
    both = pl.concat([known, rows.select(*wanted, ROW)], how="diagonal").sort(*series, time)
    before = pl.col(value).shift(1)
    mean = before.rolling_mean(BEFORE, min_samples=BEFORE // 2).over(series)
    deviation = before.rolling_std(BEFORE, min_samples=BEFORE // 2).over(series)
    z = (pl.col(value) - mean) / deviation
    return (
        both.with_columns(z=pl.when(z.is_finite()).then(z))
        .filter(pl.col(ROW).is_not_null())
        .select(ROW, "z")
    )
