"""When a row says it was: rules on its time beside the time at which we got it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from expectations.candles import FIRST_TIME
from expectations.rules import between


@dataclass(frozen=True)
class Tolerance:
    """How many seconds a snapshot's time may lie before and after its arrival."""

    behind: float = 300.0
    ahead: float = 5.0  # a venue's clock was recorded 1.3 s ahead of the receiver's


USUAL = Tolerance()
# OKX's time of a ticker or a mark is when it last changed, and a quiet market does not.
BY_VENUE = {"okx": Tolerance(behind=3_600.0), "okx_perp": Tolerance(behind=3_600.0)}
# An aggregator looks at a market now and then: CoinGecko's tickers were recorded 10 minutes old at
# the median, 27 at the 95th percentile.
BY_PROVIDER = {"coingecko": Tolerance(behind=3_600.0)}

STALE = between("behind_s", "stale", None, 0)
IN_FUTURE = between("ahead_s", "in_future", None, 0)
BEFORE_2009 = between("days_since_2009", "before_2009", 0)


def moment_facts(column: str) -> list[pl.Expr]:
    """Compute how far beyond its venue's tolerance a row is, and how long after 2009.

    `behind_s` and `ahead_s` are 0 and less for what is tolerated.
    """
    behind = (pl.col("ingested_at") - pl.col(column)).dt.total_microseconds() / 1e6
    since = pl.col(column).to_physical() / 1e6 - FIRST_TIME
    return [
        (behind - _tolerated("behind")).alias("behind_s"),
        (-behind - _tolerated("ahead")).alias("ahead_s"),
        (since / 86_400).alias("days_since_2009"),
    ]


def _tolerated(which: str) -> pl.Expr:
    """Return what is tolerated of a row's venue, or of the provider that told of it."""
    provider = pl.col("source").str.extract(r"^([a-z0-9_]+)")
    usual = getattr(USUAL, which)
    return pl.max_horizontal(
        _looked_up(pl.col("venue"), BY_VENUE, which, usual),
        _looked_up(provider, BY_PROVIDER, which, usual),
    )


def _looked_up(name: pl.Expr, special: dict[str, Tolerance], which: str, usual: float) -> pl.Expr:
    given = {key: getattr(tolerance, which) for key, tolerance in special.items()}
    return name.replace_strict(given, default=usual, return_dtype=pl.Float64)
