"""The suite of prices: what aggregators and routers quote, now and before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import PRICES
from expectations.bounds import plausible
from expectations.crowd import distance_to_others, unlike_before
from expectations.moments import BEFORE_2009, IN_FUTURE, moment_facts
from expectations.rules import ROW, Suite, between

if TYPE_CHECKING:
    from datetime import datetime

SERIES = ("venue", "symbol")
FAR = 0.05 + 1e-12  # from what others quote
MOVE = 0.2  # from the quote before
SPIKE = 10  # standard deviations
LATE_HOURS = 1.0

RULES = (
    *plausible(("price",), ("volume_24h", "market_cap")),
    between("price", "price_not_positive", 0, strictly=True),
    between("volume_24h", "negative_volume", 0),
    between("market_cap", "negative_market_cap", 0),
    BEFORE_2009,
    IN_FUTURE,
    between("distance", "venue_distance", None, FAR, severity="warning", beside=True),
    between("moved", "price_move", None, MOVE, severity="warning", beside=True),
    between("z", "volume_spike", None, SPIKE, severity="warning", beside=True),
    between("hours_behind", "stale", None, LATE_HOURS, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute what a quote says by itself: when it was."""
    del now
    return rows.select(ROW, *moment_facts("time"))


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compare each quote with others' of the same ten minutes, and with its own series."""
    distance = distance_to_others(rows, history, same=("symbol",))
    volume = unlike_before(rows, history, series=SERIES, value="volume_24h")
    moved = _moved(rows, history)
    late = hours_behind(rows, SERIES)
    found = rows.select(ROW)
    for fact in (distance, volume, moved, late):
        found = found.join(fact, on=ROW, how="left", maintain_order="left")
    return found


def _moved(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    wanted = [*SERIES, "time", "price"]
    known = history.select(wanted).join(rows, on=[*SERIES, "time"], how="anti")
    both = pl.concat([known, rows.select(*wanted, ROW)], how="diagonal").sort(*SERIES, "time")
    before = pl.col("price").shift(1).over(SERIES)
    return both.select(ROW, moved=(pl.col("price") / before - 1).abs()).drop_nulls(ROW)


def hours_behind(rows: pl.DataFrame, series: tuple[str, ...]) -> pl.DataFrame:
    """Return per `ROW` how many hours the newest row of a series is behind its venue's newest.

    Only the newest of each series is judged, so that a history is not called stale.
    """
    newest = pl.col("time") == pl.col("time").max().over(series)
    behind = (pl.col("time").max().over("venue") - pl.col("time")).dt.total_seconds() / 3_600
    return rows.select(ROW, hours_behind=pl.when(newest).then(behind))


SUITE = Suite(
    dataset=PRICES,
    rules=RULES,
    optional=("volume_24h", "market_cap"),
    facts=facts,
    neighbour_facts=neighbour_facts,
    remembers=(*PRICES.key, "price", "volume_24h"),
)
