"""The same matrices with more strategies, or on more days, for us and for vectorbt."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cases import Rules, case, market
from benchmarks.child import Child
from benchmarks.contest import checked, figures, header, measured
from benchmarks.report import Section

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RULES = Rules("stop and target", 500, stop=0.01, target=0.02)


class Plan(NamedTuple):
    """How much is measured."""

    strategies: Sequence[int]
    spans: Sequence[int]  # days
    rounds: int


FULL = Plan((1, 10, 50, 200), (30, 90, 365, 730), rounds=2)
QUICK = Plan((10,), (30,), rounds=1)
DAYS, STRATEGIES = 90, 10  # of the table in which the other grows


def growth(plan: Plan, peers: Sequence[str], folder: Path) -> Section:
    """Time total return, daily Sharpe and drawdown of matrices of different sizes."""
    section = Section("Matrices of different sizes", TEXT)
    sizes = [(DAYS, strategies) for strategies in plan.strategies]
    sizes += [(days, STRATEGIES) for days in plan.spans]
    rows = []
    with ExitStack() as stack:
        names = [name for name in peers if name == "vectorbt-numba"]
        children = [stack.enter_context(Child(name, folder)) for name in names]
        for days, strategies in sizes:
            made = case(market(days), RULES, strategies)
            runners, _ = checked(made, children, folder)
            found = measured(runners, "own_metrics", plan.rounds)
            rows.append([f"{strategies}", f"{days}", *figures(found, made)])
        section.table(["strategies", "days", *header([one.name for one in runners])], rows)
    return section


TEXT = """\
Nanoseconds of processor time per bar and strategy, with metrics, signals every 500 bars, stop 1 %,
target 2 %. Trades are compared before. vectorbt keeps several floats for every bar and strategy,
so that a population has to come in pieces of this size."""
