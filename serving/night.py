"""The facts of one night, and the plain words for its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime  # noqa: TC003 - as above
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray  # noqa: TC002 - as above

from core.datasets import METRICS, TIME, VERDICTS
from serving.checks import CHECKS, PROMOTED, check, in_order, rank
from serving.frames import shaped
from serving.words import TIMES, apart, bps, count, listed, moment, plural

# The column that the luck hurdle is about: the annualised Sharpe ratio over the night's window.
SCORE = "sharpe"
SANDBOX = "sandbox"

RESULTS: dict[str, Any] = {
    "strategy_id": pl.String(),
    "symbol": pl.String(),
    "text": pl.String(),
    **METRICS,
    "in_sample_sharpe": pl.Float64(),
    "out_of_sample_sharpe": pl.Float64(),
    "deflated_sharpe": pl.Float64(),
    "verdict": pl.String(),
}
BENCHMARK: dict[str, Any] = {"symbol": pl.String(), "day": pl.Date(), "equity": pl.Float64()}
EQUITY: dict[str, Any] = {"strategy_id": pl.String(), **BENCHMARK}
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
    "results": RESULTS,
    "promoted": RESULTS,
    "equity": EQUITY,
    "benchmark": BENCHMARK,
    "quality": QUALITY,
    "gates": VERDICTS.columns,
}


@dataclass(frozen=True, eq=False)
class NightReport:
    """All that the report of a night says; the frames are checked when it is made.

    `results` has one row per strategy and symbol, `promoted` those of them that were;
    `equity` starts at 1 and is given for the promoted and for the best few that were not;
    `benchmark` is buy and hold; `gates` are rows of the `verdicts` dataset; `timings` are
    seconds by stage; `holdout_from` is the first moment of the holdout.

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
    luck_hurdle: float
    costs: Any  # a mapping, or any object, with fee_bps, slippage_bps and funding_bps
    results: pl.DataFrame
    promoted: pl.DataFrame
    equity: pl.DataFrame
    benchmark: pl.DataFrame
    quality: pl.DataFrame
    gates: pl.DataFrame
    timings: Mapping[str, float] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    holdout_from: datetime | None = None

    def __post_init__(self) -> None:
        for name, columns in _FRAMES.items():
            frame = shaped(f"the report's {name}", getattr(self, name), columns)
            object.__setattr__(self, name, frame)

    @property
    def sandbox(self) -> bool:
        """Whether the markets were made by the offline exchange."""
        return self.venue == SANDBOX


class Step(NamedTuple):
    """One check of the funnel: how many failed there, and how many were left."""

    verdict: str
    label: str
    failed: int
    left: int


class Curve(NamedTuple):
    """A line over UTC days; it starts at 1."""

    days: list[date]
    values: list[float]


def scores(report: NightReport) -> NDArray[np.float64]:
    """Return the finite Sharpe ratios of all trials that traded."""
    finite = _traded(report.results).filter(pl.col(SCORE).is_finite())
    return np.asarray(finite[SCORE].to_numpy(), dtype=np.float64)


def silent(report: NightReport) -> int:
    """Count the trials that never traded, or whose Sharpe ratio does not exist."""
    return report.results.height - len(scores(report))


def best(report: NightReport) -> dict[str, Any] | None:
    """Return the trial with the highest Sharpe ratio, None where none traded."""
    rows = _ranked(_traded(report.results).filter(pl.col(SCORE).is_finite()))
    return (
        rows.sort(SCORE, descending=True, maintain_order=True).row(0, named=True)
        if rows.height
        else None
    )


def winners(report: NightReport) -> pl.DataFrame:
    """Return the promoted, the surest first."""
    return _ranked(report.promoted)


def misses(report: NightReport, most: int) -> pl.DataFrame:
    """Return the nearest misses of a night: see `nearest`."""
    return nearest(_unpromoted(report), most)


