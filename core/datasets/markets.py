"""What markets say."""

from __future__ import annotations

import polars as pl

from core.datasets.dataset import PROVENANCE, TIME, Dataset

CANDLES = Dataset(
    name="candles",
    description="Bars of a market. `open_time` names a bar; a bar still forming is never stored.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "interval": pl.String(),
        "open_time": TIME,
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Float64(),
        "quote_volume": pl.Float64(),  # null where the source does not say
        "trades": pl.Int64(),  # null where the source does not say
        "taker_buy_volume": pl.Float64(),  # null where the source does not say
        "synthetic": pl.Boolean(),  # True for a bar that nobody observed
        **PROVENANCE,
    },
    key=("venue", "symbol", "interval", "open_time"),
    time_column="open_time",
    partition_by=("venue", "symbol", "interval", "month"),
    hot_days=90,
)
