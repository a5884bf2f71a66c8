"""Markets of which is known what there is to be found in them: one-minute bars in numpy.

Volatility wanders, has an intraday season and fat-tailed shocks; prices, not their logarithms, go
nowhere. What a law adds to that is a drift, a common factor of several symbols, or momentum: the
price is pushed on in the direction in which it went over the last two days.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets import TIME
from research.metrics import YEAR
from sources.sandbox.markets import Market
from sources.sandbox.paths import extremes
from sources.sandbox.symbols import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

F8 = NDArray[np.float64]

DAY = 1_440  # minutes
FIRST = datetime(2026, 1, 1, tzinfo=UTC)

DAILY_VOL = 0.025
_WANDERS, _SPREAD = 1 / 48, 0.45  # volatility: share forgotten in an hour, spread of its logarithm
_SEASON, _BUSIEST = 0.35, 15  # how much more the busiest hour moves than the mean, and which it is
_FREEDOM = 5  # degrees of Student's t
_TURNOVER = 1e6  # quote volume of a minute as wild as the mean

BLOCK = 240  # minutes in which the push keeps its direction
LOOKBACK = 12  # blocks whose move decides it

# Goes with the push; what it earns is what the strength of an edge is called.
RULE = """\
long when close > prev(close, 48)
exit when close < prev(close, 48)
short when close < prev(close, 48)
exit when close > prev(close, 48)
on 1h"""

_NOISE = [one for one in INSTRUMENTS if one.edge is None]


class Law(msgspec.Struct, frozen=True):
    """What a market is made by.

    `drift` is the annual Sharpe ratio of who is always long; `momentum` the push of a block of
    four hours over its volatility; `common` the share of a minute's variance that all symbols
    have together.
    """

    symbols: int = 1
    drift: float = 0.0
    momentum: float = 0.0
    common: float = 0.0


def made(law: Law, days: int, seed: int) -> pl.DataFrame:
    """Return candles of a market by its law; the same arguments give the same ones."""
    rng = np.random.default_rng(seed)
    deviation = _deviations(rng, days)
    factor = _shocks(rng, days)
    return pl.concat(
        [
            _symbol(law, f"S{number}-USDT", deviation, factor, rng)
            for number in range(1, law.symbols + 1)
        ]
    )


def sandbox(days: int, seed: int) -> pl.DataFrame:
    """Return candles of one of the sandbox exchange's symbols without an edge."""
    instrument = _NOISE[seed % len(_NOISE)]
    bars = Market(instrument, seed).bars(0, days)
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    return candles(instrument.symbol, columns)


def candles(symbol: str, columns: Mapping[str, F8]) -> pl.DataFrame:
    """Return a candle for each minute from `FIRST` on."""
    size = next(iter(columns.values())).size
    times = int(FIRST.timestamp()) * 1_000_000 + np.arange(size) * 60_000_000
    return pl.DataFrame(
        {
            "symbol": np.repeat([symbol], size),
            "interval": np.repeat(["1m"], size),
            "open_time": pl.Series(times).cast(TIME),
            **{name: values.ravel() for name, values in columns.items()},
        }
    )


def _symbol(
    law: Law, name: str, deviation: F8, factor: F8, rng: np.random.Generator
) -> pl.DataFrame:
    own = _shocks(rng, deviation.size // DAY)
    variance = deviation**2
    shock = np.sqrt(law.common) * factor + np.sqrt(1.0 - law.common) * own
    moves = deviation * shock - variance / 2 + law.drift * DAILY_VOL / (DAY * np.sqrt(YEAR))
    if law.momentum:
        moves += _push(moves, variance, law.momentum)
    closes = np.log(100.0) + np.cumsum(moves)
    opens = np.concatenate(([np.log(100.0)], closes[:-1]))
    high, low = extremes(opens, closes, variance, *rng.random((2, moves.size)))
    busy = deviation / DAILY_VOL * np.sqrt(DAY)
    volume = _TURNOVER / 100.0 * busy * np.exp(0.6 * rng.standard_normal(moves.size))
    prices = dict(zip(("open", "high", "low", "close"), (opens, high, low, closes), strict=True))
    return candles(name, {key: np.exp(line) for key, line in prices.items()} | {"volume": volume})


def _shocks(rng: np.random.Generator, days: int) -> F8:
    """Return fat-tailed shocks of variance 1, one a minute."""
    return np.asarray(rng.standard_t(_FREEDOM, days * DAY) * np.sqrt((_FREEDOM - 2) / _FREEDOM))


def _deviations(rng: np.random.Generator, days: int) -> F8:
    """Return the standard deviation of each minute's move; days have `DAILY_VOL` in the mean."""
    keep = 1.0 - _WANDERS
    level = rng.normal(0.0, _SPREAD)
    levels = np.empty(days * 24)
    for hour, new in enumerate(rng.normal(0.0, _SPREAD * np.sqrt(1.0 - keep**2), levels.size)):
        levels[hour] = level = keep * level + new
    minute = np.arange(DAY) / DAY
    season = 1.0 + _SEASON * np.cos(2.0 * np.pi * (minute - _BUSIEST / 24))
    season /= np.sqrt(np.mean(season**2))
    wild = np.repeat(np.exp(levels - _SPREAD**2), 60)
    return np.asarray(DAILY_VOL / np.sqrt(DAY) * wild * np.tile(season, days))


def _push(moves: F8, variance: F8, strength: float) -> F8:
    """Return what momentum adds to each minute: spread over a block as its variance is."""
    blocks, variances = moves.reshape(-1, BLOCK).sum(axis=1), variance.reshape(-1, BLOCK)
    size = np.sqrt(variances.sum(axis=1))
    pushes = np.zeros(blocks.size)
    for block in range(LOOKBACK, blocks.size):
        before = slice(block - LOOKBACK, block)
        went = blocks[before].sum() + pushes[before].sum()
        pushes[block] = np.copysign(strength * size[block], went)
    return np.asarray((variances * (pushes / size**2)[:, None]).ravel())
