"""The sandbox's clock: now, elsewhere, faster, or standing still."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import utc_now
from core.errors import InvalidInput
from sources.sandbox.clock import Clock

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)


def test_it_shows_the_present_unless_told_otherwise() -> None:
    assert abs(Clock().now() - utc_now()) < timedelta(seconds=1)


def test_one_that_stands_still_shows_the_same_for_ever() -> None:
    clock = Clock(AT, speed=0)
    time.sleep(0.01)
    assert clock.now() == AT
    assert clock.now_ms() == 1_780_282_800_000


def test_one_that_is_fast_gets_ahead() -> None:
    clock = Clock(AT, speed=3_600)
    time.sleep(0.02)
    assert timedelta(minutes=1) <= clock.now() - AT < timedelta(hours=2)


def test_a_time_before_the_listing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="2024-01-01"):
        Clock(datetime(2023, 12, 31, tzinfo=UTC))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="zone"):
        Clock(datetime(2026, 6, 1))


def test_a_clock_that_runs_backwards_is_refused() -> None:
    with pytest.raises(InvalidInput, match="speed"):
        Clock(AT, speed=-1)
