"""Trades proven: on a cut history the engine makes those that it makes on the whole one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from research.engine.batches import SIZE, batches
from research.engine.run import Batch, Ground, Room, room_of, trade
from research.lookahead.finding import POISONED, TRUNCATED, Finding
from research.lookahead.histories import TAIL
from research.lookahead.stage import Decisions, Prices
from research.reference import END, LONG, REASONS, TRADE, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.lookahead.histories import Histories
    from research.strategy import Strategy

I8 = NDArray[np.int64]
Records = NDArray[np.void]

# Runs a batch on a market; yields which strategies were done and all their trades.
Engine = Callable[[Ground, Batch, Terms, Room], Iterator[tuple[slice, Records]]]

_ENTRY = ("side", "entry_bar", "entry_price")


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
        self._prices = Prices(self._ground)
        self._room = room_of(self._ground, SIZE, keeps=True)

    def check(self, strategies: Sequence[Strategy]) -> list[Finding | None]:
        """Return where each strategy's trades differ first."""
        found: list[Finding | None] = [None] * len(strategies)
        for work in batches(self._histories.market.workspace, strategies):
            those = [strategies[place] for place in work.where]
            for row, finding in self._check(work.batch, those).items():
                found[int(work.where[row])] = finding
        return found

    def _check(self, batch: Batch, strategies: Sequence[Strategy]) -> dict[int, Finding]:
        """Return the findings of a batch by row: of several, that of the earliest cut."""
        timeframe, bars = strategies[0].timeframe, self._ground.time.size
        whole = self._run(self._ground, batch)
        alone = [whole.of(row) for row in range(len(strategies))]
        found: dict[int, Finding] = {}
        self._prices.reset()
        decisions = Decisions(batch)
        for job in self._jobs(alone, strategies):  # from late to early
            end = job.cut if job.kind == TRUNCATED else min(job.cut + TAIL, bars)
            known, flags = self._flags(timeframe, job, end)
            ran = self._run(
                self._prices.before(job.cut, end), decisions.before(known, flags, end, job.row)
            )
            mine = whole if job.row is None else alone[job.row]
            for place, first in _differing(mine, ran, job):
                row = place if job.row is None else job.row
                found[row] = self._finding(job, first, alone[row].trades, ran.of(place).trades)
        return found

    def _flags(self, timeframe: str, job: _Job, end: int) -> tuple[int, int]:
        """Return how many decisions of a timeframe are known, and how many there are."""
        if job.kind == TRUNCATED:
            known = self._histories.closed(timeframe, job.cut)
            return known, known
        before = self._histories.before
        return before(timeframe, job.cut), before(timeframe, end)

    def _jobs(self, alone: Sequence[_Ran], strategies: Sequence[Strategy]) -> list[_Job]:
        """Return the histories to run on: the cuts of all, and each strategy's own.

        Its own lie right behind some of its fills: there a fill that knows more than it may shows
        at once.
        """
        jobs = [_Job(cut, TRUNCATED, None) for cut in self._histories.cuts]
        jobs += [_Job(cut, POISONED, None) for cut in self._histories.poisoned]
        for row, (ran, strategy) in enumerate(zip(alone, strategies, strict=True)):
            jobs += [_Job(bar + 1, kind, row) for kind, bar in _fills(ran.trades, strategy.id)]
        jobs = [job for job in jobs if job.cut < self._ground.time.size]
        return sorted(jobs, key=lambda job: (-job.cut, job.kind))  # as `closed` is within `before`

    def _run(self, ground: Ground, batch: Batch) -> _Ran:
        done = [trades.copy() for _, trades in self._engine(ground, batch, self._terms, self._room)]
        trades = done[0] if len(done) == 1 else np.concatenate([_NO_TRADE, *done])
        return _Ran(trades, _words(trades), self._room.counts[: batch.rules.size].copy())

    def _finding(self, job: _Job, first: int, whole: Records, other: Records) -> Finding:
        one = next(trades[first] for trades in (whole, other) if first < trades.size)
        opens, entered = self._histories.opens, int(one["entry_bar"])
        shown = (self._shown(trades, first) for trades in (whole, other))
        return Finding(job.kind, job.cut, opens(job.cut), "trades", first, opens(entered), *shown)

    def _shown(self, trades: Records, at: int) -> str:
        if at >= trades.size:
            return "no trade"
        one = trades[at]
        entered, left = (
            f"{self._histories.opens(int(one[name])):%Y-%m-%d %H:%M}"
            for name in ("entry_bar", "exit_bar")
        )
        return (
            f"{'long' if one['side'] == LONG else 'short'} {entered} at "
            f"{one['entry_price']:.10g}, out {left} at {one['exit_price']:.10g} by "
            f"{REASONS[int(one['reason'])]}"
        )


