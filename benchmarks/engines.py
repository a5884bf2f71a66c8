"""Our own engines, asked as a user would: candles and two boolean matrices in, arrays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from benchmarks.timing import Timing, timed, turn
from research.metrics import daily_returns, day_ends, measure
from research.reference import Room, Run, pack, run

if TYPE_CHECKING:
    from benchmarks.cases import Case

FIGURES = ("total_return", "sharpe", "max_drawdown")


class Engine(Protocol):
    """Something that trades a case; the peers answer the same calls from their processes."""

    name: str

    def run(self, what: str, *, once: bool = False) -> Timing:
        """Time `simulate`, `metrics` or `own_metrics`."""
        ...

    def answer(self) -> dict[str, Any]:
        """Return the trades and the metrics of the case."""
        ...


class Reference:
    """The engine that is right by definition: it looks at every bar of every strategy."""

    name = "reference"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._terms = case.rules.terms()
        self._room = Room.of(case.bars)

    def run(self, what: str, *, once: bool = False) -> Timing:
        """Time `simulate`, `metrics` or `own_metrics`."""
        call = getattr(self, what)
        return timed(call)[0] if once else turn(call)

    def simulate(self) -> list[Any]:
        """Return the trades of every strategy."""
        return [self._trade(column).trades for column in range(self._case.strategies)]

    def metrics(self) -> dict[str, Any]:
        """Return all figures of nightjar, not only those that others are asked for."""
        ends = day_ends(self._case.bars.time)[1]
        rows = []
        for column in range(self._case.strategies):
            ran = self._trade(column)
            returns = daily_returns(ran.equity[ends])
            rows.append(measure(ran.trades, ran.equity, returns, self._case.rules.costs.fee))
        return {name: np.array([row[name] for row in rows]) for name in FIGURES}

    own_metrics = metrics  # beside a peer that has two ways to its figures

    def answer(self) -> dict[str, Any]:
        """Return the trades and the metrics of the case."""
        return by_column(self.simulate()) | self.metrics()

    def _trade(self, column: int) -> Run:
        case = self._case
        entries, exits = (
            np.ascontiguousarray(one[:, column]) for one in (case.entries, case.exits)
        )
        sides = (entries, exits) if case.rules.side == "long" else (None, None, entries, exits)
        return run(case.bars, pack(case.bars.time.size, *sides), self._terms, self._room)


def by_column(trades: list[Any]) -> dict[str, Any]:
    """Return the trades of every strategy as columns, in the shape the peers answer with."""
    records = np.concatenate(trades)
    names = ("entry_bar", "exit_bar", "entry_price", "exit_price", "reason")
    column = np.repeat(np.arange(len(trades)), [one.size for one in trades])
    return {"column": column} | {name: records[name] for name in names}


def engines(case: Case) -> list[Engine]:
    """Return every engine of ours that takes a case, the fastest last."""
    return [Reference(case)]
