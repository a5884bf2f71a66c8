"""A source that keeps failing is left alone, and used again soon after it recovers."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SourceResting
from sources.breaker import Breaker
from tests.sources.fakes import FakeTime


def breaker(time: FakeTime, failures: int = 3) -> Breaker:
    rests = (30.0, 300.0)
    return Breaker("kraken", failures=failures, lasting=0.0, rests=rests, clock=time.clock)


def fail(one: Breaker, times: int) -> None:
    for _ in range(times):
        one.admit()
        one.failed()


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    one = breaker(FakeTime())
    fail(one, 2)
    one.admit()
    one.succeeded()
    fail(one, 2)
    one.admit()
    one.failed()
    with pytest.raises(SourceResting, match=r"kraken .* rests for 30 s more"):
        one.admit()


def test_many_failures_at_one_moment_are_one_mishap() -> None:
    time = FakeTime()
    one = Breaker("kraken", failures=6, clock=time.clock)
    fail(one, 50)
    time.now += 0.9
    fail(one, 1)
    assert one.state == "closed"
    time.now += 0.1
    fail(one, 1)
    assert one.rest == pytest.approx(30.0)


def test_the_first_rest_is_short_and_the_later_ones_are_long() -> None:
    time = FakeTime()
    one = breaker(time)
    fail(one, 3)
    for expected in (30.0, 300.0, 300.0):
        assert one.rest == pytest.approx(expected)
        time.now += expected - 0.01
        with pytest.raises(SourceResting):
            one.admit()
        time.now += 0.02
        assert one.state == "half_open"
        fail(one, 1)


def test_a_trial_that_succeeds_closes_it_and_the_next_rest_is_short_again() -> None:
    time = FakeTime()
    one = breaker(time)
    fail(one, 3)
    time.now += 31
    one.admit()
    one.succeeded()
    assert one.state == "closed"
    fail(one, 3)
    assert one.rest == pytest.approx(30.0)


def test_half_open_it_lets_one_trial_pass_at_a_time() -> None:
    time = FakeTime()
    one = breaker(time)
    fail(one, 3)
    time.now += 31
    passed: list[int] = []

    def try_it(number: int) -> None:
        try:
            one.admit()
        except SourceResting:
            return
        passed.append(number)

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 1


def test_a_trial_that_nobody_reports_on_does_not_block_it_for_ever() -> None:
    time = FakeTime()
    one = breaker(time)
    fail(one, 3)
    time.now += 31
    one.admit()
    with pytest.raises(SourceResting):
        one.admit()
    time.now += 61
    one.admit()


def test_news_from_before_it_opened_change_nothing() -> None:
    one = breaker(FakeTime())
    fail(one, 3)
    one.succeeded()
    one.failed()
    assert one.state == "open"
    assert one.rest == pytest.approx(30.0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["works", "broken"]), st.floats(0, 400)), min_size=1, max_size=60
    )
)
def test_nothing_ever_passes_while_it_rests(steps: list[tuple[str, float]]) -> None:
    time = FakeTime()
    one = breaker(time)
    rests_until = 0.0
    for outcome, wait in steps:
        time.now += wait
        if one.state == "open":
            assert time.now < rests_until
            with pytest.raises(SourceResting):
                one.admit()
            continue
        one.admit()
        if outcome == "works":
            one.succeeded()
            assert one.state == "closed"
        else:
            one.failed()
        rests_until = time.now + one.rest
