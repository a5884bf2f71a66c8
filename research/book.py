"""The book of paper trading: how each promotion stands, and what the desk's choosing is worth."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from research.metrics import sharpe
from research.paper import CONFIRMED, KILLED, REJECTED, RUNNING, Frozen
from research.statistics.sharpe import moments, psr

if TYPE_CHECKING:
    from collections.abc import Iterator

F8 = NDArray[np.float64]

# What a desk expects to come first comes first: each should earn more than those after it.
PROMOTED, NOT_PROMOTED, RANDOM = "promoted", "rejected", "random"
COHORTS = (PROMOTED, NOT_PROMOTED, RANDOM)
ONE = ["night", "strategy_id", "venue", "symbol", "cohort"]


class Standing(msgspec.Struct, frozen=True):
    """A promotion on paper. Returns are sums of daily ones, up to `ended` where it has ended.

    `curve` holds the sum after each day that it ran; `forecasts` and `kill_lines` are those of all
    days of its plan.
    """

    night: str
    strategy_id: str
    venue: str
    symbol: str
    kind: str
    text: str
    members: tuple[str, ...]
    opened: date  # the first day that counts
    ended: date | None
    status: str
    days: int
    horizon_days: int
    level: float
    earned: float
    forecast: float
    kill_line: float | None
    curve: tuple[float, ...]
    forecasts: tuple[float, ...]
    kill_lines: tuple[float, ...] | None


class Cohort(msgspec.Struct, frozen=True):
    """All that were chosen in one way, held in equal stakes.

    `daily` is the mean net return of a day, `expected` what their backtests or forecasts say of it,
    `sharpe` annualised.
    """

    cohort: str
    candidates: int
    days: int
    daily: float
    expected: float
    sharpe: float
    running: int
    confirmed: int
    rejected: int
    killed: int


class Edge(msgspec.Struct, frozen=True):
    """By how much one cohort earned more than another on the days that both traded.

    `sure` is the probability that the true difference is above 0, None before there are two days.
    """

    better: str
    than: str
    days: int
    daily: float
    sure: float | None


class Book(msgspec.Struct, frozen=True):
    """Promotions, the newest first; the scorecard; and how sure it is."""

    standings: tuple[Standing, ...]
    scorecard: tuple[Cohort, ...]
    edges: tuple[Edge, ...]


def book_of(paper: pl.DataFrame) -> Book:
    """Return the book of all rows of the dataset `paper`."""
    rows = paper.sort(*ONE, "day")
    counted = rows.filter(pl.col("plan").is_null())
    frozen = {
        tuple(row[name] for name in ONE): (
            row["day"].date(),
            msgspec.json.decode(row["plan"], type=Frozen),
        )
        for row in rows.filter(pl.col("plan").is_not_null()).to_dicts()
    }
    parts = counted.partition_by(ONE, as_dict=True)
    none = counted.clear()
    standings = [
        _standing(dict(zip(ONE, name, strict=True)), day, what, parts.get(name, none))
        for name, (day, what) in frozen.items()
        if name[-1] == PROMOTED
    ]
    expected = {name: what.plan.forecast_mean for name, (_, what) in frozen.items()}
    daily = _daily(counted)
    return Book(
        standings=tuple(sorted(standings, key=lambda one: (one.night, one.strategy_id))[::-1]),
        scorecard=tuple(_scorecard(expected, parts, daily)),
        edges=tuple(_edges(daily)),
    )


def _standing(name: dict[str, str], opening: date, what: Frozen, rows: pl.DataFrame) -> Standing:
    plan, statuses = what.plan, rows["status"].to_list()
    over = next((at for at, status in enumerate(statuses) if status != RUNNING), None)
    days = rows.height if over is None else over + 1
    curve = np.cumsum(rows["return"].to_numpy()[:days])
    forecasts, kills = plan.forecast(plan.horizon_days), plan.kill_line(plan.horizon_days)
    killable = plan.kill_sigma is not None
    return Standing(
        **{key: name[key] for key in ("night", "strategy_id", "venue", "symbol")},
        kind=_kind(what, name["symbol"]),
        text=what.text,
        members=what.members,
        opened=date.fromordinal(opening.toordinal() + 1),
        ended=None if over is None else rows["day"][over].date(),
        status=RUNNING if over is None else statuses[over],
        days=days,
        horizon_days=plan.horizon_days,
        level=plan.level,
        earned=_last(curve),
        forecast=_last(forecasts[:days]),
        kill_line=_last(kills[:days]) if killable else None,
        curve=tuple(curve.tolist()),
        forecasts=tuple(forecasts.tolist()),
        kill_lines=tuple(kills.tolist()) if killable else None,
    )


def _kind(what: Frozen, symbol: str) -> str:
    if len(what.members) > 1:
        return "portfolio"
    return "pooled" if symbol == "*" else "rule"


def _last(values: F8) -> float:
    return float(values[-1]) if values.size else 0.0


def _daily(counted: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return each cohort's days and the mean return of all that it held on them."""
    means = counted.group_by("cohort", "day").agg(pl.col("return").mean()).sort("day")
    return {name: means.filter(cohort=name) for name in COHORTS}


def _scorecard(
    expected: dict[tuple[str, ...], float],
    parts: dict[tuple[object, ...], pl.DataFrame],
    daily: dict[str, pl.DataFrame],
) -> Iterator[Cohort]:
    for cohort in COHORTS:
        names = [name for name in expected if name[-1] == cohort]
        returns = daily[cohort]["return"].to_numpy()
        last = [parts[name]["status"][-1] if name in parts else RUNNING for name in names]
        yield Cohort(
            cohort=cohort,
            candidates=len(names),
            days=returns.size,
            daily=float(returns.mean()) if returns.size else 0.0,
            expected=float(np.mean([expected[name] for name in names])) if names else 0.0,
            sharpe=sharpe(returns) if returns.size else 0.0,
            running=last.count(RUNNING),
            confirmed=last.count(CONFIRMED),
            rejected=last.count(REJECTED),
            killed=last.count(KILLED),
        )


def _edges(daily: dict[str, pl.DataFrame]) -> Iterator[Edge]:
    for better, than in combinations(COHORTS, 2):
        both = daily[better].join(daily[than], on="day").sort("day")
        ahead = (both["return"] - both["return_right"]).to_numpy()
        yield Edge(
            better=better,
            than=than,
            days=ahead.size,
            daily=float(ahead.mean()) if ahead.size else 0.0,
            sure=psr(moments(ahead)) if ahead.size > 1 else None,
        )
