"""Trades proven: on a cut history the engine makes those that it makes on the whole one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.clock import from_micros
from research.engine.batches import SIZE, batches
from research.engine.bits import NO_ROW, Grid
from research.engine.levels import FAR, NEAR, blocks_of
from research.engine.run import Batch, Ground, Room, room_of, trade
from research.lookahead.finding import POISONED, TRUNCATED, Finding
from research.lookahead.histories import TAIL
from research.lookahead.prefix import bits_inverted, bits_until, until
from research.reference import END, LONG, REASONS, TRADE, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.lookahead.histories import Histories
    from research.strategy import Strategy

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Records = NDArray[np.void]

# Runs a batch on a market; yields which strategies were done and all their trades.
Engine = Callable[[Ground, Batch, Terms, Room], Iterator[tuple[slice, Records]]]

_RULES = ("long_entry", "long_exit", "short_entry", "short_exit")
_ENTRY = ("side", "entry_bar", "entry_price")


def _mask() -> NDArray[np.uint64]:
    """Return the bytes of a trade that belong to its fields, as words."""
    used = np.zeros(TRADE.itemsize, np.uint8)
    for kind, offset, *_ in (TRADE.fields or {}).values():
        used[offset : offset + kind.itemsize] = 255
    return used.view(np.uint64)


_MASK = _mask()
_NO_TRADE = np.empty(0, TRADE)


def fast(ground: Ground, batch: Batch, terms: Terms, room: Room) -> Iterator[tuple[slice, Records]]:
    """Run the engine that scores strategies."""
    return trade(ground, batch, terms, room, measured=False)


class Trades:
    """The engine's trades on one market, compared with those on the same market cut short."""

    def __init__(self, histories: Histories, terms: Terms, engine: Engine = fast) -> None:
        self._histories = histories
        self._terms = terms
        self._engine = engine
        self._ground = histories.market.ground
        self._stage = _Stage(histories)
        self._room = room_of(self._ground, SIZE, keeps=True)

    def check(self, strategies: Sequence[Strategy]) -> list[Finding | None]:
        """Return where each strategy's trades differ first."""
        found: list[Finding | None] = [None] * len(strategies)
        for work in batches(self._histories.market.workspace, strategies):
            ids = [strategies[place].id for place in work.where]
            timeframe = strategies[int(work.where[0])].timeframe
            for row, finding in self._check(work.batch, timeframe, ids).items():
                found[int(work.where[row])] = finding
        return found

    def _check(self, batch: Batch, timeframe: str, ids: list[str]) -> dict[int, Finding]:
        whole, last = self._run(self._ground, batch), self._histories.last(timeframe)
        found: dict[int, Finding] = {}
        self._stage.reset()
        for job in self._jobs(whole, ids):  # from late to early
            ground = self._stage.ground(job)
            known = (
                self._histories.closed(timeframe, job.cut)
                if job.kind == TRUNCATED
                else self._histories.before(timeframe, job.cut)
            )
            ran = self._run(ground, _cut_batch(batch, job, last, known, ground.time.size))
            mine = whole if job.row is None else whole.of(job.row)
            for row, first in _differing(mine, ran, job):
                found[row if job.row is None else job.row] = self._finding(
                    job, first, mine.of(row), ran.of(row)
                )
        return found

    def _jobs(self, whole: _Ran, ids: list[str]) -> list[_Job]:
        """Return the histories to run on: the cuts of all, and each strategy's own.

        Its own lie right behind some of its fills: there a fill that knows more than it may shows
        at once.
        """
        cuts = self._histories.cuts
        jobs = [_Job(cut, TRUNCATED, None) for cut in cuts]
        jobs += [_Job(cut, POISONED, None) for cut in self._histories.poisoned]
        for row, name in enumerate(ids):
            jobs += [_Job(bar + 1, kind, row) for kind, bar in _fills(whole.of(row).trades, name)]
        size = self._ground.time.size
        jobs = [job for job in jobs if job.cut < size]
        return sorted(jobs, key=lambda job: (-job.cut, job.kind))

    def _run(self, ground: Ground, batch: Batch) -> _Ran:
        done = [trades.copy() for _, trades in self._engine(ground, batch, self._terms, self._room)]
        counts = self._room.counts[: batch.rules.size].copy()
        return _Ran(done[0] if len(done) == 1 else np.concatenate([_NO_TRADE, *done]), counts)

    def _finding(self, job: _Job, first: int, whole: _Ran, other: _Ran) -> Finding:
        one = next((ran.trades[first] for ran in (whole, other) if first < ran.trades.size), None)
        bar = job.cut if one is None else int(one["entry_bar"])
        return Finding(
            job.kind,
            job.cut,
            self._histories.opens(job.cut),
            "trades",
            first,
            self._histories.opens(min(bar, self._ground.time.size - 1)),
            self._shown(whole.trades, first),
            self._shown(other.trades, first),
        )

    def _shown(self, trades: Records, at: int) -> str:
        if at >= trades.size:
            return "no trade"
        one = trades[at]
        time = self._ground.time
        side = "long" if one["side"] == LONG else "short"
        entered, left = (
            from_micros(int(time[min(int(one[name]), time.size - 1)])).strftime("%Y-%m-%d %H:%M")
            for name in ("entry_bar", "exit_bar")
        )
        return (
            f"{side} {entered} at {one['entry_price']:.10g}, out {left} at "
            f"{one['exit_price']:.10g} by {REASONS[int(one['reason'])]}"
        )


