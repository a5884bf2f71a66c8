"""The suite of backtests: metrics that contradict themselves or nature show a broken engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import BACKTESTS
from expectations.rules import ROW, STRATEGY_ID, Suite, at_least, between, filled

if TYPE_CHECKING:
    from datetime import datetime

ROUNDING = 1e-9

RULES = (
    STRATEGY_ID,
    filled("night", "empty_night"),
    between("window_s", "window_reversed", 0, strictly=True),
    between("total_return", "lost_more_than_all", -1 - ROUNDING),
    between("avg_trade", "lost_more_than_all", -1 - ROUNDING),
    between("max_drawdown", "drawdown_out_of_bounds", 0, 1 + ROUNDING),
    between("win_rate", "win_rate_out_of_bounds", 0, 1),
    between("exposure", "exposure_out_of_bounds", 0, 1 + ROUNDING),
    between("profit_factor", "negative_profit_factor", 0),
    between("turnover", "negative_turnover", 0),
    between("trades", "negative_trades", 0),
    between("ambiguous_trades", "negative_trades", 0),
    at_least("trades", "ambiguous_trades", "ambiguous_exceeds_trades"),
    between("moved_without_trades", "active_without_trades", 0, 0),
    between("unexplained_loss", "drawdown_below_loss", None, 1e-6, severity="warning"),
    between("sharpe", "implausible_sharpe", -100, 100, strictly=True, severity="warning"),
    between("total_return", "implausible_return", None, 1e4, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compare each row's metrics with each other."""
    del now
    idle = pl.col("trades") == 0
    moved = [pl.col(name) != 0 for name in ("total_return", "exposure", "turnover", "max_drawdown")]
    return rows.select(
        ROW,
        window_s=(pl.col("end") - pl.col("start")).dt.total_seconds(),
        moved_without_trades=(idle & pl.any_horizontal(moved)).cast(pl.Int64),
        # Equity starts at 1, so its deepest fall is no smaller than what was lost in the end.
        unexplained_loss=-pl.col("total_return") - pl.col("max_drawdown"),
    )


SUITE = Suite(
    dataset=BACKTESTS,
    rules=RULES,
    optional=("sortino", "profit_factor", "win_rate", "avg_trade"),
    facts=facts,
)
