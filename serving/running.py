"""How paper trading goes: what runs, and whether promotion was worth more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from serving.words import decimal, percent, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

# {venue} is the night's, {end} the moment that it looks back from: SQL literals.
RUNNING = (
    "select p.night, p.strategy_id, p.symbol, count(d.day) as days, "
    "coalesce(arg_max(d.equity, d.day), 1.0) as equity, "
    "coalesce(arg_max(d.status, d.day), any_value(p.status)) as status "
    "from promotions p left join paper d on d.night = p.night and d.venue = p.venue "
    "and d.strategy_id = p.strategy_id and d.symbol = p.symbol and d.cohort = 'promoted' "
    "and d.day < {end} where p.venue = {venue} and p.plan is not null and p.promoted_at <= {end} "
    "group by p.night, p.strategy_id, p.symbol order by p.night desc, p.strategy_id, p.symbol"
)
SCORECARD = (
    "select cohort, count(distinct night || ' ' || strategy_id || ' ' || symbol) as candidates, "
    'count(*) as days, avg("return") as mean_day, '
    'sqrt(365) * avg("return") / nullif(stddev_pop("return"), 0) as sharpe '
    "from paper where venue = {venue} and day < {end} group by cohort order by cohort"
)

RUN: Mapping[str, Any] = {
    "night": pl.String(),
    "strategy_id": pl.String(),
    "symbol": pl.String(),
    "days": pl.Int64(),
    "equity": pl.Float64(),
    "status": pl.String(),
}
COHORT: Mapping[str, Any] = {
    "cohort": pl.String(),
    "candidates": pl.Int64(),
    "days": pl.Int64(),
    "mean_day": pl.Float64(),
    "sharpe": pl.Float64(),
}
_COHORTS = {
    "promoted": "what nights promoted",
    "rejected": "the best that nights rejected",
    "random": "strategies drawn at random",
}


class Cohort(NamedTuple):
    """One line of the scorecard, in words."""

    name: str
    what: str
    candidates: str
    days: str
    mean_day: str
    sharpe: str


def standings(running: pl.DataFrame) -> str:
    """Say how many promotions stand how; empty where there is none."""
    counts = running["status"].fill_null("unknown").value_counts().sort("status")
    said = [f"{count} {status}" for status, count in counts.iter_rows()]
    return f"{plural(running.height, 'promotion')}: {', '.join(said)}" if said else ""


def scorecard(cohorts: pl.DataFrame) -> list[Cohort]:
    """Return the cohorts, the promoted first."""
    order = list(_COHORTS)
    rows = sorted(
        cohorts.iter_rows(named=True),
        key=lambda row: order.index(row["cohort"]) if row["cohort"] in order else 9,
    )
    return [
        Cohort(
            row["cohort"],
            _COHORTS.get(row["cohort"], row["cohort"]),
            plural(row["candidates"], "candidate"),
            plural(row["days"], "day"),
            percent(row["mean_day"], 3, signed=True),
            decimal(row["sharpe"]),
        )
        for row in rows
    ]
