"""Opinions on a winner from all that was tried beside it, and from the length of its record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from research.metrics import YEAR
from research.opinions.model import Opinion
from research.statistics.bootstrap import optimal_block_length, stationary_indices
from research.statistics.deflated import deflated_sharpe, deflated_sharpe_point
from research.statistics.effective import effective_of_returns
from research.statistics.haircut import haircut
from research.statistics.pbo import overfitting
from research.statistics.reality import (
    long_run_deviation,
    resampled,
    step_down,
    superior_ability,
)
from research.statistics.sharpe import Moments, min_track_record_length, moments

if TYPE_CHECKING:
    from research.opinions.model import Ledger, Winner

LEVEL = 0.05
LONG_ENOUGH = 365  # days from which the bootstrap tests keep about the level they say
BLOCKS = 12  # of days, for the probability of overfitting: 924 halves
_DRAWS, _LEAST_DRAWS = 1000, 200  # of the bootstrap; fewer where very many were tried
_CELLS = 5_000_000
_CORRELATION = 0.2  # between tests, for the haircut: the one that its authors take


def counted(winner: Winner) -> Moments:
    """Return the moments of a winner's detrended days, the ratio by the root of its rules."""
    found = moments(winner.detrended)
    return found._replace(sharpe=found.sharpe / math.sqrt(winner.rules))


def deflated(winner: Winner, ledger: Ledger) -> Opinion:
    """Hold back a winner that the best of so many useless strategies would beat in over 5 %.

    The variant of 2014 with V = 1/T; the bar is the exact point of independent strategies.
    """
    value = deflated_sharpe(counted(winner), ledger.distinct)
    bar = deflated_sharpe_point(ledger.distinct, LEVEL)
    return Opinion(
        "deflated_sharpe_2014",
        value,
        bar,
        value >= bar,
        f"Its deflated Sharpe ratio (2014, V = 1/T) over the {ledger.distinct:,} strategies tried "
        f"is {value:.3f}; the best of as many without an edge reaches {bar:.3f} in one night of "
        "twenty.",
    )


class Tests(NamedTuple):
    """The two opinions that share one bootstrap."""

    superior: Opinion
    stepped: Opinion


def bootstrapped(winner: Winner, ledger: Ledger, seed: int) -> Tests:
    """Test the ledger against nothing at all; hold back only on windows of a year or more.

    Hansen's test asks whether anything that was tried earns; Romano and Wolf's step down asks
    whether this one does, beside all the others. Both studentised; a portfolio's statistic is
    divided by the root of its rules.
    """
    days = len(ledger.returns)
    block = max(2.0, optimal_block_length(winner.detrended).stationary) if days >= 10 else 2.0
    draws = int(np.clip(_CELLS // ledger.distinct, _LEAST_DRAWS, _DRAWS))
    of = resampled(ledger.returns, stationary_indices(days, block, draws, seed), block)
    binding = days >= LONG_ENOUGH
    caveat = "" if binding else f" Reported only: with less than {LONG_ENOUGH} days it errs often."
    p = superior_ability(of).consistent
    bar = step_down(of, LEVEL).bar
    deviation = float(long_run_deviation(winner.detrended[:, np.newaxis], block)[0])
    ahead = math.sqrt(winner.days / winner.rules) * float(winner.detrended.mean())
    t = ahead / deviation if deviation > 0 else 0.0
    return Tests(
        Opinion(
            "superior_ability",
            p,
            LEVEL,
            p <= LEVEL if binding else None,
            f"If nothing that was tried tonight earned more than the market, a best as good as "
            f"this would come with probability {p:.3f} (Hansen's test)." + caveat,
        ),
        Opinion(
            "step_down",
            t,
            bar,
            t > bar if binding else None,
            f"Tested together with all {ledger.distinct:,} others its t is {t:.2f}; {bar:.2f} is "
            f"needed to be named with one mistake in twenty (Romano and Wolf)." + caveat,
        ),
    )


def overfitted(ledger: Ledger) -> Opinion:
    """Report how often the best of one half of the days is in the worse half on the others."""
    days = len(ledger.returns)
    blocks = min(BLOCKS, days // 4 * 2)  # at least two days each
    if ledger.distinct < 2 or blocks < 4:
        return Opinion("overfitting", None, None, None, "Too little was tried to cross-validate.")
    found = overfitting(ledger.returns, blocks)
    return Opinion(
        "overfitting",
        found.pbo,
        None,
        None,
        f"In {found.pbo:.0%} of {found.logits.size:,} ways to halve the days, the best of one half "
        f"is below the middle on the other (it loses there in {found.loss:.0%}). This describes "
        "the search, and is no test of this winner.",
    )


def track_record(winner: Winner) -> Opinion:
    """Report how many days it takes to be 95 % sure of a ratio above 0, had nobody searched."""
    of = counted(winner)
    needed = min_track_record_length(of)
    if math.isinf(needed):
        sentence = "No record is long enough to show that it earns: so far it does not."
        return Opinion("track_record", None, None, None, sentence)
    return Opinion(
        "track_record",
        needed,
        float(winner.days),
        None,
        f"At this Sharpe ratio {math.ceil(needed):,} days are needed to be 95 % sure that it is "
        f"above 0, had it been the only try; there are {winner.days:,}.",
    )


def shortened(winner: Winner, ledger: Ledger, seed: int) -> Opinion:
    """Report what Harvey and Liu's haircut leaves of its Sharpe ratio."""
    annual = counted(winner).sharpe * math.sqrt(YEAR)
    if annual <= 0 or winner.days < 3:
        sentence = "There is no positive Sharpe ratio to cut."
        return Opinion("haircut", None, None, None, sentence)
    found = haircut(
        annual,
        winner.days,
        ledger.distinct,
        per_year=YEAR,
        autocorrelation=_autocorrelation(winner),
        correlation=_CORRELATION,
        draws=int(np.clip(1_000_000 // ledger.distinct, 50, 2000)),
        seed=seed,
    )
    return Opinion(
        "haircut",
        found.holm.sharpe,
        None,
        None,
        f"Of a Sharpe ratio of {found.adjusted:.2f}, found among {ledger.distinct:,}, a haircut "
        f"for the tests leaves {found.bonferroni.sharpe:.2f} (Bonferroni), "
        f"{found.holm.sharpe:.2f} (Holm) or {found.bhy.sharpe:.2f} (false discovery rate).",
    )


def effective(ledger: Ledger) -> Opinion:
    """Report how many independent strategies those that were tried amount to."""
    if ledger.effective is not None:
        value, source = ledger.effective, "by what luck reaches in the worlds without an edge"
    else:
        value = effective_of_returns(ledger.returns).galwey
        source = f"by their correlations, which on {len(ledger.returns):,} days show no more"
    return Opinion(
        "effective_trials",
        value,
        None,
        None,
        f"{ledger.trials:,} tries of {ledger.distinct:,} different strategies count as about "
        f"{value:,.0f} independent ones, {source}.",
    )


def _autocorrelation(winner: Winner) -> float:
    """Return that of one day with the next; where it would flatter the ratio, 0."""
    days = winner.detrended - winner.detrended.mean()
    square = float(days @ days)
    return min(max(float(days[1:] @ days[:-1]) / square, 0.0), 0.9) if square else 0.0