class _Job(NamedTuple):
    """A history to run on, and who: the strategy of a row, or all."""

    cut: int
    kind: str
    row: int | None


class _Ran(NamedTuple):
    """The trades of a batch, one strategy after the other."""

    trades: Records
    words: NDArray[np.uint64]  # the same as rows of words
    counts: I8

    def of(self, row: int) -> _Ran:
        """Return those of one strategy."""
        count = self.counts[row : row + 1]
        end = int(self.counts[: row + 1].sum())
        part = slice(end - int(count[0]), end)
        return _Ran(self.trades[part], self.words[part], count)

    def begun(self, cut: int) -> _Ran:
        """Return those entered before a cut."""
        chosen = self.trades["entry_bar"] < cut
        if self.counts.size == 1:  # one after the other: they are the first
            count = np.count_nonzero(chosen)
            return _Ran(self.trades[:count], self.words[:count], np.array([count]))
        owner = np.repeat(np.arange(self.counts.size), self.counts)
        counts = np.bincount(owner[chosen], minlength=self.counts.size)
        return _Ran(self.trades[chosen], self.words[chosen], counts)


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


def _differing(whole: _Ran, ran: _Ran, job: _Job) -> list[tuple[int, int]]:
    """Return which strategies of a batch differ, and in which trade first.

    Trades that ended before the cut are the same in all. One still open has the same entry;
    where the history ends, it ends as well.
    """
    one, other = whole.begun(job.cut), ran.begun(job.cut)
    if np.array_equal(one.counts, other.counts) and _alike(one, other, job).all():
        return []
    rows = []
    for row in range(whole.counts.size):
        mine, its = one.of(row), other.of(row)
        both = min(mine.trades.size, its.trades.size)
        unlike = np.flatnonzero(~_alike(_first(mine, both), _first(its, both), job))
        if unlike.size:
            rows.append((row, int(unlike[0])))
        elif mine.trades.size != its.trades.size:
            rows.append((row, both))
    return rows


def _first(ran: _Ran, count: int) -> _Ran:
    return _Ran(ran.trades[:count], ran.words[:count], ran.counts)


def _alike(whole: _Ran, ran: _Ran, job: _Job) -> NDArray[np.bool_]:
    """Say of pairs of trades whether they are what one trade is on both histories."""
    alike: NDArray[np.bool_] = (whole.words == ran.words).all(axis=1)
    still = np.flatnonzero(whole.trades["exit_bar"] >= job.cut)
    if still.size:
        mine, its = whole.trades[still], ran.trades[still]
        ended = its["exit_bar"] >= job.cut
        if job.kind == TRUNCATED:
            ended = (its["exit_bar"] == job.cut - 1) & (its["reason"] == END)
        for name in _ENTRY:
            ended &= _bits(mine[name]) == _bits(its[name])
        alike[still] = ended
    return alike


def _mask() -> NDArray[np.uint64]:
    """Return the bytes of a trade that belong to its fields, as words."""
    used = np.zeros(TRADE.itemsize, np.uint8)
    for kind, offset, *_ in (TRADE.fields or {}).values():
        used[offset : offset + kind.itemsize] = 255
    return used.view(np.uint64)


_MASK = _mask()
_NO_TRADE = np.empty(0, TRADE)


def _words(trades: Records) -> NDArray[np.uint64]:
    """Return each trade as a row of words, without what lies between its fields."""
    return np.ascontiguousarray(trades).view(np.uint64).reshape(trades.size, _MASK.size) & _MASK


def _bits(column: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(column).view(f"i{column.itemsize}")
