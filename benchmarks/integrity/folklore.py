"""What others go by, asked of the same nights: gates that look at one search and nothing else.

None of them runs the search again. They look at the final population, at the best of it, or at
days that were kept from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from research.evolution.evaluator import of_candles
from research.evolution.scores import Batch, sharpes
from research.hunt import hunt
from research.metrics import YEAR
from research.statistics import deflated_sharpe, moments, psr
from research.statistics.pbo import overfitting
from research.strategy import Strategy

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from research.costs import Costs
    from research.evolution.evaluator import MarketEvaluator
    from research.evolution.state import Evolution, Trial
    from research.hunt import Procedure

    F8 = NDArray[np.float64]

BEST = 2.0  # annual Sharpe ratio that people write home about
TESTED = 1.0  # the same on days kept from the search
TOP = 20  # rules that are looked at there
HELD_OUT = 3  # one part in so many
SURE = 0.95

GATES = {
    "best": f"best annual Sharpe ratio > {BEST:g}",
    "split_top": f"split 2/3-1/3: any of the best {TOP} has Sharpe > {TESTED:g} on the last third",
    "split_winner": "split 2/3-1/3: the winner has p < 0.05 on the last third",
    "pbo": "PBO < 0.5, final population",
    "dsr": "deflated Sharpe ratio > 0.95, final population, V = 1/T",
    "dsr_published": "deflated Sharpe ratio > 0.95, final population, V of the sample",
    "dsr_all": "deflated Sharpe ratio > 0.95, all ever scored, V = 1/T",
}


class Search(NamedTuple):
    """A night's search as the gates see it."""

    candles: pl.DataFrame
    costs: Costs
    procedure: Procedure
    seed: int
    found: Evolution


def passed(search: Search) -> dict[str, bool]:
    """Return which gates would let the night's best through."""
    members = _traded(search.found, search.procedure)
    if len(members) < 2:
        return dict.fromkeys(GATES, False)
    returns = np.stack([_net(one) for one in members])
    ratios = sharpes(returns)
    best = moments(returns[int(np.argmax(ratios))])
    variance = float(np.var(ratios, ddof=1)) / YEAR
    return _split(search) | {
        "best": bool(ratios.max() > BEST),
        "pbo": overfitting(returns.T).pbo < 0.5,
        "dsr": deflated_sharpe(best, len(members)) > SURE,
        "dsr_published": deflated_sharpe(best, len(members), variance) > SURE,
        "dsr_all": deflated_sharpe(best, search.found.evaluations) > SURE,
    }


def _split(search: Search) -> dict[str, bool]:
    """Search the first two thirds, and look at its best on the last third."""
    whole = of_candles(search.candles, search.costs)
    days = search.candles["open_time"].dt.date().n_unique()
    sample = of_candles(search.candles, search.costs, held_out=days // HELD_OUT)
    found = hunt(sample, sample.symbols, search.procedure, seed=search.seed).evolution
    members = _traded(found, search.procedure)
    ranked = sorted(members, key=lambda one: -float(sharpes(_net(one)[np.newaxis])[0]))[:TOP]
    if not ranked:
        return {"split_top": False, "split_winner": False}
    tested = np.stack([_later(one, whole, days // HELD_OUT) for one in ranked])
    return {
        "split_top": bool(sharpes(tested).max() > TESTED),
        "split_winner": psr(moments(tested[0])) > SURE,
    }


def _traded(found: Evolution, procedure: Procedure) -> list[Trial]:
    return [one for one in found.members if np.mean(one.trades) >= procedure.min_trades]


def _net(one: Trial) -> F8:
    """Return the net daily returns of an equal stake in each symbol."""
    return np.asarray(one.daily_returns.mean(axis=0))


def _later(one: Trial, whole: MarketEvaluator, days: int) -> F8:
    """Return the same on the last days of the whole history."""
    strategy = Strategy.parse(one.text)
    scores = whole([Batch(symbol, [strategy]) for symbol in one.symbols])
    return np.asarray(np.mean([each.returns[0, -days:] for each in scores], axis=0))
