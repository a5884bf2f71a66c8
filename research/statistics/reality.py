"""Is the best of many strategies better than nothing, and which of them are.

Three tests on one bootstrap of the daily returns of everything that was tried: White's reality
check, Hansen's test of superior predictive ability, and the step-down of Romano and Wolf, which
names the strategies. The last two divide each strategy by its own long-run deviation first;
without that one wild strategy drowns the others. Feed them all that was tried: of the last
generation of a search alone they pass noise several times too often.

Sources:
    White (2000), A Reality Check for Data Snooping, https://doi.org/10.1111/1468-0262.00152.
    Hansen (2005), A Test for Superior Predictive Ability,
    https://doi.org/10.1198/073500105000000063.
    Romano and Wolf (2005), Stepwise Multiple Testing as Formalized Data Snooping,
    https://doi.org/10.1111/j.1468-0262.2005.00615.x.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F8 = NDArray[np.float64]
    I8 = NDArray[np.int64]


class Resampled(NamedTuple):
    """Strategies and their bootstrap, in units of a standard error where studentised.

    `statistics` holds √T·mean of each strategy, `draws` the same of every sample (draws by
    strategies), `threshold` how far below 0 a strategy counts as useless for sure.
    """

    statistics: F8
    draws: F8
    threshold: F8


class Stepped(NamedTuple):
    """Which strategies earn more than 0, and the statistic that it took in the last step."""

    superior: tuple[int, ...]
    bar: float


class Superior(NamedTuple):
    """The largest statistic, and the p-values for the three ways to recentre the useless."""

    statistic: float
    lower: float
    consistent: float
    upper: float


def resampled(returns: F8, indices: I8, block: float, *, studentised: bool = True) -> Resampled:
    """Prepare the tests: the statistic of every strategy, and of every sample of it.

    Args:
        returns: Periods by strategies, over a benchmark or over 0.
        indices: Draws by periods, as of `research.statistics.bootstrap.stationary_indices`.
        block: The mean length of their blocks, from which the long-run deviation follows.
        studentised: Whether to divide by that deviation. Strategies that never varied stay at 0.
    """
    periods = _checked(returns, indices)
    deviation = long_run_deviation(returns, block)
    varies = deviation > 0
    threshold = math.sqrt(2.0 * math.log(math.log(periods)))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    if not studentised:
        scale = varies.astype(np.float64)
    statistics = math.sqrt(periods) * returns.mean(axis=0) * scale
    draws = _counts(indices) @ returns
    draws *= scale / math.sqrt(periods)
    return Resampled(statistics, draws, threshold * deviation * scale)


def long_run_deviation(returns: F8, block: float) -> F8:
    """Return each strategy's deviation of √T·mean under the stationary bootstrap.

    The weights of the autocovariances are those that the bootstrap itself implies (Hansen's
    kernel); they are summed over frequencies.
    """
    periods = len(returns)
    lag = np.arange(periods)
    keep = 1.0 - 1.0 / block
    kernel = (1.0 - lag / periods) * keep**lag + lag / periods * keep ** (periods - lag)
    kernel[0] = 1.0
    size = 2 * periods
    weights = 2.0 * np.fft.rfft(kernel, size).real - 1.0
    weights[1:-1] *= 2.0  # these stand for two frequencies each
    spectrum = np.fft.rfft(returns - returns.mean(axis=0), size, axis=0)
    power = spectrum.real**2 + spectrum.imag**2
    variance = weights @ power / (size * periods)
    flat = np.ptp(returns, axis=0) == 0.0
    return np.where(flat, 0.0, np.sqrt(np.maximum(variance, 0.0)))


def reality_check(returns: F8, indices: I8) -> float:
    """Return White's p-value that no strategy earns more than 0; nothing is studentised."""
    of = resampled(returns, indices, 1.0, studentised=False)
    return float(np.mean((of.draws - of.statistics).max(axis=1) > of.statistics.max()))


def superior_ability(of: Resampled) -> Superior:
    """Return Hansen's p-values that no strategy earns more than 0.

    `consistent` is the one to read. `upper` counts all strategies as if they were worth just 0,
    `lower` none that lost.
    """
    best = max(0.0, float(of.statistics.max()))
    useful = np.where(of.statistics >= -of.threshold, of.statistics, 0.0)
    centres = (np.maximum(of.statistics, 0.0), useful, of.statistics)
    largest = (np.maximum((of.draws - centre).max(axis=1), 0.0) for centre in centres)
    return Superior(best, *(float(np.mean(values > best)) for values in largest))


def step_down(of: Resampled, level: float = 0.05) -> Stepped:
    """Return the strategies that earn more than 0, with at most `level` chance of any mistake.

    Romano and Wolf's StepM: whoever beats the quantile of the largest recentred statistic is in;
    the quantile is then taken again over the others, until nobody more is in.
    """
    if not 0.0 < level < 1.0:
        raise InvalidInput(f"expected a level between 0 and 1, was {level!r}")
    centred = of.draws - of.statistics
    left = np.ones(of.statistics.size, np.bool_)
    bar = math.inf
    while left.any():
        bar = float(np.quantile(centred[:, left].max(axis=1), 1.0 - level))
        found = left & (of.statistics > bar)
        if not found.any():
            break
        left &= ~found
    return Stepped(tuple(int(i) for i in np.flatnonzero(~left)), bar)


def _counts(indices: I8) -> F8:
    """Return how often each draw has each period, so that sums of draws are one product."""
    draws, periods = indices.shape
    flat = indices + np.arange(draws)[:, None] * periods
    counts = np.bincount(flat.ravel(), minlength=draws * periods)
    return counts.reshape(draws, periods).astype(np.float64)


def _checked(returns: F8, indices: I8) -> int:
    if returns.ndim != 2 or not returns.size:
        raise InvalidInput(f"expected returns, periods by strategies, was {returns.shape}")
    periods = len(returns)
    if periods < 3 or indices.ndim != 2 or indices.shape[1] != periods:
        raise InvalidInput(f"expected draws of {periods} periods, was {indices.shape}")
    return periods
