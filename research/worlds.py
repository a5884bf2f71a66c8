"""Worlds without an edge: real bars whose moves are mirrored or permuted.

A search that finds something in them found luck. Everything else is kept, so that luck has the
same to work with: how wild each hour is, how markets move together, what trading costs.

* *Mirrored*: the move of each minute is turned over or not, by a sign that the hash of the world's
  number and the minute decides, the same for all symbols. Volatility, range and volume stay where
  they were; direction can no longer be foretold. A world goes on from day to day with its data.
* *Permuted*: the moves come in another order, as Masters has it (Permutation and Randomization
  Tests for Trading System Development, 2020). The first open and the last close stay, and with
  them the trend of the whole; calm and wild hours are mixed.

A bar is a gap from the close before to its open, and a body: high, low and close over the open,
all in logarithms. Rebuilt bars are valid by construction and are not rounded to a tick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]

MIRRORED, PERMUTED = "mirrored", "permuted"

PRICES = ("open", "high", "low", "close")

# What a bar carries beside its prices; it goes where the body goes.
CARRIED = ("volume", "quote_volume", "trades", "taker_buy_volume")


class Moves(NamedTuple):
    """A series as logarithms: where it starts, and each bar's gap and body from then on.

    `gaps` has one entry a bar, the first 0; high, low and close are over the bar's own open.
    """

    start: float
    gaps: F8
    high: F8
    low: F8
    close: F8

    @classmethod
    def of(cls, opened: F8, high: F8, low: F8, close: F8) -> Moves:
        """Take prices apart; all of one length, at least one bar."""
        first, top, bottom, last = (np.log(each) for each in (opened, high, low, close))
        gaps = np.concatenate(([0.0], first[1:] - last[:-1]))
        return cls(float(first[0]), gaps, top - first, bottom - first, last - first)

    def prices(self) -> tuple[F8, F8, F8, F8]:
        """Return open, high, low and close.

        The extremes take in open and close, as in logarithms they do: exponentials round.
        """
        ends = self.start + np.cumsum(self.gaps + self.close)
        opens = np.concatenate(([self.start], ends[:-1] + self.gaps[1:]))
        opened, close = np.exp(opens), np.exp(ends)
        high = np.maximum(np.exp(opens + self.high), np.maximum(opened, close))
        low = np.minimum(np.exp(opens + self.low), np.minimum(opened, close))
        return opened, high, low, close


def mirror(moves: Moves, signs: NDArray[np.int8]) -> Moves:
    """Turn the moves over where a sign is -1; the first bar stays as it is.

    Args:
        moves: Of n bars.
        signs: -1 or 1 for each bar; the first is not read.
    """
    turned = signs < 0
    turned[0] = False
    sign = np.where(turned, -1.0, 1.0)
    return Moves(
        moves.start,
        moves.gaps * sign,
        np.where(turned, -moves.low, moves.high),
        np.where(turned, -moves.high, moves.low),
        moves.close * sign,
    )


def permute(moves: Moves, gaps: I8, bodies: I8) -> Moves:
    """Put gaps and bodies in another order, each in one of its own.

    Args:
        moves: Of n bars.
        gaps: Which bar's gap each bar takes; a permutation of 0..n-1 that leaves 0 in place.
        bodies: The same for high, low and close.
    """
    return Moves(
        moves.start, moves.gaps[gaps], moves.high[bodies], moves.low[bodies], moves.close[bodies]
    )


def signs_of(world: int, times: I8) -> NDArray[np.int8]:
    """Return the sign that a world gives each time (µs since the epoch): -1 or 1."""
    return np.where(_hashed(world, times) >> np.uint64(63), -1, 1).astype(np.int8)


def order_of(world: int, times: I8, salt: int) -> I8:
    """Return the order into which a world shuffles times: the first stays, the rest is drawn."""
    drawn = np.argsort(_hashed(world ^ (salt << 32), times[1:]), kind="stable") + 1
    return np.concatenate(([0], drawn)).astype(np.int64)


def _hashed(world: int, times: I8) -> U8:
    """Mix a world's number into each time: SplitMix64 (Steele, Lea, Flood 2014), twice."""
    if world < 1:
        raise InvalidInput(f"expected a world from 1, was {world}")
    key = _mix(np.array([world], np.uint64))
    return _mix(_mix(times.astype(np.uint64)) ^ key)


