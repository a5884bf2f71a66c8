"""Bugs on purpose: engines and indicators that know more than they may, and whether it shows.

Each is a context in which everything of this process looks ahead; afterwards nothing does. The
alarm of `research.factory.leaks` must go off where that pays.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from unittest import mock

import msgspec
import numpy as np

from benchmarks.integrity.kinds import SANDBOX, market
from benchmarks.integrity.nights import Plan, over_luck
from research import bars, signals
from research.costs import Costs
from research.engine.run import ground_of
from research.factory import Job, explore, leaks, packed
from research.indicators import INDICATORS
from research.worlds import MIRRORED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from research.bars import I8, Bars
    from research.engine.run import Ground

FREE = Costs(fee_bps=0, slippage_bps=0)

_FIRST = 900_000  # no night has so high a number
_PRICES = ("open", "high", "low", "close")


@contextmanager
def ahead(name: str) -> Iterator[None]:
    """Let an indicator say in each bar what it should say in the next."""
    honest = INDICATORS[name].compute

    def compute(*arguments: Any) -> Any:
        values = np.asarray(honest(*arguments), dtype=np.float64)
        return np.append(values[1:], values[-1:])

    with mock.patch.dict(INDICATORS, {name: replace(INDICATORS[name], compute=compute)}):
        yield


@contextmanager
def filled_at_the_open() -> Iterator[None]:
    """Let what is decided on a bar's close be filled at that bar's open, one bar too early.

    Bars as fine as the market's own are left alone: there is none before the first.
    """

    def resample(fine: Bars, step: timedelta, to: timedelta) -> tuple[Bars, I8]:
        coarse, last = bars.resample(fine, step, to)
        return (coarse, last) if step == to else (coarse, np.append(last[:1] - 1, last[:-1]))

    with mock.patch.object(signals, "resample", resample):
        yield


@contextmanager
def filled_early(minutes: int) -> Iterator[None]:
    """Let every fill have the price of so many of the finest bars before it."""

    def late(values: Any) -> Any:
        return np.concatenate((np.repeat(values[:1], minutes), values[:-minutes]))

    def ground(fine: Bars, ends: I8) -> Ground:
        return ground_of(
            fine._replace(**{name: late(getattr(fine, name)) for name in _PRICES}), ends
        )

    with mock.patch("research.market.ground_of", ground):
        yield


LEAKS: dict[str, tuple[str, Callable[[], AbstractContextManager[None]]]] = {
    "none": ("no leak", nullcontext),
    "roc": ("`roc` reads one bar ahead", lambda: ahead("roc")),
    "rsi": ("`rsi` reads one bar ahead", lambda: ahead("rsi")),
    "open": ("decisions on a bar's close are filled at its open", filled_at_the_open),
    "minute": ("fills at the price of one minute earlier", lambda: filled_early(1)),
    "minutes": ("fills at the price of five minutes earlier", lambda: filled_early(5)),
}


class LeakPlan(msgspec.Struct, frozen=True):
    """How nights with a leak are run: each in so many mirrored worlds."""

    plan: Plan
    worlds: int


class LeakJob(msgspec.Struct, frozen=True):
    """One night with a leak; `free`: trading costs nothing."""

    leak: str
    number: int
    free: bool


class Leaked(msgspec.Struct, frozen=True):
    """How good the worlds of such a night were over luck, and whether the alarm went off."""

    leak: str
    free: bool
    over_luck: float
    alarm: bool


def run(shared: bytes, job: LeakJob) -> Leaked:
    """Hunt in the null worlds of a market without an edge, by an engine with a leak."""
    terms = _plan(shared)
    plan = terms.plan
    candles = market(SANDBOX, _FIRST + job.number, plan.days, plan.data)
    days = candles["open_time"].dt.date().n_unique()
    costs = FREE if job.free else plan.costs
    night = packed(candles, plan.procedure, costs, job.number)
    with LEAKS[job.leak][1]():
        worlds = [explore(night, Job(MIRRORED, world)) for world in range(1, terms.worlds + 1)]
    return Leaked(job.leak, job.free, over_luck(worlds, days), leaks(worlds, days) is not None)


@lru_cache(maxsize=1)
def _plan(shared: bytes) -> LeakPlan:
    return msgspec.msgpack.decode(shared, type=LeakPlan)
