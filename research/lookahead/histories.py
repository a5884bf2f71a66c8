"""One market as it was known earlier: which bars were closed, proven to be those known today."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from core.clock import from_micros
from core.market import interval_step
from research.bars import Bars, resample
from research.lookahead.finding import POISONED, TRUNCATED, WARM_UP, Finding
from research.lookahead.prefix import differing, poisoned, since, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from research.bars import I8
    from research.market import Market

# Bars of NaN behind a cut. What reads further ahead reads past the end, which shows as well.
TAIL = 64

EVERY = 4  # of so many cuts one is poisoned as well


class Histories:
    """A market's bars of each timeframe, and how many of them had closed before a cut."""

    def __init__(self, market: Market, cuts: Sequence[int]) -> None:
        self.market = market
        self.cuts = tuple(cuts)
        self.poisoned = self.cuts[::EVERY]
        self._last: dict[str, I8] = {}
        self._found: dict[str, Finding | None] = {}

    def last(self, timeframe: str) -> I8:
        """Return the finest bar on whose close each bar of a timeframe is decided.

        Raises:
            InvalidInput: The timeframe is finer than the bars, or not made of them.
        """
        if timeframe not in self._last:
            market, step = self.market, interval_step(timeframe)
            market.workspace.bars(timeframe)  # refuses what the bars cannot serve
            self._last[timeframe] = resample(market.bars, market.step, step)[1]
        return self._last[timeframe]

    def bars(self, timeframe: str) -> Bars:
        """Return the closed bars of a timeframe."""
        return self.market.workspace.bars(timeframe)

    def before(self, timeframe: str, cut: int) -> int:
        """Return how many bars of a timeframe are decided before bar `cut`."""
        return int(np.searchsorted(self.last(timeframe), cut))

    def closed(self, timeframe: str, cut: int) -> int:
        """Return how many bars of a timeframe are known to be closed where history ends at `cut`.

        One that still waits for its final bar is not, though nothing may follow in it.
        """
        count = self.before(timeframe, cut)
        if not count or self.last(timeframe)[count - 1] < cut - 1:
            return count
        ends = int(self.market.bars.time[cut - 1]) + _micros(self.market.step)
        return count - bool(ends % _micros(interval_step(timeframe)))

    def check(self, timeframe: str) -> Finding | None:
        """Say where the bars of a timeframe differ on a history that was cut."""
        if timeframe not in self._found:
            self._found[timeframe] = self._check(timeframe)
        return self._found[timeframe]

    def _check(self, timeframe: str) -> Finding | None:
        bars = self.market.bars
        for cut in self.cuts:
            known = self.closed(timeframe, cut)
            found = self._compare(TRUNCATED, timeframe, cut, until(bars, cut), known)
            if found is not None:
                return found
        for cut in self.poisoned:
            behind = poisoned(bars, cut, min(cut + TAIL, bars.time.size))
            known = self.before(timeframe, cut)
            found = self._compare(POISONED, timeframe, cut, behind, known)
            if found is not None:
                return found
        return None

    def _compare(
        self, kind: str, timeframe: str, cut: int, history: Bars, known: int
    ) -> Finding | None:
        """Compare the bars that a history closes with the first `known` of the whole one."""
        bars, last = resample(history, self.market.step, interval_step(timeframe))
        closed = last.size if kind == TRUNCATED else int(np.searchsorted(last, cut))
        whole, decided = until(self.bars(timeframe), known), self.last(timeframe)[:known]
        other = until(bars, closed)
        first = _first(
            differing(decided, last[:closed], max(known, closed)), _unequal(whole, other)
        )
        if first is None:
            return None
        return self.finding(
            kind,
            cut,
            timeframe,
            f"bars of {timeframe}",
            first,
            _bar(whole, first),
            _bar(other, first),
        )

    def finding(  # noqa: PLR0917 - the fields of a finding, in their order
        self, kind: str, cut: int, timeframe: str, what: str, first: int, whole: str, other: str
    ) -> Finding:
        """Return a finding about a bar of a timeframe."""
        time = self.bars(timeframe).time
        when = from_micros(int(time[min(first, time.size - 1)])) if time.size else self.opens(cut)
        return Finding(kind, cut, self.opens(cut), what, first, when, whole, other)

    def opens(self, bar: int) -> datetime:
        """Return when a finest bar opens; behind the last, when that does."""
        time = self.market.bars.time
        return from_micros(int(time[min(bar, time.size - 1)]))


def later_differs(histories: Histories, timeframe: str, start: int, later: Bars) -> Finding | None:
    """Say where the bars of a history that starts later are not the last of the whole one."""
    bars = histories.bars(timeframe)
    first = bars.time.size - later.time.size
    whole = since(bars, max(first, 0))
    at = _unequal(whole, later)
    if at is None:
        return None
    return histories.finding(
        WARM_UP,
        start,
        timeframe,
        f"bars of {timeframe}",
        first + at,
        _bar(whole, at),
        _bar(later, at),
    )


def _unequal(one: Bars, other: Bars) -> int | None:
    """Return the first bar that is not the same in both, to the bit."""
    count = max(one.time.size, other.time.size)
    numbers = (differing(mine, its, count) for mine, its in zip(one[1:], other[1:], strict=True))
    return _first(differing(one.time, other.time, count), *numbers)


def _first(*places: int | None) -> int | None:
    return min((each for each in places if each is not None), default=None)


def _bar(bars: Bars, at: int) -> str:
    if at >= bars.time.size:
        return "no closed bar"
    return "a bar of " + " ".join(f"{float(each[at]):.10g}" for each in bars[1:])


def _micros(step: timedelta) -> int:
    return step // timedelta(microseconds=1)
