"""Our own engines, asked as a user would: candles and two boolean matrices in, arrays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from benchmarks.cases import candles
from benchmarks.timing import Timing, timed, turn
from research.backtest import Market
from research.metrics import daily_returns, day_ends, measure
from research.reference import Room, Run, pack, run
from research.sweep import Swept, sweep

if TYPE_CHECKING:
    from benchmarks.cases import Case

NAMES = ("reference", "fast")
DEFAULT = "fast"
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


class Fast:
    """The compiled engine on a market that is there, as it is for the next batch of signals."""

    name = "fast"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._candles = candles(case.bars)
        self._market = Market.of(self._candles)
        self._market.ground  # noqa: B018 - lays the market out

    def run(self, what: str, *, once: bool = False) -> Timing:
        """Time `simulate`, `metrics` or `own_metrics`."""
        call = getattr(self, what)
        return timed(call)[0] if once else turn(call)

    def simulate(self) -> Swept:
        """Return the trades of all strategies."""
        return self._sweep(scored=False)

    def metrics(self) -> Swept:
        """Return the trades and all figures of nightjar."""
        return self._sweep(scored=True)

    own_metrics = metrics

    def answer(self) -> dict[str, Any]:
        """Return the trades and the metrics of the case."""
        swept = self.metrics()
        if swept.scores is None:
            raise ValueError("expected scores, was none")
        parts = np.split(swept.trades, np.cumsum(swept.counts)[:-1])
        return by_column(parts) | {name: swept.scores.metrics[name] for name in FIGURES}

    def _sweep(self, *, scored: bool) -> Swept:
        case, rules = self._case, self._case.rules
        return sweep(
            self._found(),
            case.entries,
            case.exits,
            rules.side,
            stop=rules.stop,
            target=rules.target,
            trail=rules.trail,
            costs=rules.costs,
            scored=scored,
        )

    def _found(self) -> Market:
        return self._market


class Anew(Fast):
    """The same from candles: every call checks them and prepares the market."""

    name = "anew"

    def _found(self) -> Market:
        return Market.of(self._candles)


def by_column(trades: list[Any]) -> dict[str, Any]:
    """Return the trades of every strategy as columns, in the shape the peers answer with."""
    records = np.concatenate(trades)
    names = ("entry_bar", "exit_bar", "entry_price", "exit_price", "reason")
    column = np.repeat(np.arange(len(trades)), [one.size for one in trades])
    return {"column": column} | {name: records[name] for name in names}


def engines(case: Case) -> list[Engine]:
    """Return every engine of ours that takes a case, the fastest last."""
    return [Reference(case), Anew(case), Fast(case)]
