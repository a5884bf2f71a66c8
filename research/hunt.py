"""The hunt: the whole way from markets to candidates, the same in every world.

What a night promotes must beat what this same procedure finds in worlds without an edge. So all
that can choose is in here: the search, the filter by trades, the building of portfolios. Nothing
outside may look at scores and choose before the odds are known.

A candidate is a rule on one symbol, a rule on all symbols with equal stakes (`pooled`), or a
portfolio of such rules with equal stakes. All have one score: the annualised Sharpe ratio of their
detrended daily returns. A portfolio's is divided by the square root of its size: of k lucky and
unrelated rules the mix has the Sharpe ratio of one times sqrt(k), and a search always finds k.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.market import interval_step
from research.evolution.operators import TIMEFRAMES
from research.evolution.scores import sharpes
from research.evolution.state import SMALLEST_ISLAND
from research.evolve import evolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from research.evolution.scores import Evaluator
    from research.evolution.state import Evolution, State, Trial

F8 = NDArray[np.float64]

POOL = "*"  # in place of a symbol: an equal stake in every symbol of the night
RULE, POOLED, PORTFOLIO = "rule", "pooled", "portfolio"
SIZES = (2, 3, 5, 8)  # rules in a portfolio
KEPT = 50  # candidates that a hunt reports, the best first


class Procedure(msgspec.Struct, frozen=True):
    """All that decides a hunt beside its market, its costs and its seed.

    `min_trades` is what a candidate must have made, on the mean of its symbols;
    `max_correlation` is what the daily returns of two rules in one portfolio may have at most;
    `interval` is that of the market's bars, the shortest that rules can look at.
    """

    strategies: int
    generations: int
    min_trades: int = 30
    max_correlation: float = 0.5
    interval: str = "1m"


class Member(msgspec.Struct, frozen=True):
    """A rule on a symbol, or on `POOL`."""

    strategy_id: str
    text: str
    symbol: str


class Candidate(msgspec.Struct, frozen=True):
    """Something that could be promoted; `detrended` holds its daily returns as float64."""

    candidate_id: str
    kind: str
    symbol: str
    members: tuple[Member, ...]
    trades: int
    score: float
    detrended: bytes

    @property
    def key(self) -> tuple[str, str]:
        """What names it in any world."""
        return self.candidate_id, self.symbol

    @property
    def returns(self) -> F8:
        """Detrended daily returns; not to be written to."""
        return np.frombuffer(self.detrended)


class Catch(NamedTuple):
    """What a hunt brought home: candidates, the best first, and the search behind them."""

    candidates: tuple[Candidate, ...]
    evolution: Evolution

    @property
    def best(self) -> float:
        """The best score; minus infinity where nothing traded enough."""
        return self.candidates[0].score if self.candidates else -np.inf


def hunt(
    evaluate: Evaluator,
    symbols: Sequence[str],
    procedure: Procedure,
    *,
    seed: int,
    resume: State | None = None,
    on_generation: Callable[[State], None] | None = None,
) -> Catch:
    """Search the markets of `symbols` and return what could be promoted.

    Args:
        evaluate: Scores strategies on these symbols.
        symbols: Of the night, sorted.
        procedure: The same in every world.
        seed: Decides everything random.
        resume: A state of the same search; it goes on from there.
        on_generation: Called with the state after every generation.

    Raises:
        InvalidInput: The procedure is not one that can be searched with.
    """
    found = evolve(
        evaluate,
        seed=seed,
        population=procedure.strategies,
        generations=procedure.generations,
        islands=islands(symbols, procedure.strategies),
        timeframes=timeframes(procedure.interval),
        min_trades=procedure.min_trades,
        resume=resume,
        on_generation=on_generation,
    )
    return Catch(candidates(found.members, procedure), found)


def islands(symbols: Sequence[str], strategies: int) -> list[list[str]]:
    """Return an island for each symbol and one of all; one of all where strategies are few."""
    together = list(symbols)
    if len(together) == 1 or strategies < SMALLEST_ISLAND * (len(together) + 1):
        return [together]
    return [*([symbol] for symbol in together), together]


def timeframes(interval: str) -> list[str]:
    """Return the timeframes that rules can look at on bars of an interval.

    Raises:
        InvalidInput: There are none: the bars are longer than any, or fit into none.
    """
    step = interval_step(interval)
    found = [name for name in TIMEFRAMES if interval_step(name) % step == timedelta(0)]
    if not found:
        raise InvalidInput(
            f"expected bars that make up one of {', '.join(TIMEFRAMES)}, was {interval}"
        )
    return found


def candidates(members: Sequence[Trial], procedure: Procedure) -> tuple[Candidate, ...]:
    """Return the candidates of a final population: its rules, and portfolios of them."""
    rules = [_rule(one) for one in members if np.mean(one.trades) >= procedure.min_trades]
    ranked = sorted(rules, key=_rank)
    mixed = portfolios(ranked, procedure.max_correlation)
    return tuple(sorted([*ranked, *mixed], key=_rank)[:KEPT])


def portfolios(ranked: Sequence[Candidate], max_correlation: float) -> list[Candidate]:
    """Return portfolios of the best rules, no two of which are more alike than may be."""
    earning = [one for one in ranked if one.score > 0.0]
    if not earning:
        return []
    returns = np.stack([one.returns for one in earning])
    chosen = unalike(returns, max_correlation, most=SIZES[-1])
    return [
        _portfolio([earning[i] for i in chosen[:size]]) for size in SIZES if size <= len(chosen)
    ]


def unalike(returns: F8, max_correlation: float, most: int) -> list[int]:
    """Return the first rows, at most `most`, that do not correlate beyond the bound.

    A row is left out that correlates more with one taken before it.
    """
    centred = returns - returns.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    taken: list[int] = []
    for row in range(len(unit)):
        if len(taken) == most:
            break
        if all(float(unit[row] @ unit[other]) <= max_correlation for other in taken):
            taken.append(row)
    return taken


def _rank(one: Candidate) -> tuple[float, str, str]:
    return -one.score, *one.key


def _rule(trial: Trial) -> Candidate:
    alone = len(trial.symbols) == 1
    symbol = trial.symbols[0] if alone else POOL
    return Candidate(
        candidate_id=trial.strategy_id,
        kind=RULE if alone else POOLED,
        symbol=symbol,
        members=(Member(trial.strategy_id, trial.text, symbol),),
        trades=sum(trial.trades),
        score=trial.sharpe,
        detrended=trial.detrended,
    )


def _portfolio(rules: Sequence[Candidate]) -> Candidate:
    members = tuple(rule.members[0] for rule in rules)
    named = " ".join(f"{one.strategy_id}@{one.symbol}" for one in members)
    returns = np.stack([rule.returns for rule in rules]).mean(axis=0)
    ratio = float(sharpes(returns[np.newaxis])[0]) / np.sqrt(len(rules))
    return Candidate(
        candidate_id=hashlib.sha256(named.encode()).hexdigest()[:16],
        kind=PORTFOLIO,
        symbol=POOL,
        members=members,
        trades=sum(rule.trades for rule in rules),
        score=round(float(ratio), 9),
        detrended=returns.tobytes(),
    )
