"""Equity between trades: each day's end and the deepest fall, as a look at every close finds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.engine.levels import BOTTOM, CLOSE, NEAR, TOP, blocks_of, prices_of
from research.engine.marks import (
    between_nb,
    beyond_nb,
    drawdown_nb,
    each_nb,
    extremes_nb,
    fall_nb,
    hold_days_nb,
    mark_days_nb,
    weigh_nb,
)
from research.metrics import bars_held, day_ends
from research.reference import LONG, SHORT, TRADE, Terms, mark_nb, max_drawdown_nb, pack, run
from tests.research.engine.adversary import MINUTE, bars_of_kind, drawn, spread

FUNDED = Terms(MINUTE, fee=0.001, long_funding=3e-14, short_funding=3e-14)
FREE = Terms(MINUTE, fee=0.001)


@pytest.mark.parametrize("compiled", [True, False])
def test_falls_and_daily_marks_are_those_of_every_close(compiled: bool) -> None:  # noqa: FBT001 - a case
    deep = 0
    kernels = [k if compiled else k.py_func for k in (drawdown_nb, mark_days_nb)]
    for seed in range(150 if compiled else 25):
        trial = drawn(seed)
        done = run(trial.bars, pack(trial.bars.time.size, *spread(trial)), trial.terms)
        prices, near = prices_of(trial.bars), blocks_of(trial.bars, NEAR)
        fall = kernels[0](trial.bars.time, prices, near, done.trades, trial.terms)
        assert fall == max_drawdown_nb(done.equity)
        _, ends = day_ends(trial.bars.time)
        marks = np.empty(ends.size)
        cash = kernels[1](trial.bars.time, prices, ends, done.trades, trial.terms, marks)
        assert marks.tolist() == done.equity[ends].tolist()
        assert cash == done.equity[-1]
        deep += fall > 0.01
    assert deep > 10


@pytest.mark.parametrize("compiled", [True, False])
def test_bars_held_by_day_are_those_of_every_trade(compiled: bool) -> None:  # noqa: FBT001 - a case
    kernel, held = hold_days_nb if compiled else hold_days_nb.py_func, 0.0
    for seed in range(150 if compiled else 25):
        trial = drawn(seed)
        done = run(trial.bars, pack(trial.bars.time.size, *spread(trial)), trial.terms)
        _, ends = day_ends(trial.bars.time)
        found = np.full(ends.size, np.nan)
        kernel(ends, done.trades, found)
        assert found.tolist() == bars_held(done.trades, ends).tolist()
        sides = done.trades["side"].astype(np.int64)
        assert found.sum() == (sides * done.trades["bars"]).sum()
        held += np.abs(found).sum()
    assert held > 100


@given(
    seed=st.integers(0, 500),
    places=st.tuples(st.floats(0, 0.99), st.floats(0, 1)),
    size=st.sampled_from([1, 3, 64, 65, 200, 700]),
)
def test_extreme_closes_of_any_stretch_are_found(
    seed: int, places: tuple[float, float], size: int
) -> None:
    bars = bars_of_kind("walk", size, np.random.default_rng(seed))
    first = int(places[0] * size)
    end = first + 1 + int(places[1] * (size - first - 1))
    prices, near = prices_of(bars), blocks_of(bars, NEAR)
    part = bars.close[first:end]
    for kernel in (between_nb, between_nb.py_func):
        assert kernel(prices, near, first, end) == (part.min(), part.max())
    for kernel in (extremes_nb, extremes_nb.py_func):
        found = kernel(prices, CLOSE, CLOSE, first, end, (1e300, 0.0))
        assert found == (part.min(), part.max())


@pytest.mark.parametrize("kernel", [beyond_nb, beyond_nb.py_func])
def test_a_block_is_beyond_what_was_found_where_a_close_of_it_is(kernel: Any) -> None:
    block = np.zeros((1, 4))
    block[0, BOTTOM], block[0, TOP] = 5.0, 9.0
    cases = [((5.0, 9.0), False), ((5.1, 9.0), True), ((5.0, 8.9), True), ((1.0, 20.0), False)]
    assert [kernel(block, 0, found) for found, _ in cases] == [said for _, said in cases]


def position(bars: Any, side: int, first: int, end: int) -> Any:
    trade = np.zeros(1, TRADE)[0]
    trade["side"], trade["entry_bar"], trade["exit_bar"] = side, first, end
    trade["entry_price"] = bars.open[first]
    return trade


@given(
    seed=st.integers(0, 500),
    side=st.sampled_from([LONG, SHORT]),
    terms=st.sampled_from([FREE, FUNDED]),
    before=st.tuples(st.floats(1.0, 1.3), st.floats(0, 0.3)),
)
def test_a_fall_inside_a_position_is_the_deepest_of_its_closes(
    seed: int, side: int, terms: Terms, before: tuple[float, float]
) -> None:
    size = (5, 70, 300, 9_000)[seed % 4]
    bars = bars_of_kind("walk", size, np.random.default_rng(seed))
    first = seed % size
    trade, prices = position(bars, side, first, size), prices_of(bars)
    peak, worst = before
    for t in range(first, size):
        held = bars.time[t] - bars.time[first]
        equity = 0.9 * mark_nb(side, bars.close[t] / bars.open[first], held, terms)
        peak = max(peak, equity)
        worst = max(worst, 1.0 - equity / peak)
    near = blocks_of(bars, NEAR)
    arguments = (bars.time, prices, near, trade, 0.9, terms, *before)
    assert fall_nb(*arguments) == (peak, worst)
    looked = (bars.time, prices, trade, 0.9, first, size, terms, *before)
    assert each_nb(*looked) == (peak, worst)
    if size <= 300:
        assert fall_nb.py_func(*arguments) == each_nb.py_func(*looked) == (peak, worst)


@given(
    side=st.sampled_from([LONG, SHORT]),
    closes=st.lists(st.integers(50, 150), min_size=1, max_size=20),
    terms=st.sampled_from([FREE, FUNDED]),
    before=st.tuples(st.floats(1.0, 1.3), st.floats(0, 0.3)),
)
def test_what_is_done_with_by_weighing_is_what_every_close_says(
    side: int, closes: list[int], terms: Terms, before: tuple[float, float]
) -> None:
    trade = np.zeros(1, TRADE)[0]
    trade["side"], trade["entry_price"] = side, 100.0
    held = [t * 10**9 for t in range(len(closes))]
    arguments = (
        trade, 1.0, (float(min(closes)), float(max(closes))), (0, held[-1]), terms, *before,
    )  # fmt: skip
    done, peak, worst = weigh_nb(*arguments)
    assert (done, peak, worst) == weigh_nb.py_func(*arguments)
    expected = list(before)
    for close, late in zip(closes, held, strict=True):
        equity = mark_nb(side, close / 100.0, late, terms)
        expected[0] = max(expected[0], equity)
        expected[1] = max(expected[1], 1.0 - equity / expected[0])
    if done:
        assert [peak, worst] == expected
    else:
        assert (peak, worst) == before
