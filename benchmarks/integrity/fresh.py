"""What rules earn on days that no search has seen: other markets by the same law."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.integrity.kinds import market
from benchmarks.integrity.markets import RULE
from research.costs import Costs
from research.evaluate import evaluate
from research.evolution.scores import sharpes
from research.market import Market
from research.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

F8 = NDArray[np.float64]

MARKETS = 34  # of 90 days each: 3,060 fresh days
_FIRST = 500_000  # no night has so high a number


class FreshPlan(msgspec.Struct, frozen=True):
    """Which rules are looked at on the markets of each kind."""

    days: int
    costs: Costs
    rules: dict[str, tuple[str, ...]]


class FreshJob(msgspec.Struct, frozen=True):
    """One market of a kind."""

    kind: str
    number: int


class Earned(NamedTuple):
    """Daily returns by rule: net of costs, and beyond the market's drift."""

    net: dict[str, F8]
    detrended: dict[str, F8]


def run(shared: bytes, job: FreshJob) -> Earned:
    """Return what all rules of a kind earned on one of its markets."""
    plan = _plan(shared)
    texts = [RULE, *plan.rules[job.kind]]
    candles = market(job.kind, _FIRST + job.number, plan.days, "")
    rules = [Strategy.parse(text) for text in texts]
    scores = evaluate(Market.of(candles), rules, plan.costs, detrend=True)
    beyond = scores.returns if scores.detrended is None else scores.detrended
    return Earned(
        dict(zip(texts, scores.returns, strict=True)), dict(zip(texts, beyond, strict=True))
    )


def joined(parts: Sequence[Earned]) -> Earned:
    """Return the days of all markets in a row."""
    return Earned(
        {text: np.concatenate([one.net[text] for one in parts]) for text in parts[0].net},
        {text: np.concatenate([one.detrended[text] for one in parts]) for text in parts[0].net},
    )


def ratio(returns: Mapping[str, F8], texts: Sequence[str]) -> float:
    """Return the annual Sharpe ratio of an equal stake in each of these rules."""
    mixed = np.mean([returns[text] for text in texts], axis=0)
    return float(sharpes(mixed[np.newaxis])[0])


@lru_cache(maxsize=1)
def _plan(shared: bytes) -> FreshPlan:
    return msgspec.msgpack.decode(shared, type=FreshPlan)
