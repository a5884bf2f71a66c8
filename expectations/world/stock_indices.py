"""The suite of stock indices. Volume may be 0: an index is not traded itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.clock import to_micros
from core.datasets import STOCK_INDICES
from core.market import INTERVALS
from expectations.bounds import plausible
from expectations.moments import IN_FUTURE, moment_facts
from expectations.rules import ROW, Rule, Suite, between, matches, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

SERIES = ("venue", "index", "interval")
PRICES = ("open", "high", "low", "close")
OLDEST = to_micros(datetime(1789, 1, 1, tzinfo=UTC))  # where the longest series begins
BESIDE = 5  # bars before and after a bar that say where its level is
OFF = 0.5
MOVE = 0.15

RULES = (
    *plausible(("open", "high", "low", "close"), ("volume",)),
    matches("index", "bad_index", r"^[A-Z0-9]{1,20}\Z", "an index's name such as SP500"),
    one_of("interval", "unknown_interval", list(INTERVALS)),
    *(between(price, "price_not_positive", 0, strictly=True) for price in PRICES),
    Rule(
        "ohlc_inconsistent",
        "ExpectOhlcConsistent",
        {"column_list": list(PRICES)},
        "low ≤ open, close ≤ high",
    ),
    between("volume", "negative_volume", 0),
    between("us_since_1789", "before_1789", 0),
    between("at_epoch", "epoch_zero", 0, 0),
    IN_FUTURE,
    between("off_level", "off_level", None, OFF, beside=True),
    between("moved", "large_move", None, MOVE, severity="warning", beside=True),
    between("weekend", "weekend", 0, 0, severity="warning"),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute what a bar's time says; the first day of 1970 is what a missing time looks like."""
    del now
    since = pl.col("time").to_physical()
    return rows.select(
        ROW,
        *moment_facts("time"),
        us_since_1789=since - OLDEST,
        at_epoch=(since == 0).cast(pl.UInt8),
        weekend=(pl.col("time").dt.weekday() > 5).cast(pl.UInt8),
    )


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compare each close with the median of the closes around it, and with the one before.

    A price in another unit (pence for pounds) is 99 % from its neighbours, a crash is not.
    """
    wanted = [*SERIES, "time", "close"]
    known = history.select(wanted).join(rows, on=[*SERIES, "time"], how="anti")
    both = pl.concat([known, rows.select(*wanted, ROW)], how="diagonal").sort(*SERIES, "time")
    close = pl.col("close")
    around = [close.shift(n).over(SERIES) for n in _offsets()]
    level = pl.concat_list(around).list.drop_nulls().list.median()
    before = close.shift(1).over(SERIES)
    return both.select(
        ROW,
        off_level=(close / level - 1).abs(),
        moved=(close / before - 1).abs(),
    ).drop_nulls(ROW)


def _offsets() -> Sequence[int]:
    return [n for n in range(-BESIDE, BESIDE + 1) if n]


SUITE = Suite(
    dataset=STOCK_INDICES,
    rules=RULES,
    optional=("volume",),
    facts=facts,
    neighbour_facts=neighbour_facts,
    remembers=(*STOCK_INDICES.key, "close"),
    lately=timedelta(days=21),
)
