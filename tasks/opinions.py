"""What others say of the candidates that beat luck, from tonight's trials and markets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.datasets import CANDLES
from research.costs import Costs
from research.market import markets_of
from research.opinions import Ledger, Opinion, Winner, legs_of, second_opinions
from research.statistics import effective_from_null
from research.strategy import Strategy
from storage.lake import sql
from storage.store import default_store
from tasks.nightly import Night, night_candles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from research.hunt import Candidate
    from tasks.judge import Judgement

    F8 = NDArray[np.float64]
    B1 = NDArray[np.bool_]


def opinions_on(
    night: Night,
    winners: Sequence[tuple[Candidate, F8]],
    searched: pl.DataFrame,
    judgement: Judgement,
) -> list[list[Opinion]]:
    """Return the second opinions on each winner, given with its net daily returns."""
    if not winners:
        return []
    candles = night_candles(default_store(), night)
    markets = {market.symbol: market for market in markets_of(candles)}
    doubtful = _doubtful(night, candles)
    ledger = _ledger(searched, judgement)
    costs = Costs(**night.question.costs.model_dump())
    return [
        second_opinions(
            Winner(
                legs=legs_of(
                    [(Strategy.parse(one.text), one.symbol) for one in candidate.members],
                    night.symbols,
                ),
                returns=earned,
                detrended=candidate.returns,
                rules=len(candidate.members),
            ),
            ledger,
            markets,
            costs,
            doubtful=doubtful,
            seed=night.luck,
        )
        for candidate, earned in winners
    ]


def effective_trials(judgement: Judgement, days: int) -> float | None:
    """Return how many unrelated trials would be as lucky as the worlds' searches; None of few.

    Read off the 95 % point of the worlds' best scores.
    """
    scores = [world.score for world in judgement.mirrored if np.isfinite(world.score)]
    if len(scores) < 19:
        return None
    return effective_from_null(float(np.quantile(scores, 0.95)) * np.sqrt(days / 365))


def _ledger(searched: pl.DataFrame, judgement: Judgement) -> Ledger:
    """Return tonight's trials, each strategy's best market once."""
    best = searched.sort("score", descending=True, maintain_order=True).unique(
        "strategy_id", keep="first", maintain_order=True
    )
    returns = np.array(best["detrended"].to_list()).T
    return Ledger(
        returns, trials=searched.height, effective=effective_trials(judgement, len(returns))
    )


def _doubtful(night: Night, candles: pl.DataFrame) -> dict[str, B1]:
    """Mark the bars that nobody observed, or that their source has changed since."""
    question = night.question
    changed = sql(
        "select key->>'$.symbol' as symbol, (key->>'$.open_time')::timestamptz as open_time, "
        "true as changed from revisions where dataset = $dataset and key->>'$.venue' = $venue "
        "and key->>'$.interval' = $interval group by all",
        {"dataset": CANDLES.name, "venue": question.venue, "interval": question.interval},
        store=default_store(),
    )
    marked = candles.join(
        changed, on=["symbol", "open_time"], how="left", maintain_order="left"
    ).select("symbol", mark=pl.col("synthetic") | pl.col("changed").fill_null(value=False))
    return {
        str(symbol): part["mark"].to_numpy()
        for (symbol,), part in marked.group_by("symbol", maintain_order=True)
    }
