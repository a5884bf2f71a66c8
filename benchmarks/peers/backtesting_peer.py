"""backtesting.py, one strategy after the other: it runs Python on every bar.

It knows no slippage on the way out, so its cases have no costs. Its levels are prices given
with the order; ours count from the fill, so they are made from the next open, where the order
will be filled.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from backtesting import (  # type: ignore[import-not-found] # of another environment
    Backtest,
    Strategy,
)

from benchmarks.peers.case import SIGNAL, STOP, TARGET, Arrays, Case

if TYPE_CHECKING:
    from pathlib import Path

CASH = 1e12  # it trades whole units, so that a purse this deep leaves nothing to speak of


class Backtesting:
    """`backtesting.Backtest.run`, which always makes its figures too."""

    def __init__(self) -> None:
        names = ("backtesting", "numpy", "pandas")
        self.versions = {name: version(name) for name in names}

    def load(self, path: Path) -> None:
        """Read a case into the shape the engine wants."""
        self._case = case = Case.read(path)
        prices = {name.title(): getattr(case, name) for name in ("open", "high", "low", "close")}
        frame = pd.DataFrame(prices, index=pd.DatetimeIndex(case.time * 1_000))
        self._tests = [
            Backtest(frame, rules(case, column), cash=CASH, finalize_trades=False)
            for column in range(case.entries.shape[1])
        ]

    def simulate(self) -> Any:
        """Run every strategy; there is no run without figures."""
        return [test.run() for test in self._tests]

    own_metrics = simulate

    def metrics(self) -> Arrays:
        """Return the figures, the Sharpe ratio made anew from days."""
        found = self.simulate()
        curves = [stats["_equity_curve"]["Equity"] for stats in found]
        daily = [curve.resample("1D").last().to_numpy() / CASH for curve in curves]
        returns = [np.diff(marks, prepend=1.0) / np.append(1.0, marks[:-1]) for marks in daily]
        return {
            "total_return": np.array([stats["Return [%]"] / 100 for stats in found]),
            "sharpe": np.array([one.mean() / one.std() * np.sqrt(365) for one in returns]),
            "max_drawdown": np.array([-stats["Max. Drawdown [%]"] / 100 for stats in found]),
        }

    def trades(self) -> Arrays:
        """Return every closed trade, its bars and reason as nightjar counts."""
        parts = [stats["_trades"].sort_values("EntryBar") for stats in self.simulate()]
        found = pd.concat(parts)
        exit_bar, column = found["ExitBar"], np.repeat(np.arange(len(parts)), list(map(len, parts)))
        reason = np.where(
            found["ExitPrice"] == found["SL"],
            STOP,
            np.where(found["ExitPrice"] == found["TP"], TARGET, SIGNAL),
        )
        return {
            "column": column,
            "entry_bar": found["EntryBar"].to_numpy(),
            "exit_bar": exit_bar.to_numpy(),
            "entry_price": found["EntryPrice"].to_numpy(),
            "exit_price": found["ExitPrice"].to_numpy(),
            "reason": reason,
        }


def rules(case: Case, column: int) -> type[Strategy]:
    """Return the strategy that follows one column of the case's signals."""
    entries, exits = case.entries[:, column].tolist(), case.exits[:, column].tolist()
    following = [*case.open[1:].tolist(), None]
    sign = 1 if case.side == "long" else -1
    stop, target = (None if np.isnan(x) else x for x in (case.stop, case.target))

    class Rules(Strategy):  # type: ignore[misc] # it is not here when types are checked
        def init(self) -> None:
            pass

        def next(self) -> None:
            bar = len(self.data) - 1
            if exits[bar] and self.position:
                self.position.close()
            elif entries[bar] and not self.position and following[bar] is not None:
                self.enter(following[bar])

        def enter(self, price: float) -> None:
            sl = None if stop is None else price * (1 - sign * stop)
            tp = None if target is None else price * (1 + sign * target)
            # Levels on the wrong side of the last close would be refused with the order.
            order = self.buy() if sign == 1 else self.sell()
            order._replace(sl_price=sl, tp_price=tp)

    return Rules
