"""Opinions on where a winner's return came from: which months, which symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from research.metrics import sharpe
from research.opinions.model import Opinion
from research.opinions.replay import market_of, replay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.costs import Costs
    from research.market import Market
    from research.opinions.model import Winner


def months(winner: Winner, markets: Mapping[str, Market]) -> Opinion:
    """Report in which share of calendar months (UTC) it earned, and the worst of them.

    The first and the last month count as far as the window covers them.
    """
    market = market_of(markets, winner.legs[0].symbol)
    last = market.first_day + market.ends.size  # every market of a night ends on one day
    day = np.arange(last - winner.days, last).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    names, which = np.unique(month, return_inverse=True)
    growth = np.bincount(which, np.log1p(np.maximum(winner.returns, -1.0 + 1e-9)))
    earned = np.expm1(growth)
    worst = int(earned.argmin())
    share = float(np.mean(earned > 0))
    return Opinion(
        "months",
        share,
        None,
        None,
        f"It earned in {int((earned > 0).sum())} of {names.size} calendar months; the worst, "
        f"{names[worst]}, brought {earned[worst]:+.1%}.",
    )


def symbols(winner: Winner, markets: Mapping[str, Market], costs: Costs) -> Opinion | None:
    """Report on which share of its symbols it earns beyond the drift; None of a single one."""
    names = sorted({leg.symbol for leg in winner.legs})
    if len(names) == 1:
        return None
    ratios = [
        sharpe(replay([leg for leg in winner.legs if leg.symbol == name], markets, costs).detrended)
        for name in names
    ]
    worst = int(np.argmin(ratios))
    earning = sum(ratio > 0 for ratio in ratios)
    return Opinion(
        "symbols",
        earning / len(names),
        None,
        None,
        f"It earns beyond the market's drift on {earning} of {len(names)} symbols; the worst, "
        f"{names[worst]}, has a Sharpe ratio of {ratios[worst]:.2f}.",
    )
