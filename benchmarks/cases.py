"""Markets and signals that are the same on every machine: made from a seed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from core.datasets import TIME
from research.bars import Bars
from research.costs import Costs
from research.reference import SIGNAL, TARGET, Room, Terms, pack, run
from sources.sandbox.markets import ORIGIN, Market
from sources.sandbox.symbols import INSTRUMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from research.reference import Records
    from research.simulate import Side

MINUTE = timedelta(minutes=1)
BASE = "NOISE1"  # of the sandbox's markets one without an edge: GARCH volatility, jumps, regimes
SEED = 7
COSTS = Costs(fee_bps=10, slippage_bps=5)


@dataclass(frozen=True)
class Rules:
    """What all strategies of a case have in common; levels in shares of the entry price.

    `every` is how many bars lie between two signals on average, entries and exits alike.
    """

    name: str
    every: int
    stop: float | None = None
    target: float | None = None
    trail: float | None = None
    side: Side = "long"
    costs: Costs = COSTS

    def terms(self) -> Terms:
        """Return what nightjar's engines read."""
        return self.costs.terms(MINUTE, stop=self.stop, target=self.target, trail=self.trail)


class Case(NamedTuple):
    """Bars, and the entries and exits of many strategies on them: booleans, bars by strategies.

    `dropped` is how many entries were taken out because engines read them differently.
    """

    rules: Rules
    bars: Bars
    entries: NDArray[np.bool_]
    exits: NDArray[np.bool_]
    dropped: int = 0

    @property
    def strategies(self) -> int:
        """How many there are."""
        return int(self.entries.shape[1])

    @property
    def size(self) -> int:
        """Bars times strategies: what a time is divided by."""
        return self.entries.size

    def by_columns(self) -> Case:
        """Return the same case with each strategy's signals side by side in memory."""
        entries, exits = (np.asfortranarray(signals) for signals in (self.entries, self.exits))
        return self._replace(entries=entries, exits=exits)

    def write(self, path: Path) -> None:
        """Write the case for engines in other environments; `benchmarks.peers.case` reads it."""
        rules = asdict(replace(self.rules, costs=None))  # type: ignore[arg-type] # goes apart
        terms = {name: rules[name] for name in ("side", "stop", "target", "trail")}
        terms |= {"fee": self.rules.costs.fee, "slippage": self.rules.costs.slippage_bps / 10_000}
        bars = self.bars._asdict()
        prices = {name: bars[name] for name in ("time", "open", "high", "low", "close")}
        signals = {"entries": self.entries, "exits": self.exits}
        np.savez(path, terms=np.array(json.dumps(terms)), **prices, **signals)  # type: ignore[arg-type] # its last keyword is a flag


def market(days: int) -> Bars:
    """Return one-minute bars of a sandbox market that has no edge."""
    instrument = next(one for one in INSTRUMENTS if one.base == BASE)
    made = Market(instrument, SEED).bars(0, days)
    series = (made.open, made.high, made.low, made.close, made.volume)
    first = int(ORIGIN.timestamp()) * 1_000_000
    time = first + np.arange(days * 1440, dtype=np.int64) * 60_000_000
    return Bars(time, *(np.ascontiguousarray(one.ravel()) for one in series))


def wild(count: int) -> Bars:
    """Return bars that are rare: gaps in price and time, flat bars, many equal prices."""
    rng = np.random.default_rng([SEED, count])
    moves = rng.normal(0, 0.0015, count) * (rng.random(count) > 0.1)
    gaps = rng.normal(0, 0.006, count) * (rng.random(count) < 0.05)
    close = 100 * np.exp(np.cumsum(moves + gaps))
    open_ = close / np.exp(moves)
    reach = np.abs(rng.normal(0, 0.0008, (2, count))) * (moves != 0)
    high = np.maximum(open_, close) * (1 + reach[0])
    low = np.minimum(open_, close) / (1 + reach[1])
    minutes = np.cumsum(1 + (rng.random(count) < 0.01) * rng.integers(1, 90, count))
    time = int(ORIGIN.timestamp()) * 1_000_000 + minutes * 60_000_000
    o, h, lo, c = (np.round(one, 1) for one in (open_, high, low, close))
    return Bars(time.astype(np.int64), o, h, lo, c, np.ones(count))


def candles(bars: Bars) -> pl.DataFrame:
    """Return bars as the candles that nightjar's users hand over."""
    frame = pl.DataFrame(bars._asdict()).rename({"time": "open_time"})
    return frame.select(
        pl.lit("sandbox").alias("venue"),
        pl.lit(f"{BASE}-USDT").alias("symbol"),
        pl.lit("1m").alias("interval"),
        pl.col("open_time").cast(TIME),
        pl.exclude("open_time"),
    )


def case(bars: Bars, rules: Rules, strategies: int) -> Case:
    """Draw signals at random where all engines compared read them alike.

    No bar says entry and exit at once, and everyone leaves on the last close but one. No entry is
    decided on a bar inside of which a level ended a position, nor leads to a position whose last
    bar opens beyond its target and later reaches its stop: docs/fills.md.
    """
    rng = np.random.default_rng([SEED, rules.every, strategies])
    shape = (bars.time.size, strategies)
    entries, exits = (rng.random(shape) < 1 / rules.every for _ in range(2))
    entries[0] = False  # backtesting.py decides nothing on the first bar
    entries[-3:] = False
    exits[-2] = True
    exits &= ~entries
    drawn = int(entries.sum())
    room = Room.of(bars)
    for column in range(strategies):
        _settle(bars, rules, entries[:, column], exits[:, column], room)
    return Case(rules, bars, entries, exits, drawn - int(entries.sum()))


def trade(
    bars: Bars,
    rules: Rules,
    entries: NDArray[np.bool_],
    exits: NDArray[np.bool_],
    room: Room | None = None,
) -> Records:
    """Return the trades of one strategy by the reference engine."""
    signals = (entries, exits) if rules.side == "long" else (None, None, entries, exits)
    contiguous = [None if one is None else np.ascontiguousarray(one) for one in signals]
    return run(bars, pack(bars.time.size, *contiguous), rules.terms(), room).trades


def _settle(
    bars: Bars, rules: Rules, entries: NDArray[np.bool_], exits: NDArray[np.bool_], room: Room
) -> None:
    """Take out the entries that engines read differently, until none is left."""
    while True:
        trades = trade(bars, rules, entries, exits, room)
        inside = trades["exit_bar"][trades["reason"] < SIGNAL]
        unseen = inside[entries[inside]]
        crossing = trades["entry_bar"][_crosses(bars, rules, trades)] - 1
        if not unseen.size and not crossing.size:
            return
        entries[unseen] = entries[crossing] = False


def _crosses(bars: Bars, rules: Rules, trades: Records) -> NDArray[np.bool_]:
    """Say which trades reached the target at the open of a bar that fell to the stop later."""
    sign, last, entry = trades["side"], trades["exit_bar"], trades["entry_price"]
    guard = entry * (1 - sign * (rules.stop or rules.trail or np.inf))
    worst = np.where(sign == 1, bars.low[last], bars.high[last])
    opened = sign * (bars.open[last] - entry * (1 + sign * (rules.target or 0))) >= 0
    fell = sign * (worst - guard) <= 0
    crossed: NDArray[np.bool_] = (trades["reason"] == TARGET) & opened & fell
    return crossed
