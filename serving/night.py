"""The facts of one night, as its report needs them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - as above
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray  # noqa: TC002 - as above

from core.datasets import CANDIDATES, METRICS, PROMOTIONS, TIME, VERDICTS
from serving.checks import HELD_BACK, PROMOTED, nearness
from serving.frames import shaped

SANDBOX = "sandbox"

CANDIDATE: dict[str, Any] = {
    **{
        name: CANDIDATES.columns[name]
        for name in (
            *("candidate_id", "symbol", "kind", "rank", "text", "members", "trades", "score"),
            *("sharpe", "total_return", "max_drawdown", "p_value", "permutation_p", "verdict"),
            *("opinions", "first_day", "daily_returns"),
        )
    },
    "shrunk": pl.Float64(),  # what a score is worth that was seen because it passed the hurdle
}
PROMOTION: dict[str, Any] = {
    name: PROMOTIONS.columns[name]
    for name in ("strategy_id", "symbol", "rule_hash", "plan", "status")
}
MEMBER: dict[str, Any] = {"strategy_id": pl.String(), "symbol": pl.String(), **METRICS}
ENDED: dict[str, Any] = {"verdict": pl.String(), "trials": pl.Int64()}
BENCHMARK: dict[str, Any] = {"symbol": pl.String(), "day": pl.Date(), "equity": pl.Float64()}
QUALITY: dict[str, Any] = {
    "symbol": pl.String(),
    "bars": pl.Int64(),
    "expected": pl.Int64(),
    "missing": pl.Int64(),
    "quarantined": pl.Int64(),
    "first": TIME,
    "last": TIME,
}
_FRAMES: dict[str, Mapping[str, Any]] = {
    "candidates": CANDIDATE,
    "promotions": PROMOTION,
    "members": MEMBER,
    "ended": ENDED,
    "benchmark": BENCHMARK,
    "quality": QUALITY,
    "gates": VERDICTS.columns,
}


@dataclass(frozen=True)
class Luck:
    """What the worlds without an edge showed; scores are annualised Sharpe ratios.

    `mirrored` and `permuted` hold the best score of each world in its order, minus infinity where
    nothing traded enough. A candidate is promoted whose p is at most `alpha`, and at most
    `permutation_alpha` against permuted worlds. Luck passes `hurdle` with probability alpha; a
    rule that truly earns `smallest` passes it on four nights of five. `effective` is how many
    unrelated strategies would be as lucky. `alarm` is how many times too good the worlds were,
    None where they were as they should be. The mirrored worlds end once `stop_after` did as well
    as the best candidate.
    """

    alpha: float = 0.005
    permutation_alpha: float = 0.05
    mirrored: Sequence[float] = ()
    permuted: Sequence[float] = ()
    hurdle: float | None = None
    smallest: float | None = None
    effective: float | None = None
    alarm: float | None = None
    stop_after: int = 10

    def as_good(self, score: float) -> int:
        """Count the mirrored worlds whose best is at least as good as `score`."""
        return sum(other >= score for other in self.mirrored)

    @property
    def usual(self) -> float | None:
        """The mean of the mirrored worlds' best scores, None where nothing traded enough."""
        scores = finite(self.mirrored)
        return float(scores.mean()) if len(scores) else None

    def cautious(self, score: float) -> float:
        """Return a score less what the same search finds where there is nothing, at least 0."""
        return max(0.0, score - max(0.0, self.usual or 0.0))

    def permuted_as_good(self, score: float) -> int:
        """Count the permuted worlds whose best is at least as good as `score`."""
        return sum(other >= score for other in self.permuted)


@dataclass(frozen=True, eq=False)
class NightReport:
    """All that the report of a night says; the frames are checked when it is made.

    `candidates` are what the search would have bet on, `promotions` the plans of the promoted;
    `members` are the backtests of the rules that candidates are made of; `ended` counts trials by
    where their way ended; `benchmark` is buy and hold; `gates` are rows of the `verdicts` dataset;
    `book` is that of paper trading (`research.book.Book`), None where nothing is on paper; `ledger`
    is the ledger's hash after this night; `timings` are seconds by stage.

    Raises:
        ContractBroken: a frame lacks a column, or one holds something else.
    """

    night: str
    as_of: datetime
    started_at: datetime
    finished_at: datetime
    venue: str
    symbols: list[str]
    days: int
    seed: int
    strategies: int
    trials: int
    distinct: int
    refused: int
    min_trades: int
    costs: Any  # a mapping, or any object, with fee_bps, slippage_bps and funding_bps
    luck: Luck
    candidates: pl.DataFrame
    promotions: pl.DataFrame
    members: pl.DataFrame
    ended: pl.DataFrame
    benchmark: pl.DataFrame
    quality: pl.DataFrame
    gates: pl.DataFrame
    book: Any = None
    ledger: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, columns in _FRAMES.items():
            frame = shaped(f"the report's {name}", getattr(self, name), columns)
            object.__setattr__(self, name, frame)
        ranked = self.candidates.sort("rank", nulls_last=True, maintain_order=True)
        object.__setattr__(self, "candidates", ranked)

    @property
    def interval(self) -> str:
        """The bars that the night searched, and filled trades on."""
        return str(self.manifest.get("interval", "1m"))

    @property
    def sandbox(self) -> bool:
        """Whether the markets were made by the offline exchange."""
        return self.venue == SANDBOX


def best(report: NightReport) -> dict[str, Any] | None:
    """Return the candidate with the best score, None where there was no candidate."""
    return next(report.candidates.head(1).iter_rows(named=True), None)


def winners(report: NightReport) -> pl.DataFrame:
    """Return the promoted, the best score first."""
    return report.candidates.filter(pl.col("verdict") == PROMOTED)


def held(report: NightReport) -> pl.DataFrame:
    """Return what beat luck and was held back, the best score first."""
    return report.candidates.filter(pl.col("verdict") == HELD_BACK)


def above_luck(report: NightReport) -> int:
    """Count the candidates whose odds were good enough in both kinds of worlds."""
    p, second = pl.col("p_value"), pl.col("permutation_p")
    good = (p <= report.luck.alpha) & (second <= report.luck.permutation_alpha)
    return report.candidates.filter(good.fill_null(value=False)).height


def misses(report: NightReport, most: int) -> pl.DataFrame:
    """Return the nearest misses: those that got furthest, and of them the best score first."""
    missed = report.candidates.filter(pl.col("verdict").ne_missing(PROMOTED))
    far = [nearness(verdict) for verdict in missed["verdict"]]
    near = missed.with_columns(pl.Series("far", far, dtype=pl.Int64))
    return near.sort("far", maintain_order=True).drop("far").head(most)


def finite(scores: Sequence[float]) -> NDArray[np.float64]:
    """Return the scores of worlds in which something traded enough."""
    return np.array([score for score in scores if math.isfinite(score)], dtype=np.float64)


def cost(report: NightReport, name: str) -> float | None:
    """Return one of the costs in basis points, None where it was not said."""
    costs = report.costs
    value = costs.get(name) if isinstance(costs, Mapping) else getattr(costs, name, None)
    return None if value is None else float(value)
