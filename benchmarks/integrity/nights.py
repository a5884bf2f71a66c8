"""One night, start to end, as the product has it: hunt, null worlds, promotion.

A night is a pure function of (plan, kind, number). Worlds stop where a night's fate is sealed:
of 99 at most four may be as good as the night's best where p <= 0.05 is asked for, so that the
fifth settles it, for any smaller p as well.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from benchmarks.integrity.folklore import Search, passed
from benchmarks.integrity.kinds import market
from research.costs import Costs
from research.evolution.evaluator import of_candles
from research.factory import Found, Job, explore, leaks, odds, packed, power_of, shrunk, until_clear
from research.hunt import Procedure, hunt
from research.statistics import luck_hurdle
from research.worlds import MIRRORED, PERMUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.hunt import Candidate

ALPHAS = (0.05, 0.01)
SECOND = 0.05  # what p in permuted worlds may be


class Plan(msgspec.Struct, frozen=True):
    """How nights are run; `data` is the folder of recordings."""

    procedure: Procedure
    days: int
    worlds: int
    permutations: int
    data: str
    costs: Costs = Costs()

    @property
    def stop_after(self) -> int:
        """How many mirrored worlds as good as the night's best settle it."""
        return settled_by(self.worlds, max(ALPHAS))


class NightJob(msgspec.Struct, frozen=True):
    """Which night to run."""

    kind: str
    number: int


class Winner(msgspec.Struct, frozen=True):
    """The night's best candidate: the texts of its rules, its score, and what that shrinks to.

    `shrunk` is by alpha, as `ALPHAS`.
    """

    texts: tuple[str, ...]
    score: float
    shrunk: tuple[float, ...]


class Night(msgspec.Struct, frozen=True):
    """What came of a night.

    `p` is that of the night's best in mirrored worlds, `uniform` the same with the steps between
    its possible values filled by chance, `second` that in permuted worlds where one was asked for.
    `over_luck` is the mean best score of the mirrored worlds over what luck should give. `gates`
    says which of the folklore gates let the night's best through.
    """

    kind: str
    number: int
    p: float
    uniform: float
    second: float | None
    alarm: bool
    over_luck: float
    winner: Winner | None
    gates: dict[str, bool]

    def promotes(self, alpha: float, *, alone: bool = False) -> bool:
        """Tell whether the night promotes anything; `alone`: by mirrored worlds alone."""
        if self.alarm or self.p > alpha:
            return False
        return alone or (self.second is not None and self.second <= SECOND)


def settled_by(worlds: int, alpha: float) -> int:
    """Return how many of so many worlds must be as good for p > alpha, whatever the others are."""
    return max(1, int(alpha * (worlds + 1) + 1e-9))


def run(shared: bytes, job: NightJob) -> Night:
    """Run a night of the plan in `shared`."""
    plan = _plan(shared)
    candles = market(job.kind, job.number, plan.days, plan.data)
    days = candles["open_time"].dt.date().n_unique()
    evaluate = of_candles(candles, plan.costs)
    catch = hunt(evaluate, evaluate.symbols, plan.procedure, seed=job.number)
    night = packed(candles, plan.procedure, plan.costs, job.number)
    mirrored = _worlds(night, catch.best, MIRRORED, plan.worlds, max(ALPHAS))
    (p,) = odds(catch.candidates[:1], mirrored, max(ALPHAS)) or [1.0]
    second = None
    if p <= max(ALPHAS):
        permuted = _worlds(night, catch.best, PERMUTED, plan.permutations, SECOND)
        (second,) = odds(catch.candidates[:1], permuted, SECOND)
    return Night(
        kind=job.kind,
        number=job.number,
        p=p,
        uniform=spread(catch.best, mirrored, plan.stop_after, job),
        second=second,
        alarm=leaks(mirrored, days) is not None,
        over_luck=over_luck(mirrored, days),
        winner=_winner(catch.candidates, mirrored, days),
        gates=passed(Search(candles, plan.costs, plan.procedure, job.number, catch.evolution)),
    )


def spread(best: float, worlds: Sequence[Found], stop_after: int, job: NightJob) -> float:
    """Return a p that is uniform where there is nothing to find, also where worlds stopped early.

    That the h-th world as good as the real one is the m-th of all has probability h/m - h/(m+1):
    the p of such a night is drawn between the two. Where all M worlds are not enough to stop, k
    of them as good, it is drawn from k/(M+1) to (k+1)/(M+1).
    """
    count = len(worlds)
    beaten = sum(found.score >= best for found in worlds)
    chance = float(np.random.default_rng([job.number, *job.kind.encode()]).random())
    if beaten < stop_after:
        return (beaten + chance) / (count + 1)
    low, high = beaten / (count + 1), beaten / count
    return low + (high - low) * chance


@lru_cache(maxsize=1)
def _plan(shared: bytes) -> Plan:
    return msgspec.msgpack.decode(shared, type=Plan)


def _worlds(night: bytes, best: float, kind: str, most: int, alpha: float) -> list[Found]:
    found = (explore(night, Job(kind, world)) for world in range(1, most + 1))
    return until_clear(best, found, stop_after=settled_by(most, alpha))


def over_luck(worlds: Sequence[Found], days: int) -> float:
    """Return the worlds' mean best score over that of as many useless, unrelated strategies."""
    scores = [world.score for world in worlds if world.best]
    hurdle = luck_hurdle(max(world.evaluations for world in worlds), days)
    return float(np.mean(scores)) / hurdle if scores else 0.0


def _winner(candidates: Sequence[Candidate], worlds: Sequence[Found], days: int) -> Winner | None:
    if not candidates:
        return None
    best, scores = candidates[0], [world.score for world in worlds]
    hurdles = [power_of(scores, days, alpha).hurdle for alpha in ALPHAS]
    return Winner(
        tuple(member.text for member in best.members),
        best.score,
        tuple(shrunk(best.score, hurdle, days) for hurdle in hurdles),
    )
