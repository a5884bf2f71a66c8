"""Bars made of trades: the same that a venue makes, to the last digit.

Sums are exact. A venue adds decimals, and adding their nearest doubles may end in another last
digit; so each number is taken as the decimal that it was printed from (the shortest that gives the
same double), and only the sum is rounded.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

import polars as pl

from core.clock import floor_to, to_micros
from core.datasets import MARKET_TRADES, TIME
from core.errors import InvalidInput
from core.market import interval_step
from sources.frames import BARS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

# More digits than any sum of a bar's trades has, so that nothing is rounded on the way.
_EXACT = Context(prec=100)
_NEEDED = ("venue", "symbol", "trade_id", "time", "price", "amount", "side")


def bars_from_trades(
    trades: pl.DataFrame, interval: str, *, start: datetime, end: datetime
) -> pl.DataFrame:
    """Return the bars (`sources.frames.BARS`) of one or more markets, from all of their trades.

    A bar in which nothing was traded is left out. Trades that are there twice count once. Of the
    same microsecond the order of `trades` decides which is the first and the last.

    Args:
        trades: Rows of `market_trades`, without gaps between `start` and `end`.
        interval: The length of one bar.
        start: Since when all was observed; only bars that lie within are made.
        end: Until when all was observed.

    Raises:
        InvalidInput: A column is missing.
    """
    missing = [name for name in _NEEDED if name not in trades.columns]
    if missing:
        raise InvalidInput(f"expected trades, missing were the columns {missing}")
    step = interval_step(interval)
    first, last = _ceil(start, step), floor_to(end, step)
    opened = _opened(step)
    kept = (
        trades.unique(list(MARKET_TRADES.key), keep="first", maintain_order=True)
        .filter((pl.col("time") >= first) & (pl.col("time") < last))
        .sort("time", maintain_order=True)
        .with_columns(open_time=opened)
    )
    found = kept.group_by("venue", "symbol", "open_time", maintain_order=True).agg(
        open=pl.col("price").first(),
        high=pl.col("price").max(),
        low=pl.col("price").min(),
        close=pl.col("price").last(),
        trades=pl.len().cast(pl.Int64),
        prices=pl.col("price"),
        amounts=pl.col("amount"),
        sides=pl.col("side"),
    )
    return _with_sums(found, interval).select(*BARS).sort("venue", "symbol", "open_time")


def _opened(step: timedelta) -> pl.Expr:
    micros = step.total_seconds() * 1_000_000
    time = pl.col("time").to_physical()
    return (time - time % int(micros)).cast(TIME)


def _ceil(moment: datetime, step: timedelta) -> datetime:
    floor = floor_to(moment, step)
    return floor if to_micros(floor) == to_micros(moment) else floor + step


def _with_sums(found: pl.DataFrame, interval: str) -> pl.DataFrame:
    """Put the volumes beside the prices: of all, in the quote asset, and of those that bought."""
    sums = [
        _sums(prices, amounts, sides)
        for prices, amounts, sides in found.select("prices", "amounts", "sides").iter_rows()
    ]
    columns = ("volume", "quote_volume", "taker_buy_volume")
    read = pl.DataFrame(sums, schema=dict.fromkeys(columns, pl.Float64()), orient="row")
    return found.hstack(read).with_columns(interval=pl.lit(interval), synthetic=pl.lit(value=False))


def _sums(
    prices: list[float], amounts: list[float], sides: list[str | None]
) -> tuple[float, float, float | None]:
    """Add up one bar's trades; who bought is not known where one trade does not say."""
    exact = [_decimal(amount) for amount in amounts]
    worth = (
        _EXACT.multiply(_decimal(price), amount)
        for price, amount in zip(prices, exact, strict=True)
    )
    bought = [amount for amount, side in zip(exact, sides, strict=True) if side == "buy"]
    return (
        _total(exact),
        _total(worth),
        None if None in sides else _total(bought),
    )


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))


def _total(numbers: Iterable[Decimal]) -> float:
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return float(total)
