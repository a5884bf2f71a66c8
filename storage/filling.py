"""Bars that a reader may ask for beside those of a venue: lent by others, or interpolated.

Nothing here is ever stored. A lent bar keeps its own venue's name, and an interpolated one says
`synthetic`; who does not ask gets neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import CANDLES
from core.market import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Sequence

# Only a gap of fewer bars than this is ever interpolated.
SMALL = 3
SOURCE = "interpolated"

_SERIES = ("venue", "symbol", "interval")
_STEP = pl.col("interval").replace_strict(INTERVALS, return_dtype=pl.Duration("us"))


def interpolated(candles: pl.DataFrame) -> pl.DataFrame:
    """Return candles with the gaps of one and two bars filled, sorted by series and time.

    The price goes in equal steps from the close before the gap to the open after it: each bar
    opens where the one before closed, and the last one closes at the open that follows. Nothing is
    known to have been traded: volume is 0, and what sources may leave out is null. Such a bar
    says `synthetic`, its source is `interpolated`, and it is as new as the newer of its neighbours.
    """
    ordered = candles.sort(*_SERIES, "open_time")
    after = pl.all().shift(-1).over(_SERIES)
    apart = (pl.col("open_time_after") - pl.col("open_time")).dt.total_microseconds()
    gap = apart // _STEP.dt.total_microseconds() - 1
    edges = (
        ordered.with_columns(after.name.suffix("_after"))
        .with_columns(step=_STEP, lacking=gap)
        .filter(pl.col("lacking").is_between(1, SMALL - 1))
    )
    made = edges.with_columns(pl.int_ranges(1, pl.col("lacking") + 1).alias("place")).explode(
        "place"
    )
    return pl.concat([ordered, made.select(_between())]).sort(*_SERIES, "open_time")


def _between() -> list[pl.Expr]:
    """Return the columns of a bar at `place` in a gap, from those of its two neighbours."""
    start, end = pl.col("close"), pl.col("open_after")
    opens, closes = (
        start + (end - start) * (pl.col("place") + shift) / pl.col("lacking") for shift in (-1, 0)
    )
    made = {
        "open_time": pl.col("open_time") + pl.col("step") * pl.col("place"),
        "open": opens,
        "high": pl.max_horizontal(opens, closes),
        "low": pl.min_horizontal(opens, closes),
        "close": closes,
        "volume": pl.lit(0.0),
        "synthetic": pl.lit(value=True),
        "source": pl.lit(SOURCE),
        "ingested_at": pl.max_horizontal("ingested_at", "ingested_at_after"),
    }
    return [
        made.get(name, pl.col(name) if name in _SERIES else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in CANDLES.columns.items()
    ]


def lent(own: pl.DataFrame, others: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return a venue's candles, and where it lacks a bar the first of the others' that has it.

    Args:
        own: candles of one venue.
        others: candles of one venue each, in the order in which they are asked.

    Returns:
        Rows sorted by symbol and time, each with the name of the venue that it is of.
    """
    bar = ["symbol", "interval", "open_time"]
    every = pl.concat([own, *others])
    return every.unique(bar, keep="first", maintain_order=True).sort("symbol", "open_time")
