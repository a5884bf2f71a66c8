"""The null factory: how often luck alone does as well as tonight's best.

The hunt of research/hunt.py runs again in worlds without an edge (research/worlds.py). The p of a
candidate is the share of worlds whose best is at least as good as it, the real one counted as one
of them: (1 + worlds that are as good) / (1 + worlds). docs/vetting.md tells the whole story.

Sources:
    Phipson, Smyth (2010), Permutation P-values Should Never Be Zero,
    https://doi.org/10.2202/1544-6115.1585: the 1 + in both places.
    Besag, Clifford (1991), Sequential Monte Carlo p-values,
    https://doi.org/10.1093/biomet/78.2.301: stopping after some worlds were better.
    Romano, Wolf (2005), Stepwise Multiple Testing as Formalized Data Snooping,
    https://doi.org/10.1111/j.1468-0262.2005.00615.x: the step down from winner to winner.
"""

from __future__ import annotations

import hashlib
import io
import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import polars as pl

from core.errors import InvalidInput
from research.costs import Costs
from research.evolution.evaluator import of_candles
from research.hunt import Procedure, hunt
from research.metrics import YEAR
from research.statistics import luck_hurdle
from research.worlds import PRICES, world_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from research.hunt import Candidate

_NORMAL = NormalDist()

# What a world is made of; everything else about candles stays at home.
COLUMNS = ("symbol", "interval", "open_time", *PRICES, "volume")

# In worlds without an edge and without costs the mean of the best scores may be so many times what
# is expected of as many useless and unrelated strategies. A search that learns reaches 1.1 to 1.6
# times as much; an engine that sees a minute ahead makes it 3 to 10 times.
ALARM = 2.0
FREE = Costs(fee_bps=0.0, slippage_bps=0.0, funding_bps=0.0)


class Job(msgspec.Struct, frozen=True):
    """One world to hunt in: `mirrored` or `permuted`, and its number from 1.

    `free`: trading costs nothing there. What is too good to be true is not hidden by costs.
    """

    kind: str
    world: int
    free: bool = False


class Found(msgspec.Struct, frozen=True):
    """What the hunt found in a null world.

    `best` holds (candidate_id, symbol, score), the highest score first; `evaluations` counts how
    often a strategy was scored on an island.
    """

    job: Job
    best: tuple[tuple[str, str, float], ...]
    evaluations: int

    @property
    def score(self) -> float:
        """The best score; minus infinity where nothing traded enough."""
        return self.best[0][2] if self.best else -math.inf


class _Task(msgspec.Struct, frozen=True):
    procedure: Procedure
    costs: Costs
    seed: int
    candles: bytes


def packed(candles: pl.DataFrame, procedure: Procedure, costs: Costs, seed: int) -> bytes:
    """Return all that `explore` needs to know of a night, as bytes."""
    frame = io.BytesIO()
    names = [name for name in COLUMNS if name in candles.columns]
    candles.select(names).with_columns(pl.col("symbol").cast(pl.Categorical)).write_ipc(
        frame, compression="zstd"
    )
    return msgspec.msgpack.encode(_Task(procedure, costs, seed, frame.getvalue()))


def explore(night: bytes, job: Job) -> Found:
    """Hunt in one null world of a night as `packed`; the same bytes give the same findings."""
    task, candles = _unpacked(night)
    world = world_of(candles, job.kind, job.world)
    evaluate = of_candles(world, FREE if job.free else task.costs)
    seed = seed_of(task.seed, job)
    catch = hunt(evaluate, evaluate.symbols, task.procedure, seed=seed)
    return Found(
        job,
        tuple((*one.key, one.score) for one in catch.candidates),
        catch.evolution.evaluations,
    )


def seed_of(seed: int, job: Job) -> int:
    """Return the seed of a world's hunt: another one in each, as on each night."""
    text = f"{seed} {job.kind} {job.world}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


