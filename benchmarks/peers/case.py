"""A case as a peer gets it, and what it has to say about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

STOP, TARGET, TRAIL, SIGNAL = 1, 2, 3, 5  # why a trade ended, as nightjar counts

Arrays = dict[str, Any]


class Case(NamedTuple):
    """Bars and the signals of many strategies, which share their levels and costs.

    `entries` and `exits` are bars by strategies, decided on a bar's close. Levels are shares of
    the entry price, NaN where there is none.
    """

    time: Any  # µs
    open: Any
    high: Any
    low: Any
    close: Any
    entries: Any
    exits: Any
    side: str
    stop: float
    target: float
    trail: float
    fee: float
    slippage: float

    @classmethod
    def read(cls, path: Path) -> Case:
        """Read what `benchmarks.cases.Case.write` wrote."""
        with np.load(path) as stored:
            terms = json.loads(str(stored["terms"]))
            arrays = {name: stored[name] for name in cls._fields[:7]}
        return cls(**arrays, **{name: _number(value) for name, value in terms.items()})


class Peer(Protocol):
    """An engine that can be asked for a case's trades."""

    versions: dict[str, str]

    def load(self, path: Path) -> None:
        """Read a case and bring it into the shape the engine wants; no part of any timing."""
        ...

    def simulate(self) -> Any:
        """Trade every strategy of the case."""
        ...

    def own_metrics(self) -> Any:
        """Trade, and make total return, daily Sharpe and maximum drawdown by its own means."""
        ...

    def metrics(self) -> Arrays:
        """Trade, and return `total_return`, `sharpe` and `max_drawdown` of each strategy."""
        ...

    def trades(self) -> Arrays:
        """Return `column`, bars, prices and `reason` of every closed trade, as nightjar counts."""
        ...


def _number(value: Any) -> Any:
    return float("nan") if value is None else value
