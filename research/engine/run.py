"""The owner of the compiled engine: what it needs of a market, and batches of strategies run on it.

A batch is any number of strategies whose flags lie on one grid. Each is run alone: what comes out
for one does not depend on the others, nor on how many threads run batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from research.engine.levels import FAR, NEAR, blocks_of, prices_of
from research.engine.marks import drawdown_nb, hold_days_nb, mark_days_nb
from research.engine.measure import (
    AMBIGUOUS,
    AVG_TRADE,
    COLUMNS,
    EXPOSED,
    PROFIT_FACTOR,
    SHARPE,
    SORTINO,
    TURNOVER,
    WIN_RATE,
    daily_nb,
    measure_days_nb,
    measure_trades_nb,
)
from research.engine.walk import terms_nb, walk_nb
from research.kernels import kernel
from research.reference import TRADE, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from research.bars import Bars
    from research.engine.bits import U8, Grid

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Records = NDArray[np.void]

ENGINES = ("fast", "reference")  # the other one is research/reference.py

CASH, DRAWDOWN = COLUMNS, COLUMNS + 1  # what the table of a room holds beside what is measured

SPARE = 100_000  # trades that are kept before a run has to stop and hand them over


class Ground(NamedTuple):
    """A market as the kernels see it; made once, never written to."""

    time: I8
    prices: F8  # research/engine/levels.py says what the columns of these three are
    near: F8
    far: F8
    ends: I8  # each UTC day's last bar


class Batch(NamedTuple):
    """Strategies on one grid: the flags of their rules, and which rows are whose."""

    entries: U8  # rows of flags
    exits: U8  # the same; may be the same array
    grid: Grid
    rules: Records  # of RULES


class Room(NamedTuple):
    """Where a run writes, one row per strategy of a batch; used again by one after the other."""

    trades: Records
    counts: I8  # trades of each strategy
    table: F8  # the columns of research/engine/measure.py, then CASH and DRAWDOWN
    marks: F8  # equity at each day's end
    returns: F8  # of each day
    held: F8  # bars of each day in a position, longs less shorts; no rows where nobody asks
    scratch: F8


def room_of(ground: Ground, strategies: int, *, keeps: bool, holds: bool = False) -> Room:
    """Make room for a batch; a run that keeps no trades needs only that of one strategy.

    `holds` also makes room for the bars held on each day.
    """
    bars, days = ground.time.size, ground.ends.size
    return Room(
        trades=np.empty(bars + (max(bars, SPARE) if keeps else 0), TRADE),
        counts=np.zeros(strategies, np.int64),
        table=np.zeros((strategies, COLUMNS + 2)),
        marks=np.zeros((strategies, days)),
        returns=np.zeros((strategies, days)),
        held=np.zeros((strategies if holds else 0, days)),
        scratch=np.empty(max(bars, days)),
    )


def check_engine(engine: str, workers: int = 1) -> None:
    """Raise `InvalidInput` where there is no such engine, or nobody to run it."""
    if engine not in ENGINES:
        raise InvalidInput(f"expected an engine of {', '.join(ENGINES)}, was {engine!r}")
    if workers < 1:
        raise InvalidInput(f"expected at least 1 worker, was {workers!r}")


def ground_of(bars: Bars, ends: I8) -> Ground:
    """Prepare a market of at least one bar."""
    return Ground(
        np.require(bars.time, np.int64, ["C", "W"]),
        prices_of(bars),
        blocks_of(bars, NEAR),
        blocks_of(bars, FAR),
        np.require(ends, np.int64, ["C", "W"]),
    )


def trade(
    ground: Ground, batch: Batch, terms: Terms, room: Room, *, measured: bool
) -> Iterator[tuple[slice, Records]]:
    """Run a batch; yield which strategies were done and all their trades, a view of the room.

    The rows of those strategies in the room hold until the next step.
    """
    first = 0
    while first < batch.rules.size:
        done = run_nb(ground, batch, terms, room, first, True, measured)  # noqa: FBT003 - a kernel
        part = slice(first, done)
        yield part, room.trades[: room.counts[part].sum()]
        first = done


def score(ground: Ground, batch: Batch, terms: Terms, room: Room) -> None:
    """Run a batch and measure it; no trades are kept."""
    run_nb(ground, batch, terms, room, 0, False, True)  # noqa: FBT003 - a kernel


def figures(ground: Ground, room: Room, part: slice) -> dict[str, NDArray[Any]]:
    """Return the columns of `core.datasets.METRICS` of the strategies run, NaN for null."""
    table = room.table[part]
    return {
        "total_return": table[:, CASH] - 1.0,
        "sharpe": table[:, SHARPE],
        "sortino": table[:, SORTINO],
        "max_drawdown": table[:, DRAWDOWN],
        "profit_factor": table[:, PROFIT_FACTOR],
        "win_rate": table[:, WIN_RATE],
        "trades": room.counts[part],
        "exposure": table[:, EXPOSED] / ground.time.size,
        "turnover": table[:, TURNOVER],
        "ambiguous_trades": table[:, AMBIGUOUS].astype(np.int64),
        "avg_trade": table[:, AVG_TRADE],
    }


@kernel
def measure_nb(ground: Ground, room: Room, trades: Records, terms: Terms, i: int) -> None:
    """Write what the trades of strategy `i` amount to into its rows of the room."""
    row = room.table[i]
    row[CASH] = mark_days_nb(ground.time, ground.prices, ground.ends, trades, terms, room.marks[i])
    row[DRAWDOWN] = drawdown_nb(ground.time, ground.prices, ground.near, trades, terms)
    daily_nb(room.marks[i], room.returns[i])
    measure_days_nb(room.returns[i], room.scratch, row)
    measure_trades_nb(trades, terms.fee, room.scratch, row)
    if room.held.shape[0]:
        hold_days_nb(ground.ends, trades, room.held[i])


@kernel
def run_nb(  # noqa: PLR0917 - a kernel
    ground: Ground,
    batch: Batch,
    shared: Terms,
    room: Room,
    first: int,
    keeps: bool,  # noqa: FBT001 - numba knows no keyword-only arguments
    measured: bool,  # noqa: FBT001
) -> int:
    """Run strategies from `first` on; return the first that was not, for want of room.

    The trades of those that were run lie one after the other at the start of the room.
    """
    free = 0
    for i in range(first, batch.rules.size):
        if room.trades.size - free < ground.time.size:
            return i
        terms = terms_nb(shared, batch.rules[i])
        trades = room.trades[free:]
        count = walk_nb(*ground[:4], *batch[:3], batch.rules[i], terms, trades)
        room.counts[i] = count
        if measured:
            measure_nb(ground, room, trades[:count], terms, i)
        if keeps:
            free += count
    return batch.rules.size
