"""What the nights make: strategies, their backtests and trials, verdicts of luck, paper trading."""

from __future__ import annotations

from typing import Any

import polars as pl

from core.datasets.dataset import PROVENANCE, TIME, Dataset

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
        **PROVENANCE,
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
        **PROVENANCE,
    },
    key=("night", "strategy_id", "venue", "symbol"),
    time_column="end",
)

TRIALS = Dataset(
    name="trials",
    description="The permanent ledger: every strategy ever evaluated in the real world.",
    columns={
        "night": pl.String(),
        "strategy_id": pl.String(),
        "venue": pl.String(),
        "symbol": pl.String(),  # `*`: equal stakes in every symbol of the night
        "text": pl.String(),
        "parents": pl.List(pl.String()),  # lineage; empty for one drawn at random
        "operator": pl.String(),  # what made it of its parents
        "generation": pl.Int64(),
        "seed": pl.Int64(),  # of the night
        "trades": pl.Int64(),
        "score": pl.Float64(),  # annualised Sharpe ratio of detrended daily returns
        "sharpe": pl.Float64(),  # annualised, of the net daily returns
        "first_day": TIME,
        "daily_returns": pl.List(pl.Float64()),
        # Filled by nights that split their window; null since nights compare with null worlds.
        "in_sample_sharpe": pl.Float64(),
        "out_of_sample_sharpe": pl.Float64(),
        "deflated_sharpe": pl.Float64(),
        "verdict": pl.String(),  # promoted, or the first check that it failed
        "scored_at": TIME,
        **PROVENANCE,
    },
    key=("night", "strategy_id", "venue", "symbol"),
    time_column="scored_at",
    hot_days=7,
    since=dict.fromkeys(("text", "operator", "generation", "seed", "trades", "score", "sharpe"), 2),
)

CANDIDATES = Dataset(
    name="candidates",
    description="What a night's search would have bet on, each with what luck says of it.",
    columns={
        "night": pl.String(),
        "candidate_id": pl.String(),
        "venue": pl.String(),
        "symbol": pl.String(),  # `*`: every symbol of the night, or a portfolio's members'
        "kind": pl.String(),  # rule, pooled or portfolio
        "rank": pl.Int64(),  # 1 is the best score of the night
        "text": pl.String(),  # a portfolio's members' texts, each headed by a line `[SYMBOL]`
        "members": pl.List(pl.String()),  # each `strategy_id symbol`
        "trades": pl.Int64(),
        "score": pl.Float64(),  # annualised Sharpe ratio of detrended daily returns
        "sharpe": pl.Float64(),  # annualised, of the net daily returns
        "total_return": pl.Float64(),
        "max_drawdown": pl.Float64(),
        "p_value": pl.Float64(),  # against mirrored worlds; null where it was not asked
        "permutation_p": pl.Float64(),  # against permuted worlds; null where it was not asked
        # promoted, not_above_luck, permutation_explains, held_back or not_chosen
        "verdict": pl.String(),
        "opinions": pl.String(),  # JSON list: what the second opinions said
        "first_day": TIME,
        "daily_returns": pl.List(pl.Float64()),
        "scored_at": TIME,
        **PROVENANCE,
    },
    key=("night", "candidate_id", "venue", "symbol"),
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
        "distinct_trials": pl.Int64(),  # strategies among them
        "candidates": pl.Int64(),
        "survivors": pl.Int64(),
        "promoted": pl.Int64(),
        "lookahead_refused": pl.Int64(),  # strategies that saw the future, and were thrown out
        "luck_hurdle": pl.Float64(),  # annualised Sharpe expected of the luckiest useless one
        "best_sharpe": pl.Float64(),
        "best_score": pl.Float64(),
        "alpha": pl.Float64(),  # the largest p-value that promotes
        "p_value": pl.Float64(),  # of the night's best, against mirrored worlds
        "permutation_p": pl.Float64(),  # of the night's best, against permuted worlds
        "worlds": pl.Int64(),  # mirrored worlds that were searched
        "permuted_worlds": pl.Int64(),
        "null_scores": pl.List(pl.Float64()),  # the best score of each mirrored world, in order
        "permuted_scores": pl.List(pl.Float64()),  # the same of the permuted worlds
        "smallest_sharpe": pl.Float64(),  # the least true Sharpe ratio found in 4 nights of 5
        "effective_trials": pl.Float64(),  # independent trials that would be as lucky
        "ledger": pl.String(),  # the ledger's chain after this night
        "manifest": pl.String(),  # JSON: data snapshot, code, settings, seed
        "timings": pl.String(),  # JSON: seconds by stage
        "report": pl.String(),  # path under NIGHTJAR_HOME
        **PROVENANCE,
    },
    key=("night",),
    time_column="as_of",
    since=dict.fromkeys(
        (
            *("distinct_trials", "candidates", "lookahead_refused", "best_score", "alpha"),
            *("p_value", "permutation_p", "worlds", "permuted_worlds", "null_scores"),
            *("permuted_scores", "smallest_sharpe", "effective_trials", "ledger"),
        ),
        2,
    ),
)

