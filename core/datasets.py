"""Every dataset's columns, key, time column, partitions and retention, declared once.

Sources, gates, storage and SQL read these declarations and nothing else, so a column is
added here or nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - dataclass fields are read at run time
from dataclasses import dataclass
from typing import Any

import polars as pl

from core.errors import ContractBroken, InvalidInput

TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Dataset:
    """A table's contract.

    `key` names a row; `time_column` orders rows and names their month; `partition_by` are the
    hive folders of the cold tier (`month` is made from the time column); `hot_days` is how long
    rows stay hot once they are safe in cold, None for ever.
    """

    name: str
    columns: Mapping[str, Any]
    key: tuple[str, ...]
    time_column: str
    description: str
    partition_by: tuple[str, ...] = ("month",)
    hot_days: int | None = None

    @property
    def schema(self) -> pl.Schema:
        """Columns and types, in order."""
        return pl.Schema(self.columns)

    def empty(self) -> pl.DataFrame:
        """Return a frame of no rows."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the columns in order, or raise `ContractBroken`.

        Only order is mended, and columns of nulls that have no type yet. A wrong type is an
        error: whoever made the frame knows what its values mean, this function does not.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        extra = [name for name in frame.columns if name not in self.columns]
        if missing or extra:
            raise ContractBroken(self.name, f"columns missing {missing}, not known {extra}")
        untyped = [pl.col(c).cast(self.columns[c]) for c, t in frame.schema.items() if t == pl.Null]
        frame = frame.select(*self.columns).with_columns(untyped)
        wrong = [
            f"{name} was {was}, expected {expected}"
            for (name, expected), was in zip(self.columns.items(), frame.dtypes, strict=True)
            if was != expected
        ]
        if wrong:
            raise ContractBroken(self.name, "; ".join(wrong))
        return frame


# What every stored row says of itself: who gave it to us, and when.
_PROVENANCE = {"source": pl.String(), "ingested_at": TIME}

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
        **_PROVENANCE,
    },
    key=("venue", "symbol", "interval", "open_time"),
    time_column="open_time",
    partition_by=("venue", "symbol", "interval", "month"),
    hot_days=90,
)

STRATEGIES = Dataset(
    name="strategies",
    description="Every strategy a night kept, in its canonical text; `deleted_at` hides one.",
    columns={
        "strategy_id": pl.String(),
        "text": pl.String(),
        "timeframe": pl.String(),
        "side": pl.String(),  # long, short or both
        "conditions": pl.Int64(),
        "night": pl.String(),  # the night that first proposed it
        "created_at": TIME,
        "deleted_at": TIME,
        **_PROVENANCE,
    },
    key=("strategy_id",),
    time_column="created_at",
)

# The metrics of a backtest, in the order in which research/metrics.py makes them.
METRICS: dict[str, Any] = {
    "total_return": pl.Float64(),
    "sharpe": pl.Float64(),
    "sortino": pl.Float64(),  # null where no day lost
    "max_drawdown": pl.Float64(),  # a positive share of the peak
    "profit_factor": pl.Float64(),  # null where no trade lost
    "win_rate": pl.Float64(),  # null where there was no trade
    "trades": pl.Int64(),
    "exposure": pl.Float64(),  # share of bars with a position
    "turnover": pl.Float64(),  # sum of traded notional over equity, both sides
    "ambiguous_trades": pl.Int64(),
    "avg_trade": pl.Float64(),  # mean return of a trade, null where there was none
}

BACKTESTS = Dataset(
    name="backtests",
    description="One row per night, strategy and symbol: the metrics over the night's window.",
    columns={
        "night": pl.String(),
        "strategy_id": pl.String(),
        "venue": pl.String(),
        "symbol": pl.String(),
        "start": TIME,
        "end": TIME,
        **METRICS,
        **_PROVENANCE,
    },
    key=("night", "strategy_id", "venue", "symbol"),
    time_column="end",
)

