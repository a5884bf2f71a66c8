"""Price levels: the fast walk against a plain one, and the stories the plain one tells."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.levels import CONFIRMATIONS, JUMP, MEMORY, judge_levels


def plain(closes: list[float], fixed: list[bool], waiting: list[bool]) -> list[bool]:
    """The rule as docs/gates.md tells it, one close after another."""

    def mean(values: list[float]) -> float:
        total = 0.0
        for value in values:
            total += value
        return total / len(values)

    def near(close: float, level: float) -> bool:
        return abs(close - level) <= JUMP * level

    accepted: list[float] = []
    early: list[int] | None = []  # accepted before the level is proven
    run: list[int] = []
    away: list[int] = []  # of the run, those away from their level
    held = [False] * len(closes)
    for here, close in enumerate(closes):
        stays = near(close, mean(accepted[-MEMORY:])) if accepted else not waiting[here]
        center = mean([closes[index] for index in away]) if run else 0.0
        if run and abs(close - center) <= JUMP * min(close, center):
            run = [*run, here]
        else:
            run, away = [] if stays else [here], []
        if not stays:
            away = [*away, here]
            held[here] = not fixed[here]
        if stays or fixed[here]:
            accepted.append(close)
            if fixed[here]:
                early = None
            elif early is not None:
                early = [*early, here]
                if len(early) == MEMORY:
                    early = None
        if len(run) > CONFIRMATIONS:
            for index in early or []:
                held[index] = held[index] or run == away
            for index in run:
                held[index] = False
            early = None
            accepted += [closes[index] for index in run]
            run, away = [], []
    return held


def held(closes: list[float], fixed: int = 0, waiting: int = 0) -> list[int]:
    """Return the indexes held back; the first `fixed` are history, the next `waiting` waited."""
    index = np.arange(len(closes))
    judged = judge_levels(
        np.array(closes, dtype=float),
        index < fixed,
        (index >= fixed) & (index < fixed + waiting),
    )
    return np.flatnonzero(judged.held).tolist()


PRICES = st.sampled_from([50.0, 79.0, 80.0, 81.0, 100.0, 119.0, 120.0, 121.0, 130.0, 160.0, 1000.0])
RUNS = st.lists(st.tuples(PRICES, st.integers(1, 9)), max_size=14).map(
    lambda runs: [price for price, count in runs for _ in range(count)]
)
WILD = st.lists(
    st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False), max_size=40
)
SERIES = st.one_of(RUNS, WILD, st.lists(PRICES, max_size=60))


@settings(max_examples=400)
@given(SERIES, st.data())
def test_the_fast_walk_holds_back_what_the_plain_one_does(
    closes: list[float], data: st.DataObject
) -> None:
    marks = st.lists(st.sampled_from(["", "", "", "fixed", "waiting"]), min_size=len(closes))
    flags = data.draw(st.one_of(st.just([""] * len(closes)), marks))[: len(closes)]
    fixed, waiting = [flag == "fixed" for flag in flags], [flag == "waiting" for flag in flags]
    judged = judge_levels(
        np.array(closes, dtype=float), np.array(fixed, dtype=bool), np.array(waiting, dtype=bool)
    )
    assert judged.held.tolist() == plain(closes, fixed, waiting)
    assert not (judged.held & np.array(fixed, dtype=bool)).any()


@settings(max_examples=400)
@given(SERIES)
def test_what_was_accepted_is_accepted_again(closes: list[float]) -> None:
    kept = [
        close for close, out in zip(closes, plain(closes, *nothing(closes)), strict=True) if not out
    ]
    assert held(kept) == []


def nothing(closes: list[float]) -> tuple[list[bool], list[bool]]:
    return [False] * len(closes), [False] * len(closes)


@settings(max_examples=200)
@given(SERIES)
def test_what_is_held_back_does_not_change_with_the_unit_of_price(closes: list[float]) -> None:
    small = [close for close in closes if 1e-100 < close < 1e100]
    assert held(small) == held([close * 1024 for close in small])


def test_a_spike_is_held_back_and_nothing_else() -> None:
    assert held([100.0] * 8 + [130.0] + [100.0] * 8) == [8]


def test_a_move_of_exactly_a_fifth_is_no_jump() -> None:
    for base in (100.0, 3.0, 0.7, 1e-7, 61_234.56):
        for factor in (0.8, 1.2):
            assert held([base] * 6 + [base * factor]) == []


def test_a_move_of_just_over_a_fifth_is_a_jump() -> None:
    assert held([100.0] * 6 + [120.001]) == [6]
    assert held([100.0] * 6 + [79.999]) == [6]


def test_four_later_closes_do_not_confirm_a_level_and_five_do() -> None:
    assert held([100.0] * 6 + [130.0] * 5) == [6, 7, 8, 9, 10]
    assert held([100.0] * 6 + [130.0] * 6) == []


def test_a_close_at_the_old_level_ends_a_run() -> None:
    closes = [100.0] * 6 + [130.0] * 5 + [100.0] + [130.0] * 5
    assert held(closes) == [6, 7, 8, 9, 10, 12, 13, 14, 15, 16]


def test_closes_near_both_levels_are_accepted_and_confirm_the_new_one() -> None:
    # From 100 to 110 by way of 121: no step after the first is a jump.
    assert held([100.0] * 6 + [121.0] + [110.0] * 4) == [6]
    assert held([100.0] * 6 + [121.0] + [110.0] * 5) == []


def test_closes_at_the_old_level_never_confirm_a_jump() -> None:
    for jump in (79.9, 120.1, 121.0, 125.0, 50.0):
        assert held([100.0] * 6 + [jump] + [100.0] * 9) == [6]


def test_a_close_away_from_both_levels_starts_a_run_of_its_own() -> None:
    assert held([100.0] * 6 + [130.0] * 3 + [200.0] * 6) == [6, 7, 8]


def test_prices_may_go_anywhere_in_small_steps() -> None:
    assert held((100 * 1.05 ** np.arange(100)).tolist()) == []


def test_the_first_close_of_a_series_has_no_level() -> None:
    assert held([5.0]) == []
    assert held([]) == []


def test_an_outlier_at_the_very_start_gives_way_to_the_level_after_it() -> None:
    assert held([1000.0] + [100.0] * 6) == [0]
    assert held([1000.0, 1000.0] + [100.0] * 6) == [0, 1]


def test_five_closes_at_the_start_are_a_level_that_a_shift_does_not_undo() -> None:
    assert held([100.0] * 5 + [130.0] * 6) == []


def test_history_is_a_level_however_short_it_is() -> None:
    assert held([100.0] + [130.0] * 6, fixed=1) == []
    assert held([100.0] + [130.0] * 3, fixed=1) == [1, 2, 3]


def test_closes_that_waited_are_released_when_later_ones_confirm_them() -> None:
    closes = [100.0] * 5 + [130.0] * 3
    assert held(closes, fixed=5, waiting=3) == [5, 6, 7]
    assert held([*closes, 130.0, 131.0], fixed=5, waiting=3) == [5, 6, 7, 8, 9]
    assert held([*closes, 130.0, 131.0, 129.0], fixed=5, waiting=3) == []


def test_closes_that_waited_do_not_become_a_level_by_being_the_first() -> None:
    assert held([130.0], waiting=1) == [0]
    assert held([130.0, 100.0, 100.0], waiting=1) == [0]
    assert held([130.0, 130.0, 130.0], waiting=1) == [0]
    assert held([130.0] * 6, waiting=1) == []


def test_accepted_closes_after_a_jump_confirm_it_too() -> None:
    index = np.arange(12)
    closes = np.where(index < 6, 100.0, 130.0)
    batch = index == 6  # the one missing bar of a stored history
    judged = judge_levels(closes, ~batch, np.zeros(12, dtype=bool))
    assert not judged.held.any()


def test_a_run_that_accepted_closes_interrupted_waits_on() -> None:
    closes = np.array([100.0] * 5 + [130.0] + [100.0] * 5 + [130.0])
    waiting = np.arange(12) == 5
    judged = judge_levels(closes, (np.arange(12) < 11) & ~waiting, waiting)
    assert np.flatnonzero(judged.held).tolist() == [5, 11]


def test_levels_are_the_mean_of_the_last_five_accepted_closes() -> None:
    closes = np.array([10.0, 11.0, 12.0, 11.0, 10.0, 11.0, 30.0, 12.0, 11.0])
    judged = judge_levels(closes, np.zeros(9, dtype=bool), np.zeros(9, dtype=bool))
    assert np.isnan(judged.level[0])
    assert judged.level[1] == 10.0
    assert judged.level[5] == np.mean(closes[:5])
    assert judged.level[7] == np.mean(closes[1:6])
    assert judged.level[8] == np.mean([*closes[2:6], 12.0])


def test_a_long_smooth_series_needs_no_walk() -> None:
    rng = np.random.default_rng(1)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, 130_000)))
    flags = np.zeros(closes.size, dtype=bool)
    started = time.perf_counter()
    judged = judge_levels(closes, flags, flags)
    assert not judged.held.any()
    assert time.perf_counter() - started < 0.5