LEDGER = Dataset(
    name="ledger",
    description="One row a night: the hash of its trials, chained to that of the night before.",
    columns={
        "sequence": pl.Int64(),  # the night's place in the chain, from 1
        "night": pl.String(),
        "rows": pl.Int64(),
        "digest": pl.String(),  # SHA-256 of the night's trials, storage.ledger.digest
        "previous": pl.String(),  # `chain` of the row before, 64 zeros for the first
        "chain": pl.String(),  # SHA-256 of previous, digest and night, one after the other
        "chained_at": TIME,
        **PROVENANCE,
    },
    key=("night",),
    time_column="chained_at",
)

PROMOTIONS = Dataset(
    name="promotions",
    description="Candidates sent to paper trading, frozen as they were.",
    columns={
        "night": pl.String(),
        "strategy_id": pl.String(),  # the candidate's id
        "venue": pl.String(),
        "symbol": pl.String(),  # `*`: every symbol of the night, or a portfolio's members'
        "kind": pl.String(),  # rule, pooled or portfolio
        "text": pl.String(),
        "members": pl.List(pl.String()),  # each `strategy_id symbol`
        "score": pl.Float64(),
        "sharpe": pl.Float64(),
        "p_value": pl.Float64(),
        "permutation_p": pl.Float64(),
        # Filled by nights that split their window; null since nights compare with null worlds.
        "out_of_sample_sharpe": pl.Float64(),
        "deflated_sharpe": pl.Float64(),
        "luck_hurdle": pl.Float64(),
        "rule_hash": pl.String(),  # SHA-256 of text, members and costs as they were frozen
        "plan": pl.String(),  # JSON: how it will be judged, research.paper.Plan
        "status": pl.String(),
        "promoted_at": TIME,
        **PROVENANCE,
    },
    key=("night", "strategy_id", "venue", "symbol"),
    time_column="promoted_at",
    since=dict.fromkeys(
        ("kind", "members", "score", "p_value", "permutation_p", "rule_hash", "plan"), 2
    ),
)

PAPER = Dataset(
    name="paper",
    description="One row a day of paper trading, of what was promoted and of what was not.",
    columns={
        "night": pl.String(),  # the night that promoted or rejected it
        "strategy_id": pl.String(),  # the candidate's id
        "venue": pl.String(),
        "symbol": pl.String(),
        "cohort": pl.String(),  # promoted, rejected or random
        "day": TIME,  # a whole UTC day
        "return": pl.Float64(),  # net
        "equity": pl.Float64(),  # at the day's end; 1 at the promotion
        "bars": pl.Int64(),  # minutes of the day that were there, of all its markets together
        "status": pl.String(),  # after this day: running, confirmed, rejected or killed
        # JSON of what is traded and how it is judged, research.paper.Frozen. Only the first row
        # of each has it: the day of the promotion itself, which does not count.
        "plan": pl.String(),
        "paper_night": pl.String(),  # the night that appended the row
        **PROVENANCE,
    },
    key=("night", "strategy_id", "venue", "symbol", "cohort", "day"),
    time_column="day",
)
