"""Which strategies of a night are more than luck: the checks, and the order they come in.

docs/vetting.md says for a trader what each check asks and which days it may look at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InvalidInput
from research.metrics import sharpe
from research.statistics import deflated_sharpe, luck_hurdle, moments

F8 = NDArray[np.float64]
Trial = tuple[str, str]  # strategy_id, symbol
DailyReturns = Mapping[Trial, F8]

SURVIVOR = "survivor"

# In the order in which they are asked; the first that fails is the verdict.
VERDICTS = (
    "too_few_days",
    "too_few_trades",
    "fails_in_sample",
    "not_above_luck",
    "fails_out_of_sample",
    SURVIVOR,
)

SCHEMA = {
    "strategy_id": pl.String(),
    "symbol": pl.String(),
    "in_sample_sharpe": pl.Float64(),
    "out_of_sample_sharpe": pl.Float64(),
    "deflated_sharpe": pl.Float64(),
    "verdict": pl.String(),
}


@dataclass(frozen=True, eq=False)
class Vetting:
    """What became of each trial.

    `frame` has the columns of `SCHEMA`, sorted by strategy and symbol; Sharpe ratios are
    annualised, null where there are too few days. `luck_hurdle` is the annualised Sharpe ratio
    expected of the best of as many useless strategies over `days`.
    """

    frame: pl.DataFrame
    luck_hurdle: float
    trials: int
    days: int
    counts: Mapping[str, int]

    @property
    def survivors(self) -> pl.DataFrame:
        """The rows that passed every check."""
        return self.frame.filter(pl.col("verdict") == SURVIVOR)


class _Scores(NamedTuple):
    in_sample: float | None
    out_of_sample: float | None
    deflated: float | None


def vet(
    daily_returns: DailyReturns,
    trades: Mapping[Trial, int],
    *,
    trials: int,
    holdout: float,
    min_trades: int,
    min_deflated_sharpe: float,
) -> Vetting:
    """Give each trial its verdict: `survivor`, or the first check that it fails.

    The checks, in order: enough days in both parts of the window (`too_few_days`), enough trades
    (`too_few_trades`), a positive Sharpe ratio before the holdout (`fails_in_sample`), a deflated
    Sharpe ratio over the whole window that `trials` tries do not explain (`not_above_luck`), and
    a positive Sharpe ratio in the holdout (`fails_out_of_sample`). The holdout comes last, its bar
    is fixed at 0, and nothing is ever ranked by it: it can refuse a strategy, not find one.

    Args:
        daily_returns: Of every trial, by (strategy_id, symbol); all end on the same day.
        trades: How many trades each of them made.
        trials: How many strategies and symbols were tried tonight, those not given here as well.
        holdout: The last share of the longest window that is kept out of the search.
        min_trades: The fewest trades over the whole window.
        min_deflated_sharpe: The least probability that the Sharpe ratio is above luck.

    Raises:
        InvalidInput: A number is out of range, or the two mappings do not name the same trials.
    """
    _check(daily_returns, trades, trials, holdout)
    days = max((returns.size for returns in daily_returns.values()), default=0)
    held_out = held_out_days(days, holdout)
    rows = []
    for trial in sorted(daily_returns):
        scores = _scores(daily_returns[trial], held_out, trials)
        verdict = _verdict(scores, trades[trial], min_trades, min_deflated_sharpe)
        rows.append((*trial, *scores, verdict))
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    found = dict(frame["verdict"].value_counts().iter_rows())
    return Vetting(
        frame=frame,
        luck_hurdle=luck_hurdle(trials, days) if days else 0.0,
        trials=trials,
        days=days,
        counts={verdict: found.get(verdict, 0) for verdict in VERDICTS},
    )


def held_out_days(days: int, holdout: float) -> int:
    """Return how many of the last days of a window are held out: its share, rounded, at least 1."""
    return max(1, math.floor(days * holdout + 0.5))


def _scores(returns: F8, held_out: int, trials: int) -> _Scores:
    """Score a trial, with nulls where a part of its window has fewer than two days."""
    if held_out < 2 or returns.size - held_out < 2:
        return _Scores(None, None, None)
    return _Scores(
        in_sample=sharpe(returns[:-held_out]),
        out_of_sample=sharpe(returns[-held_out:]),
        deflated=deflated_sharpe(moments(returns), trials),
    )


def _verdict(scores: _Scores, trades: int, min_trades: int, min_deflated_sharpe: float) -> str:
    inside, outside, deflated = scores
    if inside is None or outside is None or deflated is None:
        return "too_few_days"
    if trades < min_trades:
        return "too_few_trades"
    if inside <= 0:
        return "fails_in_sample"
    if deflated < min_deflated_sharpe:
        return "not_above_luck"
    if outside <= 0:
        return "fails_out_of_sample"
    return SURVIVOR


def _check(
    daily_returns: DailyReturns, trades: Mapping[Trial, int], trials: int, holdout: float
) -> None:
    if not 0 < holdout < 1:
        raise InvalidInput(f"expected a holdout between 0 and 1, was {holdout!r}")
    if trials < max(1, len(daily_returns)):
        raise InvalidInput(
            f"expected trials to count every one of {len(daily_returns)}, was {trials}"
        )
    odd = sorted(set(daily_returns) ^ set(trades))
    if odd:
        raise InvalidInput(f"expected returns and trades of the same trials, was {odd[0]} in one")
    for trial, returns in daily_returns.items():
        if not np.isfinite(returns).all():
            raise InvalidInput(f"expected finite daily returns, was not for {trial}")
