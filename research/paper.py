"""From promoted to proven: the plan by which paper trading judges a candidate.

A plan is fixed at the promotion and never changes: how long, at which level, and what is expected.
While it runs, one line can end it early; at its end one test decides. Nothing is tested before,
since whoever looks every day and stops at a good one finds what is not there.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.market import ALL_SYMBOLS
from research.costs import Costs
from research.statistics.sharpe import moments, psr
from research.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

F8 = NDArray[np.float64]

RUNNING, CONFIRMED, REJECTED, KILLED = "running", "confirmed", "rejected", "killed"


class Plan(msgspec.Struct, frozen=True):
    """How a candidate will be judged; all returns are of whole UTC days, net.

    `horizon_days` is when it is judged, `level` the chance that a useless one passes. It is killed
    once its summed returns are more than `kill_sigma` standard deviations below the forecast;
    None is never. `forecast_mean` and `forecast_sd` are per day. `costs` are those that it was
    found with, `symbols` what `*` stands for, `interval` that of the bars. Its rules are run from
    `since` on, as they were on the night that found it; days count from the promotion on.
    """

    horizon_days: int
    level: float
    kill_sigma: float | None
    forecast_mean: float
    forecast_sd: float
    costs: Costs
    symbols: tuple[str, ...]
    since: datetime
    interval: str = "1m"

    def __post_init__(self) -> None:
        if self.horizon_days < 1:
            raise InvalidInput(f"expected a horizon of at least 1 day, was {self.horizon_days}")
        if not 0 < self.level < 1:
            raise InvalidInput(f"expected a level between 0 and 1, was {self.level!r}")
        if self.kill_sigma is not None and not self.kill_sigma > 0:
            raise InvalidInput(f"expected kill_sigma above 0, was {self.kill_sigma!r}")
        if not (math.isfinite(self.forecast_mean) and 0 <= self.forecast_sd < math.inf):
            raise InvalidInput(
                "expected a finite forecast with a spread of at least 0, was "
                f"{self.forecast_mean!r} and {self.forecast_sd!r}"
            )

    def forecast(self, days: int) -> F8:
        """Return what the returns should sum up to after each of the first `days` days."""
        return _counted(days) * self.forecast_mean

    def kill_line(self, days: int) -> F8:
        """Return the sum below which it is killed, after each of the first `days` days."""
        if self.kill_sigma is None:
            return np.full(days, -np.inf)
        spread = self.forecast_sd * np.sqrt(_counted(days))
        return self.forecast(days) - self.kill_sigma * spread


def _counted(days: int) -> F8:
    return np.arange(1, days + 1, dtype=np.float64)


def first_day(promoted_at: datetime) -> date:
    """Return the first UTC day that begins no earlier than the promotion."""
    return (promoted_at + timedelta(days=1) - timedelta(microseconds=1)).date()


def spread_of(returns: F8) -> float:
    """Return the standard deviation of daily returns (ddof 1), 0 where there are fewer than two."""
    return float(np.std(returns, ddof=1)) if returns.size > 1 else 0.0


def standings(plan: Plan, returns: F8) -> list[str]:
    """Return how a plan stands after each day: running, then for ever what ended it.

    The standing after a day depends on the days up to it alone. Below the kill line it is killed at
    once, on the last day too; what gets to its last day alive is confirmed where the test there
    rejects that its mean return is zero or less, and rejected otherwise.
    """
    below = np.flatnonzero(np.cumsum(returns) < plan.kill_line(returns.size))
    killed = int(below[0]) if below.size else returns.size
    horizon = plan.horizon_days
    if killed < min(horizon, returns.size):
        return [RUNNING] * killed + [KILLED] * (returns.size - killed)
    if returns.size < horizon:
        return [RUNNING] * returns.size
    verdict = CONFIRMED if confirmed(plan, returns[:horizon]) else REJECTED
    return [RUNNING] * (horizon - 1) + [verdict] * (returns.size - horizon + 1)


def confirmed(plan: Plan, returns: F8) -> bool:
    """Test one-sided whether the mean of daily returns is above 0.

    By the probabilistic Sharpe ratio, which allows for skewed returns with fat tails
    (https://doi.org/10.21314/JOR.2012.255).
    """
    return returns.size > 1 and psr(moments(returns)) >= 1.0 - plan.level


class Frozen(msgspec.Struct, frozen=True):
    """What is traded on paper: rules, where, and the plan. `members` are `strategy_id symbol`."""

    plan: Plan
    text: str
    members: tuple[str, ...]

    def rules(self) -> list[tuple[Strategy, str]]:
        """Return each member's strategy and its symbol, which may be `*`.

        Raises:
            InvalidInput: the texts are not those of the members: somebody changed them.
        """
        texts = _texts(self.text) if len(self.members) > 1 else [("", self.text)]
        if len(texts) != len(self.members):
            raise InvalidInput(f"expected {len(self.members)} texts, was {len(texts)}")
        rules = []
        for member, (header, text) in zip(self.members, texts, strict=True):
            name, symbol = member.split(" ")
            strategy = Strategy.parse(text)
            if strategy.id != name or header not in {"", symbol}:
                raise InvalidInput(f"expected the text of {member}, was of {strategy.id} {header}")
            rules.append((strategy, symbol))
        return rules

    def stakes(self) -> list[tuple[Strategy, tuple[str, ...]]]:
        """Return each member's strategy and all symbols that its stake is split over."""
        return [
            (strategy, self.plan.symbols if symbol == ALL_SYMBOLS else (symbol,))
            for strategy, symbol in self.rules()
        ]


def _texts(text: str) -> list[tuple[str, str]]:
    """Cut a portfolio's text at its lines `[SYMBOL]`; return each symbol with what follows."""
    lines = text.split("\n")
    heads = [at for at, line in enumerate(lines) if line.startswith("[") and line.endswith("]")]
    return [
        (lines[at][1:-1], "\n".join(lines[at + 1 : end]).strip())
        for at, end in pairwise([*heads, len(lines)])
    ]


def rule_hash(text: str, members: Sequence[str], costs: Costs) -> str:
    """Return the SHA-256 in hexadecimal of what a promotion froze: text, members and costs.

    Of the JSON list of the three; of costs `perpetual` is part of it only where it is true.
    """
    paid = {name: value for name, value in msgspec.to_builtins(costs).items() if value is not False}
    frozen = json.dumps([text, list(members), paid], sort_keys=True)
    return hashlib.sha256(frozen.encode()).hexdigest()
