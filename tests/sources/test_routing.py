"""Tiers: the first that can serves, and who keeps failing is set aside."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import (
    GateRefused,
    InvalidInput,
    KeyMissing,
    NightjarError,
    SourceMalformed,
    SourceRejected,
    SourceResting,
    SourceUnavailable,
)
from sources.routing import Served, Standing, counts_as_failure, first_to_serve, label
from tests.sources.fakes import NOW

PRICES = ("jupiter", "dexscreener", "coingecko")
DOWN = SourceUnavailable("it", "HTTP 503")
MINUTE = timedelta(minutes=1)


class World:
    """Providers that answer or fail as told, and a clock that a test moves."""

    def __init__(self, **errors: NightjarError | None) -> None:
        self.errors = errors
        self.now = NOW
        self.standing = Standing()
        self.asked: list[str] = []

    def ask(self, _tier: int, provider: str) -> str | None:
        self.asked.append(provider)
        if provider not in self.errors:
            return f"from {provider}"
        error = self.errors[provider]
        if error is None:
            return None
        raise error

    def serve(self) -> Served[str]:
        return first_to_serve(
            "prices", PRICES, self.ask, standing=self.standing, clock=lambda: self.now
        )


def test_the_first_tier_serves_where_it_can() -> None:
    world = World()
    assert world.serve() == Served(1, "jupiter", "from jupiter")
    assert world.asked == ["jupiter"]


def test_the_next_tier_serves_where_one_fails_and_where_one_has_nothing() -> None:
    served = World(jupiter=DOWN, dexscreener=None).serve()
    assert (served.tier, served.provider) == (3, "coingecko")
    assert served.passed_over == ("it is unavailable: HTTP 503", "dexscreener has nothing")
    assert label(served.provider, served.tier) == "coingecko:rest#3"


def test_where_nobody_can_the_error_says_what_each_said() -> None:
    world = World(
        jupiter=DOWN, dexscreener=None, coingecko=KeyMissing("coingecko", "coingecko.key")
    )
    with pytest.raises(
        SourceUnavailable, match=r"HTTP 503; dexscreener has nothing; .*needs a key"
    ):
        world.serve()


def test_an_error_that_is_no_source_s_is_raised() -> None:
    with pytest.raises(GateRefused):
        World(jupiter=GateRefused("prices", "too much")).serve()


def test_there_must_be_somebody_to_ask() -> None:
    with pytest.raises(InvalidInput, match="at least one provider of prices"):
        first_to_serve("prices", (), World().ask, standing=Standing(), clock=lambda: NOW)


def test_three_failures_within_a_quarter_of_an_hour_set_a_provider_aside_for_two_hours() -> None:
    world = World(jupiter=DOWN)
    for _ in range(3):
        world.serve()
        world.now += 5 * MINUTE
    assert world.asked.count("jupiter") == 3
    world.errors.clear()
    world.now = NOW + 10 * MINUTE + timedelta(hours=2) - MINUTE
    assert world.serve().provider == "dexscreener"
    assert world.asked.count("jupiter") == 3
    world.now += MINUTE
    assert world.serve().provider == "jupiter"


def test_who_is_set_aside_is_asked_where_nobody_else_has_an_answer() -> None:
    world = World(jupiter=DOWN)
    for _ in range(3):
        world.serve()
    world.errors = {"dexscreener": DOWN, "coingecko": None}
    served = world.serve()
    assert (served.tier, served.provider) == (1, "jupiter")
    assert world.asked[-3:] == ["dexscreener", "coingecko", "jupiter"]


def test_three_failures_over_a_longer_time_do_not() -> None:
    world = World(jupiter=DOWN)
    for _ in range(6):
        world.serve()
        world.now += 8 * MINUTE
    assert world.asked.count("jupiter") == 6


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (DOWN, True),
        (SourceMalformed("it", "HTML"), True),
        (SourceRejected("it", 401, "no key"), True),
        (SourceRejected("it", 451, "not from here"), True),
        (SourceRejected("it", 404, "no such coin"), False),
        (InvalidInput("no token of that name"), False),
        (KeyMissing("it", "it.key"), False),
        (SourceResting("it", retry_after=20), False),
    ],
)
def test_what_is_wrong_with_a_question_is_no_failure_of_who_was_asked(
    error: NightjarError,
    counts: bool,  # noqa: FBT001 - a column of a table
) -> None:
    assert counts_as_failure(error) == counts


def test_what_an_earlier_run_noted_counts_in_the_next() -> None:
    standing = Standing()
    standing.recall(
        [
            ("jupiter", NOW - timedelta(hours=1), "set_aside"),
            ("coingecko", NOW - timedelta(hours=3), "set_aside"),
            ("dexscreener", NOW - 9 * MINUTE, "failing"),
            ("dexscreener", NOW - 4 * MINUTE, "failing"),
            ("jupiter", NOW - MINUTE, "up"),
        ]
    )
    assert standing.aside_until("jupiter", NOW) == NOW + timedelta(hours=1)
    assert standing.aside_until("coingecko", NOW) is None
    assert standing.aside_until("dexscreener", NOW) is None
    standing.failed("dexscreener", NOW)
    assert standing.aside_until("dexscreener", NOW) == NOW + timedelta(hours=2)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30))
def test_nobody_is_ever_set_aside_for_fewer_than_three_failures_in_a_window(
    waits: list[int],
) -> None:
    standing, now = Standing(), NOW
    failed_at: list[datetime] = []
    for wait in waits:
        now += wait * MINUTE
        if standing.aside_until("it", now):
            failed_at.clear()
            continue
        standing.failed("it", now)
        failed_at.append(now)
        recent = [at for at in failed_at if at > now - timedelta(minutes=15)]
        assert (standing.aside_until("it", now) is not None) == (len(recent) >= 3)