class _Job(NamedTuple):
    """A history to run on, and who: the strategy of a row, or all."""

    cut: int
    kind: str
    row: int | None


class _Ran(NamedTuple):
    """The trades of a batch, one strategy after the other."""

    trades: Records
    counts: I8

    def of(self, row: int) -> _Ran:
        """Return those of one strategy."""
        end = int(self.counts[: row + 1].sum())
        count = self.counts[row : row + 1]
        return _Ran(self.trades[end - int(count[0]) : end], count)


class _Stage:
    """A market's prices, less and less of them: NaN from a cut on that moves back in time."""

    def __init__(self, histories: Histories) -> None:
        self._whole = histories.market.ground
        self._prices = self._whole.prices.copy()
        self._known = self._whole.time.size
        bars = histories.market.bars
        self._blocks = {
            cut: (blocks_of(until(bars, cut), NEAR), blocks_of(until(bars, cut), FAR))
            for cut in histories.cuts
        }

    def reset(self) -> None:
        """Bring all prices back."""
        self._prices[self._known :] = self._whole.prices[self._known :]
        self._known = self._whole.time.size

    def ground(self, job: _Job) -> Ground:
        """Return the market before a cut, no later than the one before."""
        self._prices[job.cut : self._known] = np.nan
        self._known = job.cut
        end = job.cut if job.kind == TRUNCATED else min(job.cut + TAIL, self._whole.time.size)
        near, far = self._extremes(job, end)
        ends = self._whole.ends
        ends = np.append(ends[: np.searchsorted(ends, end - 1)], end - 1)
        return Ground(self._whole.time[:end], self._prices[:end], near, far, ends)

    def _extremes(self, job: _Job, end: int) -> tuple[F8, F8]:
        if job.kind == TRUNCATED and job.cut in self._blocks:
            return self._blocks[job.cut]
        whole = (self._whole.near, NEAR), (self._whole.far, FAR)
        near, far = (self._cut(blocks, size, job.cut, end) for blocks, size in whole)
        return near, far

    def _cut(self, blocks: F8, size: int, cut: int, end: int) -> F8:
        """Return the extremes of blocks before `end`; of the one with the cut from what is left."""
        count, block = ((end - 1) >> size) + 1, (cut - 1) >> size
        kept = blocks[:count].copy()
        if end > cut:
            kept[cut >> size :] = np.inf, -np.inf, np.inf, -np.inf
        if end == cut or cut & ((1 << size) - 1) == 0:
            _, high, low, close = self._prices[block << size : cut].T
            kept[block] = high.max(), low.min(), close.max(), close.min()
        return kept


