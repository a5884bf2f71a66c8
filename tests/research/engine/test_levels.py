"""Jumps over blocks of bars find what a look at every bar finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.bars import Bars
from research.engine.levels import (
    BOTTOM,
    FAR,
    HIGH,
    HIGHEST,
    LOW,
    LOWEST,
    NEAR,
    TOP,
    blocks_of,
    further_nb,
    next_touch_nb,
    next_trail_nb,
    prices_of,
    quiet_nb,
)
from research.reference import LONG, SHORT
from tests.research.engine.adversary import bars_of_kind

SIZES = (1, 2, 63, 64, 65, 200, 4_096, 4_097, 9_000)
KINDS = ("walk", "ties", "flat", "jumps")


def market(seed: int, kind: str, size: int) -> tuple[Bars, np.ndarray, np.ndarray, np.ndarray]:
    bars = bars_of_kind(kind, size, np.random.default_rng(seed))
    return bars, prices_of(bars), blocks_of(bars, NEAR), blocks_of(bars, FAR)


places = st.tuples(
    st.integers(0, 1_000), st.sampled_from(KINDS), st.sampled_from(SIZES), st.floats(0, 1)
)
share = st.sampled_from([0.0, 0.001, 0.02, 0.3, 5.0])


@pytest.mark.parametrize("size", SIZES)
def test_blocks_hold_the_extremes_of_their_bars(size: int) -> None:
    bars, prices, near, far = market(1, "walk", size)
    assert prices[:, LOW].tolist() == bars.low.tolist()
    for blocks, width in ((near, 64), (far, 4_096)):
        assert len(blocks) == -(-size // width)
        for i, block in enumerate(blocks):
            part = slice(i * width, (i + 1) * width)
            assert block[HIGHEST] == bars.high[part].max()
            assert block[LOWEST] == bars.low[part].min()
            assert block[TOP] == bars.close[part].max()
            assert block[BOTTOM] == bars.close[part].min()


@given(place=places, down=share, up=share, until=st.floats(0, 1))
def test_the_next_touch_is_the_first_bar_that_touches(
    place: tuple[int, str, int, float], down: float, up: float, until: float
) -> None:
    seed, kind, size, at = place
    bars, prices, near, far = market(seed, kind, size)
    t, end = int(at * size), int(until * size)
    below, above = (
        bars.close[min(t, size - 1)] * (1 - down),
        bars.close[min(t, size - 1)] * (1 + up),
    )
    touches = np.flatnonzero((bars.low[t:end] <= below) | (bars.high[t:end] >= above))
    expected = t + int(touches[0]) if touches.size else max(t, end)
    for kernel in (next_touch_nb, next_touch_nb.py_func):
        found = kernel(prices, near, far, t, end, below, above)
        assert max(found, t) == expected


@pytest.mark.parametrize("kernel", [next_touch_nb, next_touch_nb.py_func])
@pytest.mark.parametrize("kind", KINDS)
def test_a_level_exactly_at_an_extreme_of_a_block_is_touched_there(kernel: Any, kind: str) -> None:
    bars, prices, near, far = market(3, kind, 13_000)
    for block in (*near[::29], *far):
        falls = np.flatnonzero(bars.low <= block[LOWEST])[0]
        rises = np.flatnonzero(bars.high >= block[HIGHEST])[0]
        assert kernel(prices, near, far, 0, 13_000, block[LOWEST], np.inf) == falls
        assert kernel(prices, near, far, 0, 13_000, -np.inf, block[HIGHEST]) == rises


@pytest.mark.parametrize("kernel", [next_trail_nb, next_trail_nb.py_func])
@pytest.mark.parametrize("side", [LONG, SHORT])
def test_a_level_or_a_trail_exactly_at_an_extreme_ends_the_jump(kernel: Any, side: int) -> None:
    bars, prices, near, _ = market(4, "walk", 700)
    first, last, far = bars.open[0], bars.time.size, 0.999 if side == LONG else 1e6
    for block in near:
        falls = int(np.flatnonzero(bars.low <= block[LOWEST])[0])
        rises = int(np.flatnonzero(bars.high >= block[HIGHEST])[0])
        levels = ((block[LOWEST], np.inf), falls), ((-np.inf, block[HIGHEST]), rises)
        for level, expected in levels:
            assert kernel(prices, near, 0, last, side, level, far, first)[0] == expected
    flat = np.full((200, 4), 100.0)
    flat[150:, LOW if side == LONG else HIGH] = 100.0 * (1.0 - side * 0.25)
    blocks = blocks_of(Bars(bars.time[:200], *flat.T, bars.volume[:200]), NEAR)
    found = kernel(flat, blocks, 0, 200, side, (-np.inf, np.inf), 0.25, 100.0)
    assert found == (150, 100.0)


@given(place=places, trail=share, down=share, side=st.sampled_from([LONG, SHORT]), ahead=share)
def test_the_next_trail_is_the_first_bar_that_touches_what_follows_the_best_price(
    place: tuple[int, str, int, float], trail: float, down: float, side: int, ahead: float
) -> None:
    seed, kind, size, at = place
    bars, prices, near, _ = market(seed, kind, size)
    t = int(at * size)
    entry = float(bars.open[min(t, size - 1)])
    low, high = (entry * (1 - down), entry * (1 + ahead))
    if side == SHORT:
        low, high = entry * (1 - ahead), entry * (1 + down)
    extreme, expected = entry, size
    for i in range(t, size):
        guard = extreme * (1.0 - side * trail)
        trailed = bars.low[i] <= guard if side == LONG else bars.high[i] >= guard
        if trailed or bars.low[i] <= low or bars.high[i] >= high:
            expected = i
            break
        extreme = max(extreme, bars.high[i]) if side == LONG else min(extreme, bars.low[i])
    for kernel in (next_trail_nb, next_trail_nb.py_func):
        found = kernel(prices, near, t, size, side, (low, high), trail, entry)
        assert found == (expected, extreme)


@pytest.mark.parametrize("kernel", [quiet_nb, quiet_nb.py_func])
def test_a_bar_is_quiet_where_it_touches_no_level_and_no_trail(kernel: Any) -> None:
    cases = [
        ((LONG, 99.0, 101.0, 98.0, 102.0, 98.5), True),
        ((LONG, 98.0, 101.0, 98.0, 102.0, 90.0), False),
        ((LONG, 99.0, 102.0, 98.0, 102.0, 90.0), False),
        ((LONG, 99.0, 101.0, 98.0, 102.0, 99.0), False),
        ((SHORT, 99.0, 101.0, 98.0, 102.0, 101.5), True),
        ((SHORT, 99.0, 101.0, 98.0, 102.0, 101.0), False),
        ((SHORT, 98.0, 101.0, 98.0, 102.0, 105.0), False),
        ((SHORT, 99.0, 102.0, 98.0, 102.0, 105.0), False),
    ]
    for arguments, expected in cases:
        assert kernel(*arguments) is expected


@pytest.mark.parametrize("kernel", [further_nb, further_nb.py_func])
def test_the_best_price_follows_highs_of_a_long_and_lows_of_a_short(kernel: Any) -> None:
    moves = [(LONG, 5.0, 1.0, 9.0), (LONG, 10.0, 1.0, 9.0), (SHORT, 5.0, 1.0, 9.0)]
    assert [kernel(*move) for move in moves] == [9.0, 10.0, 1.0]


def test_prices_lie_side_by_side() -> None:
    _, prices, *_ = market(1, "walk", 10)
    assert prices.flags.c_contiguous
    assert (prices[:, HIGH] >= prices[:, LOW]).all()