def _mix(values: U8) -> U8:
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def world_of(candles: pl.DataFrame, kind: str, world: int) -> pl.DataFrame:
    """Return the candles of a null world: the same columns, symbols and times.

    Volume and count of trades go with a bar's body. Where it is turned over, what takers bought
    becomes what they sold, and the volume-weighted price is mirrored with the rest.

    Args:
        candles: Of any number of symbols of one interval; at least open_time, symbol and prices.
        kind: `mirrored` or `permuted`.
        world: From 1; the same number is the same world on every night.

    Raises:
        InvalidInput: There are no candles, or no such world.
    """
    if kind not in {MIRRORED, PERMUTED}:
        raise InvalidInput(f"expected a world of {MIRRORED} or {PERMUTED}, was {kind!r}")
    if candles.is_empty():
        raise InvalidInput("expected candles to make a world of, was none")
    ordered = candles.sort("symbol", "open_time")
    remake = _mirroring(world) if kind == MIRRORED else _permuting(ordered, world)
    parts = [remake(part) for part in ordered.partition_by("symbol", maintain_order=True)]
    return pl.concat(parts)


def _mirroring(world: int) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def remake(part: pl.DataFrame) -> pl.DataFrame:
        signs = signs_of(world, part["open_time"].to_physical().to_numpy())
        moves = mirror(_moves(part), signs)
        return _rebuilt(part, moves, part, turned=signs < 0)

    return remake


def _permuting(ordered: pl.DataFrame, world: int) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Shuffle the times of all symbols alike; a minute that a symbol lacks is shuffled with them.

    Gaps and bodies have an order each. A symbol with holes keeps as many gaps as bodies, so its
    gaps are those that it has, in the order drawn.
    """
    times = ordered["open_time"].unique().sort().to_physical().to_numpy()
    gaps, bodies = (order_of(world, times, salt) for salt in (1, 2))

    def remake(part: pl.DataFrame) -> pl.DataFrame:
        mine = part["open_time"].to_physical().to_numpy()
        row = np.full(times.size, -1)
        row[np.searchsorted(times, mine)] = np.arange(mine.size)
        taken = row[bodies]
        held = taken >= 0
        body, gap = taken[held], row[gaps]
        gap = gap[gap >= 0]
        # Where the first minute is missing another bar comes first: none has a gap before it.
        gap = np.concatenate(([0], gap[gap != 0]))
        moves = permute(_moves(part), gap, body)
        at = pl.Series("open_time", times[held]).cast(part["open_time"].dtype)
        return _rebuilt(part, moves, part[body.tolist()].with_columns(at), turned=None)

    return remake


def _moves(part: pl.DataFrame) -> Moves:
    opened, high, low, close = (part[name].to_numpy() for name in PRICES)
    return Moves.of(opened, high, low, close)


def _rebuilt(
    part: pl.DataFrame, moves: Moves, rows: pl.DataFrame, *, turned: NDArray[np.bool_] | None
) -> pl.DataFrame:
    """Return `rows` with the prices of `moves` and what follows from them."""
    prices = dict(zip(PRICES, moves.prices(), strict=True))
    made: dict[str, Any] = dict(prices)
    if turned is not None and "taker_buy_volume" in part.columns:
        made["taker_buy_volume"] = _taken(rows, turned)
    if "quote_volume" in part.columns:
        made["quote_volume"] = _quoted(rows, prices["open"], turned)
    columns = [pl.Series(name, values, nan_to_null=True) for name, values in made.items()]
    return rows.with_columns(columns).select(part.columns)


def _taken(rows: pl.DataFrame, turned: NDArray[np.bool_]) -> F8:
    volume = rows["volume"].to_numpy()
    taker = rows["taker_buy_volume"].cast(pl.Float64).to_numpy()
    flipped = np.where(turned, volume - taker, taker)
    flipped[0] = taker[0]
    return flipped


def _quoted(rows: pl.DataFrame, opens: F8, turned: NDArray[np.bool_] | None) -> F8:
    """Return the quote volume at the bar's mean price as it is now; NaN where there was none."""
    quote = rows["quote_volume"].cast(pl.Float64).to_numpy()
    base = rows["volume"].to_numpy() * rows["open"].to_numpy()
    ratio = np.ones_like(quote)
    np.divide(quote, base, out=ratio, where=base > 0)
    if turned is not None:
        flips = turned.copy()
        flips[0] = False
        ratio = np.where(flips & (ratio > 0), 1.0 / np.where(ratio > 0, ratio, 1.0), ratio)
    return np.where(base > 0, rows["volume"].to_numpy() * opens * ratio, quote)
