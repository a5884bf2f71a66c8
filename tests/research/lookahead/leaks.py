"""Things that know more than they may: indicators and engines with a leak put into them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from research.engine.levels import CLOSE, HIGH, LOW, OPEN
from research.indicators import INDICATORS
from research.lookahead.trades import fast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from research.engine.run import Batch, Ground, Room
    from research.reference import Records, Terms


def one_ahead(values: Any) -> Any:
    """The value of the next bar; the last bar has none."""
    return np.append(values[1:], np.nan)


def one_ahead_held(values: Any) -> Any:
    """The value of the next bar; the last bar keeps its own, so that none is missing."""
    return np.append(values[1:], values[-1])


def of_the_whole(values: Any) -> Any:
    """The distance from the mean of the whole history, as a careless z-score has it."""
    return values - np.nanmean(values)


def smoothed_both_ways(values: Any) -> Any:
    """The mean with the next bar, where there is one that is a number."""
    ahead = one_ahead_held(values)
    return (values + np.where(np.isnan(ahead), values, ahead)) / 2


def of_its_length(values: Any) -> Any:
    """A value that knows how long the history will be."""
    return values * (1 + 1e-9 * values.size)


def far_ahead(values: Any) -> Any:
    """The value a thousand bars later, further than any poison reaches."""
    return np.append(values[1_000:], np.full(min(1_000, values.size), values[-1]))


LEAKS = (
    one_ahead,
    one_ahead_held,
    of_the_whole,
    smoothed_both_ways,
    of_its_length,
    far_ahead,
)


def leaky(
    monkeypatch: pytest.MonkeyPatch, name: str, leak: Callable[[Any], Any], honest: str = "ema"
) -> None:
    """Register a copy of an indicator under another name, its values passed through a leak."""
    one = INDICATORS[honest]

    def compute(*given: Any) -> Any:
        return leak(np.asarray(one.compute(*given), np.float64))

    copy = dataclasses.replace(one, name=name, compute=compute)
    monkeypatch.setitem(INDICATORS, name, copy)


def changed(
    prices: Callable[[Any], Any] | None = None, bits: Callable[[Any], Any] | None = None
) -> Callable[[Ground, Batch, Terms, Room], Iterator[tuple[slice, Records]]]:
    """Return an engine that sees other prices, or other decisions, than those it is given."""

    def engine(
        ground: Ground, batch: Batch, terms: Terms, room: Room
    ) -> Iterator[tuple[slice, Records]]:
        if prices is not None:
            ground = ground._replace(prices=np.ascontiguousarray(prices(ground.prices.copy())))
        if bits is not None:
            turned = bits(batch)
            batch = batch._replace(entries=turned, exits=turned)
        return fast(ground, batch, terms, room)

    return engine


def next_open(prices: Any) -> Any:
    """Fill at the open of the bar after the one that may be filled at."""
    prices[:-1, OPEN] = prices[1:, OPEN]
    return prices


def best_of_the_next_bar(prices: Any) -> Any:
    """Fill at the low of the bar after."""
    prices[:-1, OPEN] = prices[1:, LOW]
    return prices


def middle_with_the_next_close(prices: Any) -> Any:
    """Fill half at the close of the bar after."""
    prices[:-1, OPEN] = (prices[:-1, OPEN] + prices[1:, CLOSE]) / 2
    return prices


def stops_know_the_next_bar(prices: Any) -> Any:
    """Look for stops and targets in the bar after."""
    prices[:-1, [HIGH, LOW]] = prices[1:, [HIGH, LOW]]
    return prices


def best_of_the_same_bar(prices: Any) -> Any:
    """Fill at the low of the very bar whose open was meant: nothing of a later bar."""
    prices[:, OPEN] = prices[:, LOW]
    return prices


def next_decision(batch: Batch) -> Any:
    """Read each decision one flag early: decide on what the next bar will say."""
    rules, bank = batch.rules, batch.entries.copy()
    columns = [rules[name] for name in ("long_entry", "long_exit", "short_entry", "short_exit")]
    starts = np.unique(np.concatenate(columns))
    starts = starts[starts >= 0]
    for start, end in zip(starts, np.append(starts[1:], bank.size), strict=True):
        row = bank[start:end]
        carried = np.append(row[1:], np.uint64(0)) << np.uint64(63)
        bank[start:end] = (row >> np.uint64(1)) | carried
    return bank
