"""The stationary bootstrap: which periods to draw, and how long its blocks should be.

Blocks of random length keep what returns remember of the days before. Use it to say how sure a
strategy is that was already chosen, never to make worlds for a search: the blocks keep the edge.

Sources:
    Politis and Romano (1994), The Stationary Bootstrap,
    https://doi.org/10.1080/01621459.1994.10476870.
    Politis and White (2004), Automatic Block-Length Selection for the Dependent Bootstrap,
    https://doi.org/10.1081/ETC-120028836, corrected by Patton, Politis and White (2009),
    https://doi.org/10.1080/07474930802459016.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F8 = NDArray[np.float64]
    I8 = NDArray[np.int64]

Lags = Literal["paper", "arch"]


class BlockLength(NamedTuple):
    """The best mean length of blocks, in periods, of the two bootstraps."""

    stationary: float
    circular: float


def stationary_indices(periods: int, block: float, draws: int, seed: int) -> I8:
    """Return the periods of every draw, draws by periods.

    One generator gives for each draw first a starting period for every place, then a uniform
    number: the order in which the package arch draws, so that both see the same samples.
    """
    if draws < 1:
        raise InvalidInput(f"expected at least 1 draw, was {draws}")
    rng = np.random.default_rng(seed)
    found = np.empty((draws, periods), np.int64)
    for draw in range(draws):
        starts = rng.integers(periods, size=periods)
        found[draw] = from_starts(starts, rng.random(periods), block)
    return found


def from_uniforms(starts: F8, jumps: F8, block: float) -> I8:
    """Return the periods of one draw from uniform numbers in [0, 1).

    A place starts a new block where its `jumps` is below 1/`block` (the first always does), at the
    period that `starts` gives; otherwise it follows the period before, the first after the last.
    """
    return from_starts(np.floor(starts * starts.size).astype(np.int64), jumps, block)


def from_starts(starts: I8, jumps: F8, block: float) -> I8:
    """Return the periods of one draw, with starting periods already drawn for every place."""
    if block < 1:
        raise InvalidInput(f"expected blocks of at least 1 period, was {block!r}")
    if not starts.size or starts.size != jumps.size:
        raise InvalidInput(f"expected as many jumps as {starts.size} starts, was {jumps.size}")
    places = np.arange(starts.size)
    begins = jumps < 1.0 / block
    begins[0] = True
    since = np.maximum.accumulate(np.where(begins, places, 0))
    return np.asarray((starts[since] + places - since) % starts.size, np.int64)


def optimal_block_length(returns: F8, lags: Lags = "paper") -> BlockLength:
    """Return the block lengths with the least mean squared error, at least 1 period each.

    Args:
        returns: One series of at least 10 values.
        lags: How the last lag that matters is found. `paper`: the lag before the first five
            (or log10 T) insignificant ones, as Politis and White say. `arch`: the first of those
            five, as the package does, which comes out a few percent longer or shorter.
    """
    if returns.ndim != 1 or returns.size < 10:
        raise InvalidInput(f"expected a series of at least 10 values, was {returns.shape}")
    if lags not in get_args(Lags):
        raise InvalidInput(f"expected lags as paper or arch, was {lags!r}")
    periods = returns.size
    centred = returns - returns.mean()
    if not centred.any():
        return BlockLength(1.0, 1.0)
    run = max(5, int(math.log10(periods)))
    most = math.ceil(math.sqrt(periods)) + run
    covariances = _autocovariances(centred, min(most, periods - 1))
    significant = np.abs(covariances / covariances[0]) >= 2.0 * math.sqrt(
        math.log10(periods) / periods
    )
    last = _last_lag(significant, run)
    width = most
    if last is not None:
        width = min(most, 2 * max(last if lags == "paper" else last + 1, 1))
    return _lengths(covariances, min(width, covariances.size - 1), periods)


def _autocovariances(centred: F8, most: int) -> F8:
    periods = centred.size
    return np.array([centred[lag:] @ centred[: periods - lag] / periods for lag in range(most + 1)])


def _last_lag(significant: NDArray[np.bool_], run: int) -> int | None:
    """Return the lag after which `run` lags in a row are insignificant; None where none is."""
    for lag in range(significant.size - run):
        if not significant[lag + 1 : lag + 1 + run].any():
            return lag
    return None


def _lengths(covariances: F8, width: int, periods: int) -> BlockLength:
    """Weigh the covariances by a flat-top window of `width` lags."""
    lag = np.arange(1, width + 1)
    weights = np.minimum(1.0, 2.0 * (1.0 - lag / width)) * covariances[1 : width + 1]
    slope = 2.0 * float((lag * weights).sum())
    level = float(covariances[0] + 2.0 * weights.sum())
    most = math.ceil(min(3.0 * math.sqrt(periods), periods / 3.0))
    if level == 0.0:
        return BlockLength(float(most), float(most))
    squared = 2.0 * (slope / level) ** 2 * periods
    found = ((squared / factor) ** (1.0 / 3.0) for factor in (2.0, 4.0 / 3.0))
    return BlockLength(*(min(max(length, 1.0), float(most)) for length in found))
