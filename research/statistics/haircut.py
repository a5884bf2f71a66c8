"""How much of a Sharpe ratio is left after counting the tests that found it.

The ratio becomes a t statistic and a p-value, the p-value is corrected for the number of tests,
and turned back into a ratio. Bonferroni needs only the number. Holm and the false discovery rate
need the p-values of the other tests, which nobody publishes: they are simulated from the mixture
that Harvey, Liu and Zhu fitted to published factors (shares, not crypto; a rough guide).

Sources:
    Harvey and Liu (2015), Backtesting, https://doi.org/10.3905/jpm.2015.42.1.013.
    Harvey, Liu and Zhu (2016), ... and the Cross-Section of Expected Returns,
    https://doi.org/10.1093/rfs/hhv059: the mixture.
    Lo (2002), The Statistics of Sharpe Ratios, https://doi.org/10.2469/faj.v58.n4.2453:
    annualising autocorrelated returns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import InvalidInput
from research.statistics.distributions import normal_tail, student_quantile, student_two_sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F8 = NDArray[np.float64]

# Of the mixture, for each correlation between tests: how many factors there are for those that
# were published, the share without any effect, the mean monthly effect of the others.
_MIXTURE = {
    0.0: (1295, 0.39660, 0.0054995),
    0.2: (1377, 0.44589, 0.0055508),
    0.4: (1476, 0.48604, 0.0055413),
    0.6: (1773, 0.59902, 0.0055512),
    0.8: (3109, 0.83901, 0.0055956),
}
_DEVIATION = 0.15 / math.sqrt(12.0)  # of a factor's monthly returns
_MONTHS = 240  # of a factor's history
_CELLS = 1_000_000


class Corrected(NamedTuple):
    """A p-value after correction, and the annual Sharpe ratio that it leaves."""

    p: float
    sharpe: float
    haircut: float  # the share of the adjusted ratio that is gone


class Haircut(NamedTuple):
    """The ratio after each correction; `adjusted` is annual, for autocorrelation only."""

    adjusted: float
    t: float
    p: float
    bonferroni: Corrected
    holm: Corrected
    bhy: Corrected


def haircut(
    sharpe: float,
    periods: int,
    tests: int,
    *,
    per_year: float = 12.0,
    autocorrelation: float = 0.0,
    correlation: float = 0.0,
    draws: int = 2000,
    seed: int = 0,
) -> Haircut:
    """Correct an annualised Sharpe ratio for the tests that were made.

    Args:
        sharpe: Annualised by the root of `per_year`, over 0.
        periods: Returns it was measured on.
        tests: How many strategies were tried, beside this one.
        per_year: Periods in a year.
        autocorrelation: Of the returns from one period to the next.
        correlation: Between the tests, up to 0.8; the parameters between the fitted ones are
            interpolated.
        draws: Simulated sets of tests; `holm` and `bhy` are medians over them.
        seed: Of the simulation.
    """
    if sharpe <= 0 or periods < 3 or tests < 1:
        raise InvalidInput(
            f"expected a ratio over 0, 3 periods and a test, was {sharpe!r}, {periods}, {tests}"
        )
    adjusted = sharpe * annualisation(autocorrelation, per_year)
    t = adjusted * math.sqrt(periods / per_year)
    p = student_two_sided(t, periods - 1)
    others = simulated(tests, correlation, draws, seed)

    def corrected(value: float) -> Corrected:
        # Of a p-value too small for a float nothing can be cut.
        left = student_quantile(value, periods - 1) if value else t
        ratio = left * math.sqrt(per_year / periods)
        return Corrected(value, ratio, 1.0 - ratio / adjusted)

    holm, bhy = (float(np.median(values)) for values in _stepped(p, others))
    return Haircut(adjusted, t, p, *map(corrected, (min(tests * p, 1.0), holm, bhy)))


def annualisation(autocorrelation: float, per_year: float) -> float:
    """Return what a ratio annualised by the root of time keeps where returns are correlated."""
    if not -1.0 < autocorrelation < 1.0:
        raise InvalidInput(f"expected an autocorrelation within 1, was {autocorrelation!r}")
    rho, q = autocorrelation, per_year
    spread = 1.0 + 2.0 * rho / (1.0 - rho) * (1.0 - (1.0 - rho**q) / (q * (1.0 - rho)))
    return 1.0 / math.sqrt(spread)


def simulated(tests: int, correlation: float, draws: int, seed: int) -> F8:
    """Return p-values of simulated factors, draws by tests, two-sided."""
    if not 0.0 <= correlation <= 0.8:
        raise InvalidInput(f"expected a correlation from 0 to 0.8, was {correlation!r}")
    known = sorted(_MIXTURE)
    none, effect = (
        float(np.interp(correlation, known, [_MIXTURE[rho][which] for rho in known]))
        for which in (1, 2)
    )
    rng = np.random.default_rng(seed)
    common = math.sqrt(correlation) * rng.standard_normal((draws, 1))
    shocks = common + math.sqrt(1.0 - correlation) * rng.standard_normal((draws, tests))
    real = rng.random((draws, tests)) > none
    effects = real * rng.exponential(effect, (draws, tests))
    return 2.0 * normal_tail(np.abs(shocks + effects * math.sqrt(_MONTHS) / _DEVIATION))


def _stepped(p: float, others: F8) -> tuple[F8, F8]:
    """Return `p` after Holm and after Benjamini, Hochberg and Yekutieli, one per draw."""
    draws, count = others.shape[0], others.shape[1] + 1
    ordered = np.sort(np.column_stack((others, np.full(draws, p))), axis=1)
    rank = np.arange(1, count + 1)
    upto = ordered <= p
    holm = np.where(upto, ordered * (count + 1 - rank), 0.0).max(axis=1)
    penalty = (1.0 / rank).sum()
    rates = ordered * (count * penalty) / rank
    rates[:, -1] = ordered[:, -1]  # Harvey and Liu's step-up starts at the largest, as it is
    bhy = np.where(ordered >= p, rates, 1.0).min(axis=1)
    return np.minimum(holm, 1.0), np.minimum(bhy, 1.0)
