"""Which bars the sandbox shows: paging as Binance does, the bar still forming, broken bars."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.sandbox.faults import NO_FAULTS, Faults
from sources.sandbox.history import (
    MINUTE_MS,
    ORIGIN_MS,
    STEPS,
    Candles,
    History,
    Question,
    View,
)
from sources.sandbox.symbols import BY_VENUE_SYMBOL

HISTORY = History(1)
NOISE = BY_VENUE_SYMBOL["NOISE1USDT"]
DAY = 1_440 * MINUTE_MS
NOW = ORIGIN_MS + 40 * DAY + 90 * MINUTE_MS + 30_000  # half a minute into a minute


def ask(
    start: int | None = None,
    end: int | None = None,
    *,
    step: int = 1,
    limit: int = 1_000,
    now: int = NOW,
    faults: Faults = NO_FAULTS,
    counted: Counter[str] | None = None,
) -> Candles:
    question = Question(NOISE, step, start, end, limit)
    return HISTORY.ask(question, View(now, faults, Counter() if counted is None else counted))


# --- paging --------------------------------------------------------------------------------------


def test_without_times_the_latest_bars_come_and_the_last_one_is_forming() -> None:
    times = ask(limit=5).open_time
    assert times.tolist() == [NOW - 30_000 - k * MINUTE_MS for k in (4, 3, 2, 1, 0)]


def test_start_and_end_are_both_included() -> None:
    start = ORIGIN_MS + DAY
    assert ask(start, start + 3 * MINUTE_MS).open_time.tolist() == [
        start + k * MINUTE_MS for k in range(4)
    ]


def test_a_start_inside_a_bar_begins_with_the_next_one() -> None:
    start = ORIGIN_MS + DAY
    assert ask(start + 1, limit=1).open_time[0] == start + MINUTE_MS


def test_from_a_start_the_earliest_bars_come_and_before_an_end_the_latest() -> None:
    start = ORIGIN_MS + DAY
    assert ask(start, limit=2).open_time[-1] == start + MINUTE_MS
    assert ask(end=start, limit=2).open_time.tolist() == [start - MINUTE_MS, start]


def test_nothing_was_traded_before_the_listing() -> None:
    assert ask(end=ORIGIN_MS - 1).open_time.size == 0
    assert ask(0, limit=1).open_time[0] == ORIGIN_MS


def test_nothing_is_known_of_the_future() -> None:
    assert ask(NOW + 1).open_time.size == 0
    assert ask(NOW - 1, NOW + DAY).open_time.size == 0
    assert ask(now=ORIGIN_MS - 1).open_time.size == 0


def test_an_end_before_the_start_is_an_empty_page() -> None:
    assert ask(ORIGIN_MS + DAY, ORIGIN_MS).open_time.size == 0


@given(
    start=st.integers(0, 39 * 1_440),
    minutes=st.integers(1, 3_000),
    limit=st.integers(1, 1_000),
)
def test_pages_join_to_the_whole(start: int, minutes: int, limit: int) -> None:
    first = ORIGIN_MS + start * MINUTE_MS
    end = first + (minutes - 1) * MINUTE_MS
    whole = ask(first, end, limit=3_000)
    seen, cursor = [], first
    while cursor <= end and (page := ask(cursor, end, limit=limit)).open_time.size:
        seen.append(page.values)
        cursor = int(page.open_time[-1]) + 1
    np.testing.assert_array_equal(np.hstack(seen), whole.values)
    assert whole.open_time.size == min(minutes, (NOW - first) // MINUTE_MS + 1)


# --- intervals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", sorted(STEPS.values()))
def test_longer_bars_are_made_of_minutes(step: int) -> None:
    start = ORIGIN_MS + 31 * DAY  # crosses from one remembered block into the next
    bars = ask(start, start + 2 * DAY - 1, step=step, limit=5_000)
    minutes = ask(start, start + 2 * DAY - 1, limit=5_000)
    assert bars.open_time.tolist() == list(range(start, start + 2 * DAY, step * MINUTE_MS))
    parts = minutes.values.reshape(9, -1, step)
    np.testing.assert_array_equal(bars.values[0], parts[0, :, 0])
    np.testing.assert_array_equal(bars.values[1], parts[1].max(axis=1))
    np.testing.assert_array_equal(bars.values[2], parts[2].min(axis=1))
    np.testing.assert_array_equal(bars.values[3], parts[3, :, -1])
    np.testing.assert_allclose(bars.values[4:], parts[4:].sum(axis=2))


def test_a_longer_bar_that_forms_holds_the_minutes_until_now() -> None:
    bar, minutes = ask(step=60, limit=1), ask(limit=31)
    assert bar.open_time[0] == NOW - 30 * MINUTE_MS - 30_000
    assert bar.values[3, 0] == minutes.values[3, -1]
    np.testing.assert_allclose(bar.values[4, 0], minutes.values[4].sum())


# --- the bar still forming -----------------------------------------------------------------------


@given(seconds=st.lists(st.integers(0, 59_999), min_size=2, max_size=5).map(sorted))
def test_a_forming_bar_only_grows(seconds: list[int]) -> None:
    minute = NOW - 30_000
    views = [ask(minute, limit=1, now=minute + at).values[:, 0] for at in seconds]
    views.append(ask(minute, limit=1, now=minute + MINUTE_MS).values[:, 0])
    for early, late in pairwise(views):
        assert early[0] == late[0]
        assert early[1] <= late[1]
        assert early[2] >= late[2]
        assert (early[4:] <= late[4:] + 1e-9).all()
    for open_, high, low, close, *_ in views:
        assert low <= min(open_, close) <= max(open_, close) <= high


def test_a_bar_begins_with_its_open_alone() -> None:
    minute = NOW - 30_000
    assert set(ask(minute, limit=1, now=minute).values[:4, 0]) == {
        ask(minute, limit=1).values[0, 0]
    }
    assert not ask(minute, limit=1, now=minute).values[4:, 0].any()


# --- faults of bars ------------------------------------------------------------------------------


def test_minutes_that_are_missing_stay_missing() -> None:
    start, faults, counted = ORIGIN_MS + DAY, Faults(gaps=0.1, seed=4), Counter[str]()
    page = ask(start, limit=1_000, faults=faults, counted=counted)
    again = ask(start, limit=1_000, faults=faults)
    np.testing.assert_array_equal(page.open_time, again.open_time)
    assert page.open_time.size == 1_000  # a page is full although minutes are missing
    whole = ask(start, int(page.open_time[-1]), limit=5_000)
    missing = sorted(set(whole.open_time.tolist()) - set(page.open_time.tolist()))
    assert 0.05 < len(missing) / whole.open_time.size < 0.15
    assert counted["gaps"] >= len(missing)
    alone = ask(missing[0], missing[0], faults=faults)
    assert alone.open_time.size == 0


def test_the_latest_page_is_full_although_minutes_are_missing() -> None:
    page = ask(limit=500, faults=Faults(gaps=0.3))
    assert page.open_time.size == 500
    assert (np.diff(page.open_time) > 0).all()


def test_where_everything_is_missing_nothing_comes() -> None:
    assert ask(limit=500, faults=Faults(gaps=1.0)).open_time.size == 0


def test_a_longer_bar_misses_what_its_minutes_miss() -> None:
    start, faults = ORIGIN_MS + DAY, Faults(gaps=0.2, seed=4)
    hours = ask(start, start + DAY - 1, step=60, faults=faults)
    minutes = ask(start, start + DAY - 1, limit=5_000, faults=faults)
    np.testing.assert_allclose(hours.values[4].sum(), minutes.values[4].sum())


def test_outliers_are_single_bars_three_to_ten_times_too_high() -> None:
    start = ORIGIN_MS + DAY
    true, faults = ask(start), Faults(outliers=0.02, seed=1)
    bad = ask(start, faults=faults)
    factor = bad.values[3] / true.values[3]
    hit = factor > 1.01
    assert 5 <= hit.sum() <= 45
    assert ((factor[hit] >= 3) & (factor[hit] <= 10)).all()
    np.testing.assert_array_equal(bad.values[:, ~hit], true.values[:, ~hit])
    np.testing.assert_array_equal(bad.values, ask(start, faults=faults).values)


def test_a_mended_fault_shows_the_true_bars() -> None:
    start = ORIGIN_MS + DAY
    before = ask(start).values
    ask(start, faults=Faults(outliers=1.0, gaps=0.5, duplicates=1.0))
    np.testing.assert_array_equal(ask(start).values, before)


def test_duplicates_lie_side_by_side_within_the_limit() -> None:
    page = ask(ORIGIN_MS + DAY, limit=100, faults=Faults(duplicates=0.3, seed=2))
    steps = np.diff(page.open_time)
    assert page.open_time.size == 100
    assert 10 < (steps == 0).sum() < 50
    twice = np.flatnonzero(steps == 0)
    np.testing.assert_array_equal(page.values[:, twice], page.values[:, twice + 1])
