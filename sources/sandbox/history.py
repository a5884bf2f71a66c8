"""Which bars the sandbox shows for a question, at a moment, with the faults of bars in force."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.clock import to_micros
from core.market import INTERVALS
from sources.sandbox.faults import Faults, chance
from sources.sandbox.markets import ORIGIN, Market
from sources.sandbox.paths import F8, MINUTES, stepped
from sources.sandbox.symbols import BY_VENUE_SYMBOL, Instrument

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

MINUTE_MS = 60_000
ORIGIN_MS = to_micros(ORIGIN) // 1_000
STEPS = {name: int(step.total_seconds()) // 60 for name, step in INTERVALS.items()}
"""Minutes in a bar of each interval."""

_BLOCK = 32  # days that are made and remembered together
_REMEMBERED = 24  # of them: about 80 MB; more where there are more markets than usual
_LATELY = 8
_BLOCK_MINUTES = _BLOCK * MINUTES
_GAP_MINUTES = 5  # minutes go missing in runs of so many


class Candles(NamedTuple):
    """Bars of one series, ascending.

    `open_time` is in milliseconds. The rows of `values` are open, high, low, close, volume, quote
    volume, trades, taker volume, taker quote volume.
    """

    open_time: NDArray[np.int64]
    values: F8


class Question(NamedTuple):
    """Bars that open in [start, end] (both included, milliseconds), at most `limit` of them.

    Without a start the latest are meant, else the earliest. `step` is in minutes.
    """

    instrument: Instrument
    step: int
    start: int | None
    end: int | None
    limit: int


class View(NamedTuple):
    """Under what circumstances a question is answered; `injected` counts faults by kind."""

    now_ms: int
    faults: Faults
    injected: Counter[str]


class History:
    """All bars of all instruments from one seed; remembers the blocks it made last."""

    def __init__(self, seed: int, instruments: Mapping[str, Instrument] = BY_VENUE_SYMBOL) -> None:
        self._markets = {name: Market(one, seed) for name, one in instruments.items()}
        remembered = max(_REMEMBERED, len(self._markets) + _LATELY)
        self._block = lru_cache(maxsize=remembered)(self._make_block)

    def ask(self, question: Question, view: View) -> Candles:
        """Return the bars as of the view's moment; one still forming is the last, as it is then."""
        found: list[Candles] = []
        rows = 0
        for first, last in _windows(question, view.now_ms):
            found.append(self._buckets(question, first, last, view))
            rows += found[-1].open_time.size
            if rows >= question.limit:
                break
        if question.start is None:
            found.reverse()
        return _damaged(_cut(_joined(found), question), question, view)

    def _make_block(self, venue_symbol: str, block: int) -> F8:
        days = self._markets[venue_symbol].bars(block * _BLOCK, (block + 1) * _BLOCK)
        return np.stack(days).reshape(len(days), -1)

    def _buckets(self, question: Question, first: int, last: int, view: View) -> Candles:
        """Return the bars number [first, last), counted in steps since `ORIGIN`."""
        now = (view.now_ms - ORIGIN_MS) // MINUTE_MS
        begin, end = first * question.step, min(last * question.step, now + 1)
        parts = []
        for block in range(begin // _BLOCK_MINUTES, -(-end // _BLOCK_MINUTES)):
            minutes = self._minutes(question.instrument, block, begin, end)
            if minutes.open_time[-1] == ORIGIN_MS + now * MINUTE_MS:
                _reveal(minutes, question.instrument, (view.now_ms % MINUTE_MS) / MINUTE_MS)
            parts.append(_aggregated(_without_gaps(minutes, question, view), question))
        return _joined(parts)

    def _minutes(self, instrument: Instrument, block: int, begin: int, end: int) -> Candles:
        """Return a copy of the minutes [begin, end) as far as they lie in `block`."""
        values = self._block(instrument.venue_symbol, block)
        offset = block * _BLOCK_MINUTES
        low, high = max(begin, offset), min(end, offset + _BLOCK_MINUTES)
        times = ORIGIN_MS + np.arange(low, high, dtype=np.int64) * MINUTE_MS
        return Candles(times, values[:, low - offset : high - offset].copy())


def _windows(question: Question, now_ms: int) -> Iterator[tuple[int, int]]:
    """Cut the bars in question into stretches of `limit`, in the order in which they count.

    More than one is looked at only where bars are missing.
    """
    step_ms = question.step * MINUTE_MS
    end = now_ms if question.end is None else min(now_ms, question.end)
    last = (end - ORIGIN_MS) // step_ms + 1
    if question.start is None:
        for high in range(last, 0, -question.limit):
            yield max(0, high - question.limit), high
        return
    first = max(0, -((ORIGIN_MS - question.start) // step_ms))
    for low in range(first, last, question.limit):
        yield low, min(low + question.limit, last)


def _joined(parts: list[Candles]) -> Candles:
    if not parts:
        return Candles(np.empty(0, dtype=np.int64), np.empty((9, 0)))
    times = np.concatenate([part.open_time for part in parts])
    return Candles(times, np.concatenate([part.values for part in parts], axis=1))


def _cut(candles: Candles, question: Question) -> Candles:
    kept = slice(-question.limit, None) if question.start is None else slice(question.limit)
    return Candles(candles.open_time[kept], candles.values[:, kept])


def _reveal(minutes: Candles, instrument: Instrument, share: float) -> None:
    """Leave of the last minute what is known when `share` of it has passed.

    The price goes from the open to one extreme, to the other, and to the close.
    """
    open_, high, low, close = minutes.values[:4, -1]
    turns = (low, high) if close >= open_ else (high, low)
    path, at = np.array([open_, *turns, close]), np.array([0.0, 0.3, 0.7, 1.0])
    price = float(stepped(np.interp(share, at, path), instrument.tick))
    seen = np.append(path[at <= share], price)
    minutes.values[:4, -1] = open_, seen.max(), seen.min(), price
    minutes.values[4:, -1] *= share
    minutes.values[4, -1] = np.floor(minutes.values[4, -1] / instrument.lot) * instrument.lot
    minutes.values[6, -1] = np.floor(minutes.values[6, -1])
    minutes.values[7, -1] = min(minutes.values[7, -1], minutes.values[4, -1])


def _without_gaps(minutes: Candles, question: Question, view: View) -> Candles:
    faults = view.faults
    if not faults.gaps:
        return minutes
    run = minutes.open_time // (_GAP_MINUTES * MINUTE_MS)
    there = chance(faults.seed, "gaps", question.instrument.base, run) >= faults.gaps
    view.injected["gaps"] += int(np.count_nonzero(~there))
    return Candles(minutes.open_time[there], minutes.values[:, there])


def _aggregated(minutes: Candles, question: Question) -> Candles:
    """Make bars of `step` minutes out of the minutes that are there."""
    if question.step == 1 or not minutes.open_time.size:
        return minutes
    step_ms = question.step * MINUTE_MS
    times = minutes.open_time - minutes.open_time % step_ms
    starts = np.flatnonzero(np.diff(times, prepend=-1))
    ends = np.append(starts[1:], times.size) - 1
    v = minutes.values
    high, low = np.maximum.reduceat(v[1], starts), np.minimum.reduceat(v[2], starts)
    sums = np.add.reduceat(v[4:], starts, axis=1)
    return Candles(times[starts], np.vstack([v[0][starts], high, low, v[3][ends], sums]))


def _damaged(candles: Candles, question: Question, view: View) -> Candles:
    """Apply the faults of single bars; a page stays within its limit."""
    name, faults = question.instrument.base, view.faults
    if faults.outliers:
        draws = chance(faults.seed, "outliers", name, candles.open_time)
        hit = draws < faults.outliers
        view.injected["outliers"] += int(np.count_nonzero(hit))
        candles.values[:4, hit] *= np.round(3 + 7 * draws[hit] / faults.outliers, 2)
    if faults.duplicates:
        hit = chance(faults.seed, "duplicates", name, candles.open_time) < faults.duplicates
        view.injected["duplicates"] += int(np.count_nonzero(hit))
        index = np.repeat(np.arange(hit.size), 1 + hit)
        candles = Candles(candles.open_time[index], candles.values[:, index])
        return _cut(candles, question)
    return candles