def nearest(results: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return up to `most` rows that traded and were not promoted, the nearest to it first.

    Nearest is what met the most checks, then what luck explains least. `results` has at least
    the columns strategy_id, symbol, trades, verdict, sharpe and deflated_sharpe.
    """
    missed = _traded(results).filter(pl.col("verdict").ne_missing(PROMOTED))
    reached = pl.col("verdict").replace_strict(
        {verdict: rank(verdict) for verdict in CHECKS}, default=-1, return_dtype=pl.Int64
    )
    return _ranked(missed).sort(reached, descending=True, maintain_order=True).head(most)


def funnel(report: NightReport) -> list[Step]:
    """Count the trials that failed at each check, in the order of the night."""
    ended = _unpromoted(report)["verdict"].fill_null("")
    counts = dict(ended.value_counts().iter_rows())
    left = report.results.height
    steps: list[Step] = []
    for verdict in in_order(list(counts)):
        left -= counts[verdict]
        steps.append(Step(verdict, check(verdict).label, counts[verdict], left))
    return steps


def curve(frame: pl.DataFrame) -> Curve:
    """Return the rows of one equity curve in order, without the days that have no number."""
    frame = frame.filter(pl.col("equity").is_finite()).drop_nulls(["day"]).sort("day")
    return Curve(frame["day"].to_list(), frame["equity"].to_list())


def change(line: Curve) -> float | None:
    """Return how much a curve gained since it was 1; None for one without a day."""
    return line.values[-1] - 1.0 if line.values else None


def cost(report: NightReport, name: str) -> float | None:
    """Return one of the costs in basis points, None where it was not said."""
    costs = report.costs
    value = costs.get(name) if isinstance(costs, Mapping) else getattr(costs, name, None)
    return None if value is None else float(value)


def headline(report: NightReport) -> str:
    """Say in a sentence or two what the night came to."""
    if report.promoted.height:
        return _promotion(report)
    trials = plural(report.trials, "trial")
    if not report.trials:
        return "Nothing promoted. No strategy was tried."
    top = best(report)
    if top is None:
        none = "The only trial never" if report.trials == 1 else f"None of {trials}"
        return f"Nothing promoted. {none} traded."
    who = "The only trial" if report.trials == 1 else f"The best of {trials}"
    reached, hurdle = apart(top[SCORE], report.luck_hurdle)
    if top[SCORE] <= report.luck_hurdle:
        return (
            f"Nothing promoted. {who} reached Sharpe {reached}; luck alone was expected to "
            f"reach {hurdle}."
        )
    return (
        f"Nothing promoted. {who} reached Sharpe {reached}, where luck alone was expected to "
        f"reach {hurdle}, but {check(top['verdict']).why}."
    )


def _promotion(report: NightReport) -> str:
    pairs = report.promoted.height
    strategies = report.promoted["strategy_id"].n_unique()
    where = f" on {plural(pairs, 'market')}" if pairs != strategies else ""
    if pairs == 1:
        where = f" on {report.promoted['symbol'][0]}"
    top = report.promoted.sort(SCORE, descending=True, nulls_last=True)[SCORE][0]
    reached, hurdle = apart(top, report.luck_hurdle)
    return (
        f"{plural(strategies, 'strategy', 'strategies')} promoted{where}. "
        f"{'It' if pairs == 1 else 'The best'} reached Sharpe {reached}; luck alone was expected "
        f"to reach {hurdle} in {plural(report.trials, 'trial')}."
    )


def summary(report: NightReport) -> str:
    """Say in one sentence what was done."""
    symbols = listed(list(report.symbols))
    costs = [
        f"{bps(paid)} bps {what}"
        for name, what in _COSTS.items()
        if (paid := cost(report, name)) is not None
    ]
    paying = f", each paying {listed(costs)}" if costs else ""
    dropped = report.trials - report.results.height
    return (
        f"{plural(report.strategies, 'strategy', 'strategies')} {TIMES} "
        f"{plural(len(report.symbols), 'symbol')} ({symbols}) were traded over the "
        f"{plural(report.days, 'day')} of {report.venue} before {moment(report.as_of)}: "
        f"{plural(report.results.height, 'trial')}{paying}."
        + (
            f" The search that bred them scored and dropped {count(dropped)} more, and luck is "
            f"charged for all {count(report.trials)}."
            if dropped > 0
            else ""
        )
    )


_COSTS = {
    "fee_bps": "of fee per side",
    "slippage_bps": "of slippage per side",
    "funding_bps": "of funding per 8 h held short",
}


def meaning(report: NightReport) -> str:
    """Say what follows from the outcome, in words that fit it."""
    if report.promoted.height:
        return (
            "Promoted means sent to paper trading, with no real money at stake. Expect less from "
            "here on: even a true edge looks better in the days in which it was found."
        )
    return (
        "That is a normal, good outcome. Whoever looks at enough useless rules finds some that "
        f"look brilliant; tonight {count(report.trials)} were looked at, and none was good enough "
        "to tell from luck. Paper trading goes on unchanged."
    )


def _unpromoted(report: NightReport) -> pl.DataFrame:
    return report.results.join(report.promoted, on=["strategy_id", "symbol"], how="anti")


def _traded(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("trades").fill_null(0) > 0)


def _ranked(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(
        "deflated_sharpe",
        SCORE,
        "strategy_id",
        "symbol",
        descending=[True, True, False, False],
        nulls_last=True,
    )