TRIALS = Dataset(
    name="trials",
    description="The permanent ledger: every strategy ever scored, with its daily returns.",
    columns={
        "night": pl.String(),
        "strategy_id": pl.String(),
        "venue": pl.String(),
        "symbol": pl.String(),
        "parents": pl.List(pl.String()),  # lineage; empty for one drawn at random
        "first_day": TIME,
        "daily_returns": pl.List(pl.Float64()),
        "in_sample_sharpe": pl.Float64(),
        "out_of_sample_sharpe": pl.Float64(),
        "deflated_sharpe": pl.Float64(),  # null where it was not reached
        "verdict": pl.String(),  # promoted, or the first check that it failed
        "scored_at": TIME,
        **_PROVENANCE,
    },
    key=("night", "strategy_id", "venue", "symbol"),
    time_column="scored_at",
)

NIGHTS = Dataset(
    name="nights",
    description="One row a run: what was asked, counted and decided, and how long it took.",
    columns={
        "night": pl.String(),
        "as_of": TIME,
        "started_at": TIME,
        "finished_at": TIME,
        "venue": pl.String(),
        "symbols": pl.List(pl.String()),
        "days": pl.Int64(),
        "seed": pl.Int64(),
        "strategies": pl.Int64(),
        "trials": pl.Int64(),
        "survivors": pl.Int64(),
        "promoted": pl.Int64(),
        "luck_hurdle": pl.Float64(),  # annualised Sharpe expected of the luckiest useless one
        "best_sharpe": pl.Float64(),
        "manifest": pl.String(),  # JSON: data snapshot, code, settings, seed
        "timings": pl.String(),  # JSON: seconds by stage
        "report": pl.String(),  # path under NIGHTJAR_HOME
        **_PROVENANCE,
    },
    key=("night",),
    time_column="as_of",
)

PROMOTIONS = Dataset(
    name="promotions",
    description="Strategies sent to paper trading, frozen as they were.",
    columns={
        "night": pl.String(),
        "strategy_id": pl.String(),
        "venue": pl.String(),
        "symbol": pl.String(),
        "text": pl.String(),
        "sharpe": pl.Float64(),
        "out_of_sample_sharpe": pl.Float64(),
        "deflated_sharpe": pl.Float64(),
        "luck_hurdle": pl.Float64(),
        "status": pl.String(),
        "promoted_at": TIME,
        **_PROVENANCE,
    },
    key=("night", "strategy_id", "venue", "symbol"),
    time_column="promoted_at",
)

REVISIONS = Dataset(
    name="revisions",
    description="History that a source changed: the key, the old and the new values as JSON.",
    columns={
        "dataset": pl.String(),
        "key": pl.String(),  # JSON object of the key columns
        "old": pl.String(),  # JSON object of the columns that differ
        "new": pl.String(),
        "old_source": pl.String(),
        "revised_at": TIME,
        **_PROVENANCE,
    },
    key=("dataset", "key", "revised_at"),
    time_column="revised_at",
)

VERDICTS = Dataset(
    name="verdicts",
    description="What each gate decided about each batch.",
    columns={
        "verdict_id": pl.String(),
        "dataset": pl.String(),
        "batch": pl.String(),  # the landing file, or the stage that asked
        "rows": pl.Int64(),
        "accepted": pl.Int64(),
        "quarantined": pl.Int64(),
        "passed": pl.Boolean(),
        "reason": pl.String(),  # why the batch was refused; null where it passed
        "reasons": pl.String(),  # JSON object: rows quarantined by reason
        "judged_at": TIME,
        **_PROVENANCE,
    },
    key=("verdict_id",),
    time_column="judged_at",
)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        CANDLES,
        STRATEGIES,
        BACKTESTS,
        TRIALS,
        NIGHTS,
        PROMOTIONS,
        REVISIONS,
        VERDICTS,
    )
}


def dataset_named(name: str) -> Dataset:
    """Return the declaration of `name`; raise `InvalidInput` with the known names."""
    try:
        return DATASETS[name]
    except KeyError:
        known = ", ".join(sorted(DATASETS))
        raise InvalidInput(f"expected a dataset of {known}, was {name!r}") from None
