"""The laws of the sandbox's minutes: arrays of random numbers in, arrays of prices out.

Within a minute the log price is a Brownian motion whose variance is settled before the move:
GARCH(1,1) x intraday season x regime of the day x a lognormal shock x rare jumps. So returns have
fat tails and cluster, while a price without an edge is a martingale, on closes and inside bars.

Arrays have shape (days, 1440), one row a UTC day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

F8 = NDArray[np.float64]

MINUTES = 1_440

_GARCH_NEW, _GARCH_OLD = 0.10, 0.87
_GARCH_CAP = 16.0  # the most that one minute's squared shock adds
_MIX = 0.9  # spread of the lognormal shock to a minute's variance
_JUMPS = 0.7 / MINUTES  # chance that a minute jumps
_JUMP_VARIANCE = 120.0  # how much more variance it has then
_MAX_SHOCK, _MAX_SD = 5.0, 0.02  # their product bounds a minute's move at 10 %

# Mean |return| by UTC hour over the day's: quiet at night, busy when New York opens.
_HOURS = (
    *(1.1, 1.1, 0.95, 0.85, 0.8, 0.8, 0.8, 0.85, 0.9, 0.85, 0.8, 0.85),
    *(0.95, 1.35, 1.6, 1.45, 1.2, 1.15, 1.05, 1.0, 0.9, 0.9, 1.05, 0.95),
)


class Draws(NamedTuple):
    """What decides the closes of some days."""

    shock: F8
    mix: F8
    anchor: F8
    jump: F8


def draw(generators: list[np.random.Generator]) -> Draws:
    """Draw what decides the closes; each generator makes one day."""
    normals = stack(generators, lambda one: one.standard_normal((3, MINUTES)))
    jump = stack(generators, lambda one: one.random(MINUTES))
    shock = np.clip(normals[:, 0], -_MAX_SHOCK, _MAX_SHOCK)
    return Draws(shock, normals[:, 1], normals[:, 2], jump)


def stack(generators: list[np.random.Generator], one_day: Callable[..., F8]) -> F8:
    """Call `one_day` with each generator and stack the answers along a new first axis."""
    return np.stack([one_day(generator) for generator in generators])


def variances(draws: Draws, daily_vol: F8) -> F8:
    """Return the variance of each minute's log return; `daily_vol` has one value a day."""
    spread = np.exp(_MIX * draws.mix - _MIX**2 / 2)
    spread *= np.where(draws.jump < _JUMPS, _JUMP_VARIANCE, 1.0)
    spread *= _season() * _garch(np.minimum(spread * draws.shock**2, _GARCH_CAP))
    return np.minimum(spread * (daily_vol**2 / MINUTES)[:, None], _MAX_SD**2)


def _season() -> F8:
    hours: F8 = np.interp(np.arange(MINUTES) / 60, np.arange(25), [*_HOURS, _HOURS[0]]) ** 2
    return hours / np.mean(hours)


def _garch(squared_shock: F8) -> F8:
    """Return each minute's conditional variance, 1 on average; every day begins at 1."""
    squares = np.ascontiguousarray(squared_shock.T)
    level, levels = np.ones(squares.shape[1]), np.empty_like(squares)
    fixed = 1 - _GARCH_NEW - _GARCH_OLD
    for minute, square in enumerate(squares):
        levels[minute] = level
        level = fixed + (_GARCH_NEW * square + _GARCH_OLD) * level
    return np.ascontiguousarray(levels.T)


def pulled_back(shocks: F8, keep: float) -> F8:
    """Return y with y[t] = keep y[t - 1] + shocks[t] along each day, from 0 before its first."""
    rows = np.ascontiguousarray(shocks.T)
    gap, gaps = np.zeros(rows.shape[1]), np.empty_like(rows)
    for minute, shock in enumerate(rows):
        gap = keep * gap + shock
        gaps[minute] = gap
    return np.ascontiguousarray(gaps.T)


def extremes(opens: F8, closes: F8, variance: F8, up: F8, down: F8) -> tuple[F8, F8]:
    """Return the highest and lowest log price inside each minute.

    `up` and `down` are uniform in [0, 1). For a Brownian bridge from 0 to r of variance v,
    P(max > m) = exp(-2 m (m - r) / v); this is its inverse. High and low are drawn apart.
    """
    move = closes - opens
    high = opens + (move + np.sqrt(move**2 - 2 * variance * np.log1p(-up))) / 2
    low = opens + (move - np.sqrt(move**2 - 2 * variance * np.log1p(-down))) / 2
    return np.maximum(high, np.maximum(opens, closes)), np.minimum(low, np.minimum(opens, closes))


def stepped(values: F8, step: float) -> F8:
    """Round to multiples of `step`, at least one step; exact in eight decimals."""
    return np.round(np.maximum(np.round(values / step), 1.0) * step, 8)