def _fills(trades: Records, name: str) -> Iterator[tuple[str, int]]:
    """Yield bars in which a strategy fills, and how to cut there: of two trades that end unlike.

    Which they are is read from the strategy's id, so that it does not matter who is run beside.
    """
    if not trades.size:
        return
    draw = int(name, 16)
    one = trades[draw % trades.size]
    yield POISONED, int(one["entry_bar"])
    yield TRUNCATED, int(one["exit_bar"])
    others = trades[trades["reason"] != one["reason"]]
    if others.size:
        yield TRUNCATED, int(others[draw % others.size]["exit_bar"])


def _cut_batch(batch: Batch, job: _Job, last: I8, known: int, bars: int) -> Batch:
    """Return a batch that knows `known` of the flags decided on the bars `last`.

    Poisoned ones go on with the opposite of what they are.
    """
    rules = (batch.rules if job.row is None else batch.rules[job.row : job.row + 1]).copy()
    end = known if job.kind == TRUNCATED else int(np.searchsorted(last, bars))
    starts = np.stack([rules[name] for name in _RULES])
    has = starts != NO_ROW
    rows = batch.entries[starts[has][:, None] + np.arange(-(-end // 64))]
    rows = bits_until(rows, known) if job.kind == TRUNCATED else bits_inverted(rows, known, end)
    starts[has] = 1 + np.arange(rows.shape[0]) * rows.shape[1]
    for name, start in zip(_RULES, starts, strict=True):
        rules[name] = start
    bank = np.concatenate([np.zeros(1, np.uint64), rows.reshape(-1)])
    grid = Grid(end, batch.grid.bars[:end], batch.grid.first[:bars])
    return Batch(bank, bank, grid, rules)


def _differing(whole: _Ran, ran: _Ran, job: _Job) -> list[tuple[int, int]]:
    """Return which strategies of a batch differ, and in which trade first.

    Trades that ended before the cut are the same in all. One still open has the same entry;
    where the history ends, it ends as well.
    """
    begun = whole.trades["entry_bar"] < job.cut
    made = ran.trades["entry_bar"] < job.cut
    expected, others = _counts(whole, begun), _counts(ran, made)
    if (
        np.array_equal(expected, others)
        and _alike(whole.trades[begun], ran.trades[made], job).all()
    ):
        return []
    rows = []
    for row in range(whole.counts.size):
        one, other = whole.of(row).trades, ran.of(row).trades
        one, other = one[one["entry_bar"] < job.cut], other[other["entry_bar"] < job.cut]
        both = min(one.size, other.size)
        unlike = np.flatnonzero(~_alike(one[:both], other[:both], job))
        if unlike.size:
            rows.append((row, int(unlike[0])))
        elif one.size != other.size:
            rows.append((row, both))
    return rows


def _counts(ran: _Ran, chosen: NDArray[np.bool_]) -> I8:
    """Return how many of the chosen trades each strategy has."""
    if ran.counts.size == 1:
        return np.array([np.count_nonzero(chosen)])
    owner = np.repeat(np.arange(ran.counts.size), ran.counts)
    return np.bincount(owner[chosen], minlength=ran.counts.size)


def _alike(one: Records, other: Records, job: _Job) -> NDArray[np.bool_]:
    """Say of pairs of trades whether they are what one trade is on both histories."""
    alike: NDArray[np.bool_] = (_words(one) == _words(other)).all(axis=1)
    still = np.flatnonzero(one["exit_bar"] >= job.cut)
    mine, its = one[still], other[still]
    ended = its["exit_bar"] >= job.cut
    if job.kind == TRUNCATED:
        ended = (its["exit_bar"] == job.cut - 1) & (its["reason"] == END)
    for name in _ENTRY:
        ended &= _bits(mine[name]) == _bits(its[name])
    alike[still] = ended
    return alike


def _words(trades: Records) -> NDArray[np.uint64]:
    """Return each trade as a row of words, without what lies between its fields."""
    return np.ascontiguousarray(trades).view(np.uint64).reshape(trades.size, _MASK.size) & _MASK


def _bits(column: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(column).view(f"i{column.itemsize}")
