"""One number from 0 to 1 for how far a series can be trusted; docs/quality.md has the formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

# A series is fresh until its last bar closed so long ago, or two bars ago where that is longer.
FRESH_SECONDS = 7_200.0
# Where one bar in ten stands out from its own series, the series says nothing any more.
OUTLIERS_COST = 10.0
# The median distance from other venues' closes at which one of them must be wrong.
FAR = 0.01

PARTS: Mapping[str, str] = {
    "completeness": "bars that are there",
    "freshness": "how lately the last bar closed",
    "soundness": "bars that the gate did not hold back",
    "calm": "bars that do not stand out",
    "agreement": "closes beside those of other venues",
}


def scores(facts: pl.DataFrame) -> pl.DataFrame:
    """Return each series' score, the product of its parts, and the parts; all from 0 to 1.

    Args:
        facts: as `storage.checkup.facts` returns them.
    """
    bars = pl.col("bars")
    limit = pl.max_horizontal(pl.lit(FRESH_SECONDS), 2 * pl.col("step"))
    parts = {
        "completeness": _share(bars, pl.col("expected")),
        "freshness": pl.when(pl.col("age") > limit).then(limit / pl.col("age")).otherwise(1.0),
        "soundness": _share(bars, bars + pl.col("held")),
        "calm": (1.0 - OUTLIERS_COST * _share(pl.col("outliers"), bars)).clip(0.0, 1.0),
        "agreement": (1.0 - pl.col("distance").fill_null(0.0) / FAR).clip(0.0, 1.0),
    }
    judged = facts.with_columns(**parts)
    # Of a series without a bar in the window nothing is there to be calm about.
    product = pl.when(bars > 0).then(pl.reduce(lambda a, b: a * b, [*map(pl.col, PARTS)]))
    return judged.with_columns(score=product.otherwise(0.0)).select(
        "venue", "symbol", "interval", "score", *PARTS
    )


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then((part / whole).clip(0.0, 1.0)).otherwise(0.0)
