"""The token bucket, on a clock that only sleeping moves."""

from __future__ import annotations

import math
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from sources.pacing import Pacer, shared_pacer
from tests.sources.fakes import FakeTime


def test_turns_come_at_the_pace() -> None:
    fake = FakeTime()
    pacer = fake.pacer(per_second=4)
    turns = []
    for _ in range(5):
        pacer.wait()
        turns.append(fake.now - 1_000)
    assert turns == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_a_silence_saves_up_no_more_than_the_burst() -> None:
    fake = FakeTime()
    pacer = fake.pacer(per_second=1, burst=3)
    pacer.wait()
    fake.now += 1_000
    for _ in range(3):
        pacer.wait()
    assert fake.slept == []
    pacer.wait()
    assert fake.slept == pytest.approx([1.0])


@given(
    st.floats(0.1, 1_000),
    st.integers(1, 10),
    st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_no_window_of_time_has_more_turns_than_allowed(
    pace: float, burst: int, pauses: list[float]
) -> None:
    fake = FakeTime()
    pacer = fake.pacer(pace, burst)
    turns = []
    for pause in pauses:
        fake.now += pause
        pacer.wait()
        turns.append(fake.now)
    for i, first in enumerate(turns):
        for j in range(i, len(turns)):
            assert j - i + 1 <= burst + (turns[j] - first) * pace + 1e-3


def test_a_hold_delays_the_next_turn_and_a_shorter_one_does_not_end_it() -> None:
    fake = FakeTime()
    pacer = fake.pacer()
    pacer.hold(30)
    pacer.hold(5)
    assert pacer.held == pytest.approx(30)
    pacer.wait()
    assert sum(fake.slept) == pytest.approx(30)
    assert pacer.held == 0


def test_a_hold_reaches_a_thread_that_already_waits() -> None:
    fake = FakeTime()
    pacer = fake.pacer(per_second=1)

    def sleep(seconds: float) -> None:
        if not fake.slept:
            pacer.hold(60)
        fake.sleep(seconds)

    pacer = Pacer(1, clock=fake.clock, sleep=sleep)
    pacer.wait()
    pacer.wait()
    assert fake.now - 1_000 == pytest.approx(60)


def test_a_turn_beyond_our_patience_is_not_taken() -> None:
    fake = FakeTime()
    pacer = fake.pacer(per_second=1)
    pacer.hold(3_600)
    assert not pacer.wait(patience=60)
    assert fake.slept == []
    fake.now += 3_600
    assert pacer.wait(patience=0)


def test_threads_share_one_pace() -> None:
    pacer = Pacer(200)
    began = time.monotonic()
    threads = [threading.Thread(target=lambda: [pacer.wait() for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 39 / 200


def test_an_infinite_pace_never_waits() -> None:
    pacer = Pacer(math.inf)
    pacer.hold(3_600)
    began = time.monotonic()
    for _ in range(100):
        pacer.wait()
    assert time.monotonic() - began < 1


def test_one_key_has_one_pacer() -> None:
    assert shared_pacer("test one", 5) is shared_pacer("test one", 5)
    assert shared_pacer("test one", 5) is not shared_pacer("test two", 5)


@pytest.mark.parametrize(("pace", "burst"), [(0, 1), (-1, 1), (math.nan, 1), (1, 0)])
def test_an_impossible_pace_is_refused(pace: float, burst: int) -> None:
    with pytest.raises(InvalidInput, match="pace"):
        Pacer(pace, burst=burst)
