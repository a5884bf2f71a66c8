"""The sandbox's prices: pure functions of (seed, symbol, minute), in numpy.

Each UTC day draws its random numbers from a generator of its own, seeded with (seed, symbol,
day), so that any day can be made without its neighbours. What ties days together are small
numbers per day: the regime of volatility, the sign of a trend, the level at midnight. That level
is the sum of all days since `ORIGIN`; a market adds it up once and remembers it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from sources.sandbox.paths import (
    F8,
    MINUTES,
    Draws,
    draw,
    extremes,
    pulled_back,
    stack,
    stepped,
    variances,
)
from sources.sandbox.symbols import Instrument, Reversion, Trend

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
"""The day on which everything was listed."""

_CHUNK = 64  # days made at a time while adding up totals: bounds memory
_REGIMES, _TURNS = -1, -2  # what spans days draws from generators of its own
_BLOCKS = 3  # a trend may turn every eight hours
_REGIME_KEEP, _REGIME_SPREAD = 0.90, 0.28  # AR(1) of the log of a day's volatility
_WILD, _WILD_FACTOR = 1.6, 1.7  # a day whose draw exceeds the first is wilder by the second


class DayBars(NamedTuple):
    """One-minute bars of whole days, each array of shape (days, 1440)."""

    open: F8
    high: F8
    low: F8
    close: F8
    volume: F8
    quote_volume: F8
    trades: F8
    taker_volume: F8
    taker_quote: F8


class _Days(NamedTuple):
    """The closes of some days, before anything outside those days is known.

    `moves` are log returns as if each day began on its anchor; `gap` is how far the price is off
    the anchor at the end of each day.
    """

    draws: Draws
    variance: F8
    moves: F8
    gap: F8


@dataclass
class Market:
    """One instrument's whole history from one seed."""

    instrument: Instrument
    seed: int
    _levels: list[float] = field(init=False, repr=False)  # log price at each midnight
    _gaps: list[float] = field(init=False, repr=False)  # its distance from the anchor

    def __post_init__(self) -> None:
        self._levels = [float(np.log(self.instrument.price))]
        self._gaps = [0.0]

    def bars(self, first: int, last: int) -> DayBars:
        """Return the bars of days [first, last), counted from `ORIGIN`."""
        self._add_up(last)
        generators = [self._generator(day) for day in range(first, last)]
        days = self._days(generators, first, last)
        moves = days.moves + self._closing(np.array(self._gaps[first:last]))
        start = np.array(self._levels[first:last])[:, None]
        closes = start + np.cumsum(moves, axis=1)
        opens = np.hstack([start, closes[:, :-1]])
        up, down = stack(generators, lambda one: one.random((2, MINUTES))).swapaxes(0, 1)
        high, low = extremes(opens, closes, days.variance, up, down)
        tick = self.instrument.tick
        o, h, lo, c = (stepped(np.exp(line), tick) for line in (opens, high, low, closes))
        trading = self._trading((o + h + lo + c) / 4, days, generators)
        return DayBars(o, h, lo, c, *trading)

    def _add_up(self, day: int) -> None:
        """Find the level, and the distance from the anchor, at every midnight up to `day`."""
        keep = self._keep() ** MINUTES
        while len(self._levels) <= day:
            first = len(self._levels) - 1
            last = min(first + _CHUNK, day)
            days = self._days([self._generator(one) for one in range(first, last)], first, last)
            for total, gap in zip(days.moves.sum(axis=1), days.gap, strict=True):
                before = self._gaps[-1]
                self._levels.append(float(self._levels[-1] + total + (keep - 1) * before))
                self._gaps.append(float(gap + keep * before))

    def _generator(self, day: int) -> np.random.Generator:
        """Return the generator of a day, or of what spans days: `_REGIMES`, `_TURNS`."""
        return np.random.default_rng([self.seed, *self.instrument.base.encode(), day + 2])

    def _days(self, generators: list[np.random.Generator], first: int, last: int) -> _Days:
        volatility = self._regimes(last)[first:]
        draws = draw(generators)
        variance = variances(draws, volatility)
        moves = np.sqrt(variance) * draws.shock - variance / 2
        match self.instrument.edge:
            case Trend() as edge:
                signs = self._signs(last, edge)[first:]
                drift = signs * (edge.strength * volatility / MINUTES)[:, None]
                moves += np.repeat(drift, MINUTES // _BLOCKS, axis=1)
            case Reversion(anchor_vol=anchor_vol):
                gaps = pulled_back(moves, self._keep())
                wandering = anchor_vol / np.sqrt(MINUTES) * draws.anchor
                moves = np.diff(gaps, axis=1, prepend=0.0) + wandering
                return _Days(draws, variance + anchor_vol**2 / MINUTES, moves, gaps[:, -1])
        return _Days(draws, variance, moves, np.zeros(last - first))

    def _regimes(self, last: int) -> F8:
        """Return the volatility of each day before `last`."""
        rows = self._generator(_REGIMES).standard_normal((last, 2))
        innovations = _REGIME_SPREAD * np.sqrt(1 - _REGIME_KEEP**2) * rows[:, 0]
        levels = pulled_back(innovations[None, :], _REGIME_KEEP)[0]
        wild = np.where(rows[:, 1] > _WILD, _WILD_FACTOR, 1.0)
        volatility: F8 = self.instrument.daily_vol * np.exp(levels - _REGIME_SPREAD**2) * wild
        return volatility

    def _signs(self, last: int, edge: Trend) -> F8:
        """Return the sign of the drift in each block of each day before `last`."""
        generator = self._generator(_TURNS)
        first = generator.choice([-1.0, 1.0])
        blocks = last * _BLOCKS
        runs = generator.integers(edge.shortest, edge.longest + 1, size=blocks)
        turns = np.repeat(np.arange(blocks), runs)[:blocks]
        signs: F8 = first * (-1.0) ** turns.reshape(-1, _BLOCKS)
        return signs

    def _keep(self) -> float:
        """Return the share of a distance from the anchor that is left after a minute."""
        edge = self.instrument.edge
        return float(0.5 ** (1 / edge.half_life)) if isinstance(edge, Reversion) else 0.0

    def _closing(self, gaps: F8) -> F8:
        """Return the log returns by which distances at midnight close over their days."""
        if not isinstance(self.instrument.edge, Reversion):
            return np.zeros((gaps.size, 1))
        return gaps[:, None] * np.diff(self._keep() ** np.arange(MINUTES + 1))

    def _trading(
        self, typical: F8, days: _Days, generators: list[np.random.Generator]
    ) -> tuple[F8, F8, F8, F8, F8]:
        """Return volume, its value, trades, and what takers bought of both.

        Volume grows with volatility, and takers buy more in a minute that rises; neither says
        anything of a minute to come.
        """
        normals = stack(generators, lambda one: one.standard_normal((3, MINUTES)))
        size, side, count = normals.swapaxes(0, 1)
        lot = self.instrument.lot
        busy = np.sqrt(days.variance * MINUTES) / self.instrument.daily_vol
        wanted = self.instrument.turnover / typical * busy**0.8 * np.exp(0.6 * size - 0.18)
        volume = stepped(wanted, lot)
        share = np.clip(0.5 + 0.15 * np.tanh(days.draws.shock) + 0.15 * side, 0.02, 0.98)
        taker = np.minimum(stepped(volume * share, lot), volume)
        trades = 1 + np.floor(volume * typical / 250 * np.exp(0.3 * count))
        return volume, volume * typical, trades, taker, taker * typical
