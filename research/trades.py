"""Trades as people read them: names and times in place of codes and bar numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from core.datasets import TIME
from research.reference import LONG, REASONS

if TYPE_CHECKING:
    from research.reference import I8, Records

TRADES: dict[str, Any] = {
    "side": pl.String(),  # long or short
    "entry_time": TIME,  # open time of the bar in which the fill happened
    "entry_price": pl.Float64(),  # slippage included
    "exit_time": TIME,
    "exit_price": pl.Float64(),
    "reason": pl.String(),  # stop, target, trail, timeout, signal or end
    "return": pl.Float64(),  # net change of equity
    "ambiguous": pl.Boolean(),  # the bar touched stop or trail, and target
}


def trades_frame(time: I8, trades: Records) -> pl.DataFrame:
    """Return one row per trade with the columns of `TRADES`.

    `time` holds the open times of the bars that the trades count.
    """
    is_long = pl.Series(trades["side"] == LONG)
    return pl.DataFrame(
        {
            "side": pl.Series(["short", "long"]).gather(is_long.cast(pl.UInt32)),
            "entry_time": _times(time, trades["entry_bar"]),
            "entry_price": _column(trades, "entry_price"),
            "exit_time": _times(time, trades["exit_bar"]),
            "exit_price": _column(trades, "exit_price"),
            "reason": pl.Series(REASONS).gather(pl.Series(trades["reason"].astype(np.uint32))),
            "return": _column(trades, "return"),
            "ambiguous": _column(trades, "ambiguous"),
        },
        schema=TRADES,
    )


def _column(trades: Records, name: str) -> pl.Series:
    return pl.Series(np.ascontiguousarray(trades[name]))


def _times(time: I8, bars: I8) -> pl.Series:
    return pl.Series(time[bars]).cast(TIME)