@lru_cache(maxsize=1)  # a process works on one night at a time
def _unpacked(night: bytes) -> tuple[_Task, pl.DataFrame]:
    task = msgspec.msgpack.decode(night, type=_Task)
    frame = pl.read_ipc(io.BytesIO(task.candles))
    return task, frame.with_columns(pl.col("symbol").cast(pl.String))


def until_clear(best: float, worlds: Iterable[Found], *, stop_after: int) -> list[Found]:
    """Take worlds in their order until so many were as good as `best`, or all.

    Who is that far from winning needs no more of them: its p is large, whatever the rest say.
    """
    taken: list[Found] = []
    better = 0
    for found in worlds:
        taken.append(found)
        better += found.score >= best
        if better >= stop_after:
            break
    return taken


def odds(candidates: Sequence[Candidate], worlds: Sequence[Found], alpha: float) -> list[float]:
    """Return the p of each candidate, which come with the best score first.

    Each is set against the best of every world. What has won, p at most `alpha`, is no longer
    among what the next one is set against: the same candidate found in a world is passed over.
    """
    if not worlds:
        raise InvalidInput("expected at least 1 world, was none")
    won: set[tuple[str, str]] = set()
    found: list[float] = []
    for one in candidates:
        beaten = sum(_best_of_others(world, won) >= one.score for world in worlds)
        p = max((1 + beaten) / (1 + len(worlds)), found[-1] if found else 0.0)
        found.append(p)
        if p <= alpha:
            won.add(one.key)
    return found


def _best_of_others(world: Found, won: set[tuple[str, str]]) -> float:
    return next((score for name, at, score in world.best if (name, at) not in won), -math.inf)


class Power(NamedTuple):
    """What a night can find at all; Sharpe ratios are annualised.

    `hurdle` is the score that luck passes with probability alpha. A rule whose true Sharpe ratio
    is `smallest` passes it with probability `power`.
    """

    hurdle: float
    smallest: float
    power: float


def power_of(scores: Sequence[float], days: int, alpha: float, *, power: float = 0.8) -> Power:
    """Return what a night with these null scores can find.

    The far end of the scores is read off a Gumbel distribution with their mean and spread, since
    alpha is often smaller than one in as many worlds as there are.
    """
    known = np.array([score for score in scores if math.isfinite(score)])
    if known.size < 2:
        return Power(math.inf, math.inf, power)
    scale = float(known.std(ddof=1)) * math.sqrt(6.0) / math.pi
    hurdle = float(known.mean()) - np.euler_gamma * scale - scale * math.log(-math.log1p(-alpha))
    return Power(hurdle, hurdle + _NORMAL.inv_cdf(power) * math.sqrt(YEAR / days), power)


def shrunk(score: float, hurdle: float, days: int) -> float:
    """Return what a Sharpe ratio is worth that was looked at because it passed a hurdle.

    The true ratio under which the mean of those that pass is the one seen: it solves
    E[x | x > hurdle] = score for x normal around it with the spread sqrt(365/days). Never below 0,
    where a score barely over the hurdle would lead.
    """
    spread = math.sqrt(YEAR / days)
    if not math.isfinite(hurdle) or score <= hurdle:
        return 0.0

    def passing(true: float) -> float:
        edge = (hurdle - true) / spread
        tail = 1.0 - _NORMAL.cdf(edge)
        return true + spread * _NORMAL.pdf(edge) / tail if tail > 1e-300 else hurdle

    low, high = 0.0, score
    if passing(low) >= score:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if passing(middle) < score else (low, middle)
    return low


def leaks(worlds: Sequence[Found], days: int) -> float | None:
    """Return how many times luck the worlds' mean best is, where it is too many; else None.

    A search that finds that much where there is nothing to be found sees the future, or is paid
    for something that is not there. The worlds should be free of costs, which hide small leaks.
    """
    scores = [world.score for world in worlds if math.isfinite(world.score)]
    if not scores:
        return None
    expected = luck_hurdle(max(world.evaluations for world in worlds), days)
    ratio = float(np.mean(scores)) / expected
    return ratio if ratio > ALARM else None
