"""vectorbt's `Portfolio.from_signals`, told to trade as docs/fills.md does.

An order of row t is priced at the open of row t + 1, and stops count from the price of that
fill. vectorbt looks at stops from row t + 1 on, which so is the bar of the entry.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import vectorbt as vbt  # type: ignore[import-not-found] # of another environment

from benchmarks.peers.case import SIGNAL, STOP, TARGET, TRAIL, Arrays, Case

if TYPE_CHECKING:
    from pathlib import Path

YEAR = 365  # days


class Vectorbt:
    """The engine that `pip install vectorbt` gives (`numba`), or its optional `rust` one."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        names = ("vectorbt", "numba", "numpy", "pandas")
        self.versions = {name: version(name) for name in names}
        if engine == "rust":
            self.versions["vectorbt-rust"] = version("vectorbt-rust")

    def load(self, path: Path) -> None:
        """Read a case into the shape the engine wants."""
        self._case = case = Case.read(path)
        index = pd.DatetimeIndex(case.time * 1_000)
        self._entries = pd.DataFrame(case.entries, index=index)
        self._exits = pd.DataFrame(case.exits, index=index)
        prices = {name: pd.Series(getattr(case, name), index) for name in ("open", "high", "low")}
        self._options: dict[str, Any] = prices | {
            "price": prices["open"].shift(-1),
            "sl_stop": case.stop if np.isnan(case.trail) else case.trail,
            "sl_trail": not np.isnan(case.trail),
            "tp_stop": case.target,
            "stop_entry_price": "fillprice",
            "stop_exit_price": "stopmarket",
            "upon_stop_exit": "close",
            "direction": f"{case.side}only",
            "accumulate": False,
            "size": 1.0,
            "size_type": "percent",
            "fees": case.fee,
            "slippage": case.slippage,
            "init_cash": 1.0,
            "freq": "1min",
            "engine": self._engine,
        }
        self._close = pd.Series(case.close, index)
        days = index.floor("D").to_numpy()
        self._ends = np.append(np.flatnonzero(days[1:] != days[:-1]), days.size - 1)

    def simulate(self) -> Any:
        """Return the portfolio: the orders of every strategy."""
        return vbt.Portfolio.from_signals(self._close, self._entries, self._exits, **self._options)

    def own_metrics(self) -> Any:
        """Ask vectorbt for each figure, as its users do."""
        portfolio = self.simulate()
        daily = portfolio.value().resample("1D").last()
        returns = daily.pct_change(fill_method=None)
        returns.iloc[0] = daily.iloc[0] - 1.0
        sharpe = returns.vbt.returns(freq="1D", year_freq=f"{YEAR}D").sharpe_ratio()
        return portfolio.total_return(), sharpe, portfolio.max_drawdown()

    def metrics(self) -> Arrays:
        """Ask vectorbt for nothing but the value at every close, and do the rest in numpy."""
        value = self.simulate().value().to_numpy()
        marks = np.vstack([np.ones(value.shape[1]), value[self._ends]])
        returns = marks[1:] / marks[:-1] - 1.0
        peaks = np.maximum(np.maximum.accumulate(value, axis=0), 1.0)
        spread = returns.std(axis=0)
        mean = returns.mean(axis=0)
        ratio = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 0)
        return {
            "total_return": value[-1] - 1.0,
            "sharpe": ratio * np.sqrt(YEAR),
            "max_drawdown": 1.0 - (value / peaks).min(axis=0),
        }

    def trades(self) -> Arrays:
        """Return every closed trade, its bars and reason as nightjar counts."""
        found = self.simulate().positions.records
        found = found[found["status"] == 1].sort_values(["col", "entry_idx"])
        names = ("col", "entry_idx", "exit_idx", "entry_price", "exit_price")
        column, entry, exit_, bought, sold = (found[name].to_numpy() for name in names)
        reason = self._reasons(entry, exit_, bought)
        return {
            "column": column,
            "entry_bar": entry + 1,
            "exit_bar": np.where(reason == SIGNAL, exit_ + 1, exit_),
            "entry_price": bought,
            "exit_price": sold,
            "reason": reason,
        }

    def _reasons(self, entry: Any, row: Any, price: Any) -> Any:
        """Say why each trade ended, which vectorbt does not record.

        It looks at stops before signals: where the last row reached a level, that was the reason.
        """
        case = self._case
        sign = 1 if case.side == "long" else -1
        worst, best = (case.low, case.high) if sign == 1 else (case.high, case.low)
        trails = not np.isnan(case.trail)
        high = self._best_prices(best * sign, entry, row, price * sign) if trails else price * sign
        guard = high * sign * (1 - sign * (case.trail if trails else case.stop))
        stopped = sign * (worst[row] - guard) <= 0
        aimed = sign * (best[row] - price * (1 + sign * case.target)) >= 0
        return np.where(stopped, TRAIL if trails else STOP, np.where(aimed, TARGET, SIGNAL))

    def _best_prices(self, best: Any, entry: Any, row: Any, price: Any) -> Any:
        """Return the best price of each trade before its last row."""
        spans = zip(entry, row, price, strict=True)
        return np.array([best[first + 1 : last].max(initial=paid) for first, last, paid in spans])
