"""Opinions that run a winner again: dearer, luckier inside a bar, without the bars in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from core.errors import InvalidInput
from research.metrics import sharpe
from research.opinions.model import Opinion
from research.opinions.replay import market_of, replay, trades_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.costs import Costs
    from research.market import Market
    from research.opinions.model import B1, Leg, Winner

MOST_DOUBTFUL = 0.2  # share of the return that may rest on doubtful bars
_MOST_BPS = 9_999.0
_RUINED = -1.0 + 1e-9  # the least return that has a logarithm worth adding


def doubled_costs(winner: Winner, markets: Mapping[str, Market], costs: Costs) -> Opinion:
    """Hold back a winner that does not earn with fee and slippage doubled.

    It must earn both in money and beyond the market's drift: the lower of the two Sharpe ratios
    has to be above 0.
    """
    dearer = msgspec.structs.replace(
        costs,
        fee_bps=min(2.0 * costs.fee_bps, _MOST_BPS),
        slippage_bps=min(2.0 * costs.slippage_bps, _MOST_BPS),
    )
    ran = replay(winner.legs, markets, dearer)
    net, beyond = sharpe(ran.returns), sharpe(ran.detrended)
    return Opinion(
        "doubled_costs",
        min(net, beyond),
        0.0,
        min(net, beyond) > 0.0,
        f"With fees and slippage doubled its Sharpe ratio is {net:.2f}, and {beyond:.2f} beyond "
        "the market's drift; both have to be above 0.",
    )


def ambiguous_bars(winner: Winner, markets: Mapping[str, Market], costs: Costs) -> Opinion:
    """Report how much better it would be if bars that touch stop and target hit the target."""
    worst = replay(winner.legs, markets, costs)
    best = replay(winner.legs, markets, costs, ambiguous="best")
    gap = sharpe(best.detrended) - sharpe(worst.detrended)
    share = worst.ambiguous / worst.trades if worst.trades else 0.0
    return Opinion(
        "ambiguous_bars",
        gap,
        None,
        None,
        f"{worst.ambiguous:,} of its {worst.trades:,} trades ({share:.1%}) end in a bar that "
        "touches stop and target; we count the stop, and counting the target would add "
        f"{gap:.2f} to its Sharpe ratio.",
    )


def doubtful_bars(
    winner: Winner, markets: Mapping[str, Market], costs: Costs, doubtful: Mapping[str, B1]
) -> Opinion:
    """Hold back a winner of whose return over a fifth rests on bars that nobody observed.

    A trade rests on such a bar where it enters, exits or is held in it. Returns are added as
    logarithms, by stake.
    """
    resting = whole = 0.0
    for leg in winner.legs:
        mine, all_of_it = _resting(leg, markets, costs, doubtful)
        resting += leg.stake * mine
        whole += leg.stake * all_of_it
    # A loss has no parts; where these bars earned, it would have been larger without them.
    share = max(0.0, resting / whole) if whole > 0.0 else float(resting > 0.0)
    return Opinion(
        "doubtful_bars",
        share,
        MOST_DOUBTFUL,
        share <= MOST_DOUBTFUL,
        f"{share:.0%} of its return comes from trades that touch a bar which was filled in or "
        f"mended; more than {MOST_DOUBTFUL:.0%} holds it back.",
    )


def _resting(
    leg: Leg, markets: Mapping[str, Market], costs: Costs, doubtful: Mapping[str, B1]
) -> tuple[float, float]:
    """Return the log return of the trades that touch a doubtful bar, and of all."""
    bars = market_of(markets, leg.symbol).bars.time.size
    marked = doubtful.get(leg.symbol, np.zeros(bars, np.bool_))
    if marked.shape != (bars,):
        raise InvalidInput(f"expected {bars} marks for {leg.symbol}, was {marked.shape}")
    trades = trades_of(leg, markets, costs)
    before = np.concatenate(([0], np.cumsum(marked)))
    touched = before[trades["exit_bar"] + 1] > before[trades["entry_bar"]]
    logs = np.log1p(np.maximum(trades["return"], _RUINED))
    return float(logs[touched].sum()), float(logs.sum())
