"""The steps of the walk, each against the plainest form of its own question."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.costs import Costs
from research.engine.bits import NO_ROW, closed_bars, every_bar, words_of
from research.engine.levels import FAR, NEAR, blocks_of, prices_of
from research.engine.walk import (
    decision_nb,
    end_nb,
    ruin_nb,
    settle_nb,
    side_nb,
    terms_nb,
    timeout_nb,
    walk_nb,
)
from research.reference import (
    ABSENT,
    END,
    LONG,
    NEVER,
    NONE,
    SHORT,
    STOP,
    TARGET,
    TRADE,
    Terms,
    mark_nb,
)
from tests.research.engine.adversary import MINUTE, START, batch_of, drawn

COSTS = Costs(fee_bps=0, slippage_bps=0)


def compiled_and_plain(kernel: Any, *arguments: Any) -> Any:
    """Return what a kernel says, the same compiled and interpreted."""
    with np.errstate(over="ignore"):
        found, plain = kernel(*arguments), kernel.py_func(*arguments)
    assert found == plain
    return found


@given(
    gaps=st.lists(st.sampled_from([1, 1, 1, 2, 40]), min_size=1, max_size=60),
    start=st.floats(0, 0.99),
    timeout=st.sampled_from([NEVER, 1, MINUTE, 3 * MINUTE, 10 * MINUTE, 200 * MINUTE, 90_000_000]),
    count=st.sampled_from([NEVER, 1, 2, 30]),
    step=st.sampled_from([MINUTE, 5 * MINUTE]),
)
def test_a_timeout_is_decided_on_the_first_close_that_is_late_enough(
    gaps: list[int], start: float, timeout: int, count: int, step: int
) -> None:
    time = START + np.cumsum(gaps).astype(np.int64) * MINUTE
    first = int(start * time.size)
    terms = Terms(step, timeout=timeout, timeout_bars=count)
    expected = next(
        (
            t
            for t in range(first, time.size)
            if time[t] - time[first] + step >= timeout or t - first + 1 >= count
        ),
        time.size,
    )
    assert compiled_and_plain(timeout_nb, time, first, terms) == expected


@given(
    side=st.sampled_from([LONG, SHORT]),
    entry=st.floats(1e-6, 1e6),
    ratio=st.floats(1e-9, 5),
    held=st.integers(0, 10**13),
    funding=st.sampled_from([0.0, 1e-15, 1e-13, 1e-11]),
)
def test_nothing_is_ruined_before_the_price_that_ruins(
    side: int, entry: float, ratio: float, held: int, funding: float
) -> None:
    terms = Terms(MINUTE, fee=0.001, long_funding=funding, short_funding=funding)
    price = compiled_and_plain(ruin_nb, side, entry, held, terms)
    close = entry * ratio
    if mark_nb(side, close / entry, held, terms) <= 0:
        assert close <= price if side == LONG else close >= price


def test_terms_are_the_shared_ones_with_the_levels_of_the_strategy() -> None:
    shared = Terms(MINUTE, 0.5, 0.5, 0.5, 1, 1, 0.1, 0.2, 0.3, 0.4, optimistic=True)
    trial = drawn(5)
    rules = batch_of(trial).rules
    for kernel in (terms_nb, terms_nb.py_func):
        mixed = kernel(shared, rules[0])
        assert mixed[1:6] == tuple(trial.terms[1:6])
        assert (mixed[0], *mixed[6:]) == (shared[0], *shared[6:])


def test_decisions_are_taken_on_the_bars_of_their_grid() -> None:
    flags = np.array([False, True, False, True])
    bank = words_of(flags)
    grid = closed_bars(50, np.array([4, 9, 20, 44]))
    bars = [compiled_and_plain(decision_nb, bank, grid, 0, NO_ROW, t, 50) for t in range(51)]
    assert bars == [9] * 10 + [44] * 35 + [50] * 6
    assert compiled_and_plain(decision_nb, bank, grid, NO_ROW, NO_ROW, 0, 50) == 50


def test_an_entry_is_of_the_side_whose_rule_holds() -> None:
    grid = every_bar(3)
    bank = np.concatenate([words_of(np.array([True, False, False])), words_of(np.ones(3, bool))])
    assert compiled_and_plain(side_nb, bank, grid, 0, 0) == LONG
    assert compiled_and_plain(side_nb, bank, grid, 0, 1) == SHORT
    assert compiled_and_plain(side_nb, bank, grid, NO_ROW, 0) == SHORT


BARS = np.array(
    [  # open, high, low, close
        [100.0, 101.0, 99.0, 100.0],
        [100.0, 106.0, 99.0, 104.0],
        [104.0, 105.0, 97.0, 98.0],
        [98.0, 99.0, 96.0, 97.0],
    ]
)
TIME = START + np.arange(4) * MINUTE


@pytest.mark.parametrize(
    ("stop", "target", "limit", "expected"),
    [
        (0.02, 0.05, 3, (1, TARGET, 105.0, False, False)),
        (0.02, 0.09, 3, (2, STOP, 98.0, False, False)),
        (0.005, 0.09, 3, (0, STOP, 99.5, False, False)),
        (0.02, 0.09, 1, (1, NONE, 0.0, False, False)),
        (ABSENT, ABSENT, 3, (3, END, 97.0, False, False)),
        (0.02, 0.06, 2, (1, TARGET, 106.0, False, False)),
        (0.01, 0.01, 3, (0, STOP, 99.0, False, True)),
    ],
)
def test_a_position_ends_at_the_first_bar_that_ends_it(
    stop: float, target: float, limit: int, expected: tuple[Any, ...]
) -> None:
    terms = Terms(MINUTE, stop=stop, target=target)
    blocks = np.array([[106.0, 96.0, 104.0, 97.0]])
    found = compiled_and_plain(end_nb, TIME, BARS, blocks, blocks, 0, limit, LONG, 100.0, terms)
    assert found == expected


def test_a_bar_that_touches_nothing_ends_a_position_only_where_all_ends() -> None:
    terms = Terms(MINUTE)
    for t, reason in ((1, NONE), (3, END)):
        assert (
            compiled_and_plain(settle_nb, TIME, BARS, 0, t, LONG, 100.0, 100.0, terms)[0] == reason
        )
    ruined = compiled_and_plain(settle_nb, TIME, BARS, 0, 1, SHORT, 50.0, 50.0, terms)
    assert ruined == (END, 104.0, False, False)


def test_the_walk_is_the_same_interpreted() -> None:
    walked = 0
    for seed in range(40):
        trial = drawn(seed)
        batch, prices = batch_of(trial), prices_of(trial.bars)
        blocks = (blocks_of(trial.bars, NEAR), blocks_of(trial.bars, FAR))
        trades = np.zeros((2, trial.bars.time.size), TRADE)
        ground = (trial.bars.time, prices, *blocks, *batch[:3], batch.rules[0], trial.terms)
        with np.errstate(all="ignore"):
            counts = [
                kernel(*ground, room)
                for kernel, room in zip((walk_nb, walk_nb.py_func), trades, strict=True)
            ]
        assert counts[0] == counts[1]
        assert trades[0].tolist() == trades[1].tolist()
        walked += counts[0]
    assert walked > 500


def test_costs_without_funding_look_for_ruin_far_away() -> None:
    terms = COSTS.terms(timedelta(minutes=1))
    assert ruin_nb(LONG, 100.0, 10**12, terms) < 1e-200
    assert ruin_nb(SHORT, 100.0, 10**12, terms) == pytest.approx(200.0)
