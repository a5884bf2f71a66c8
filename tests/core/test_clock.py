from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import InvalidInput

moments = st.datetimes(
    min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("4h", 14_400), ("1d", 86_400), ("2w", 1_209_600)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert clock.parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "m", "0m", "-1d", "1.5h", "1 h", "1y", "１m", "15M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected a duration"):
        clock.parse_duration(text)


@given(st.integers(1, 10_000_000))
def test_a_duration_survives_being_written_and_read(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    text = clock.format_duration(duration)
    if len(text) <= 8:
        assert clock.parse_duration(text) == duration


@pytest.mark.parametrize(
    "duration", [timedelta(0), timedelta(seconds=-1), timedelta(microseconds=1)]
)
def test_a_duration_that_has_no_spelling_is_refused(duration: timedelta) -> None:
    with pytest.raises(InvalidInput, match="positive duration of whole seconds"):
        clock.format_duration(duration)


def test_a_date_is_its_midnight_utc() -> None:
    assert clock.parse_utc("2026-06-01") == datetime(2026, 6, 1, tzinfo=UTC)


def test_zones_are_converted() -> None:
    assert clock.parse_utc("2026-06-01T02:00+02:00") == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-06-01T00:00", "yesterday", "", "2026-13-01"])
def test_a_time_without_a_zone_is_not_guessed(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        clock.parse_utc(text)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="with a zone"):
        clock.require_utc(datetime(2026, 1, 1))


def test_the_clock_says_utc() -> None:
    assert clock.utc_now().utcoffset() == timedelta(0)


@given(moments)
def test_microseconds_survive_the_round_trip(moment: datetime) -> None:
    assert clock.from_micros(clock.to_micros(moment)) == moment


@given(moments, st.sampled_from([60, 300, 900, 14_400, 86_400]))
def test_the_floor_is_on_the_grid_and_at_most_one_step_back(moment: datetime, seconds: int) -> None:
    step = timedelta(seconds=seconds)
    floor = clock.floor_to(moment, step)
    assert timedelta(0) <= moment - floor < step
    assert (floor - clock.EPOCH) % step == timedelta(0)


def test_times_are_written_in_utc() -> None:
    moment = datetime(2026, 6, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert clock.format_utc(moment) == "2026-06-01T00:00:00Z"


@pytest.mark.parametrize(
    ("month", "start", "end"),
    [
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        ("2024-02", datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        ("2025-12", datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_month_ends_where_the_next_begins(month: str, start: datetime, end: datetime) -> None:
    assert clock.month_span(month) == (start, end)
    assert clock.month_of(end - timedelta(microseconds=1)) == start
    assert clock.month_of(start) == start
