"""A line to a source: it listens to the answers, rests, and counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import httpx
import pytest

from core.errors import (
    NightjarError,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceResting,
    SourceUnavailable,
)
from sources.base import fetch
from sources.breaker import Breaker
from sources.line import Line, all_lines, forget_lines, shared_line
from sources.venues.binance import Binance
from tests.sources.fakes import NOW, Exchange, FakeTime, span

if TYPE_CHECKING:
    from collections.abc import Callable


def line(time: FakeTime, per_second: float = 10.0, weight_limit: float | None = None) -> Line:
    return Line("kraken", per_second, weight_limit=weight_limit, clock=time.clock, sleep=time.sleep)


def collect(one: Line, exchange: Exchange, time: FakeTime, attempts: int = 6) -> int:
    pages = fetch(
        Binance(),
        span(300),
        exchange.client,
        now=NOW,
        pacer=one,
        retry=time.retry(attempts=attempts),
    )
    return sum(page.height for page in pages)


def down(until: Callable[[], bool]) -> Callable[[int, httpx.Request], httpx.Response | None]:
    return lambda _turn, _request: None if until() else httpx.Response(503)


def test_a_budget_that_runs_low_is_spread_over_its_window() -> None:
    time = FakeTime()
    one = line(time)
    headers = {"ratelimit-limit": "100", "ratelimit-remaining": "10", "ratelimit-reset": "20"}
    one.heard(headers)
    one.wait()
    before = time.now
    one.wait()
    assert time.now - before == pytest.approx(2.0)
    one.heard(headers | {"ratelimit-remaining": "90"})
    one.wait()
    before = time.now
    one.wait()
    assert time.now - before == pytest.approx(0.1)


def test_an_empty_budget_gives_nobody_a_turn_until_it_is_whole_again() -> None:
    time = FakeTime()
    one = line(time)
    one.heard({"ratelimit-limit": "100", "ratelimit-remaining": "0", "ratelimit-reset": "20"})
    assert one.held == pytest.approx(20.0)
    assert one.take().limit_left == 0


def test_weights_are_read_where_their_limit_is_known() -> None:
    time = FakeTime()
    one = line(time, weight_limit=2_400.0)
    one.heard({"x-mbx-used-weight-1m": "600"})
    assert one.take().limit_left == pytest.approx(0.75)


def test_who_asks_us_to_wait_is_asked_more_slowly_and_by_and_by_as_before() -> None:
    time = FakeTime()
    one = line(time)
    for _ in range(3):
        one.failed(RateLimited("kraken", status=429, retry_after=None))
    one.wait()
    before = time.now
    one.wait()
    assert time.now - before == pytest.approx(0.8)
    for _ in range(40):
        one.answered(0.1)
    one.wait()
    before = time.now
    one.wait()
    assert time.now - before == pytest.approx(0.1)
    assert one.take().limited == 3


def test_a_wait_that_it_names_holds_for_everybody() -> None:
    time = FakeTime()
    one = line(time)
    one.failed(RateLimited("kraken", status=418, retry_after=77.0))
    assert one.held == pytest.approx(77.0)
    assert one.breaker.state == "closed"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SourceUnavailable("kraken", "HTTP 503"), "open"),
        (SourceMalformed("kraken", "HTML"), "open"),
        (SourceRejected("kraken", 400, "no such pair"), "closed"),
        (RateLimited("kraken", status=429, retry_after=None), "closed"),
    ],
)
def test_only_a_source_that_does_not_work_opens_the_breaker(
    error: NightjarError, state: str
) -> None:
    time = FakeTime()
    one = line(time, math.inf)
    for _ in range(6):
        one.admit()
        one.failed(error)
        time.now += 0.2
    assert one.breaker.state == state


def test_health_is_what_happened_since_it_was_last_taken() -> None:
    one = line(FakeTime(), math.inf)
    for seconds in (0.1, 0.3, 0.2):
        one.admit()
        one.answered(seconds)
    one.admit()
    one.failed(SourceUnavailable("kraken", "HTTP 503"))
    one.failed(SourceResting("kraken", retry_after=3.0))
    health = one.take()
    assert health[:4] == ("failing", 4, 1, 0)
    assert health.latency_ms == pytest.approx(200.0)
    assert health.message == "kraken is unavailable: HTTP 503"
    assert one.take() == ("up", 0, 0, 0, None, None, None)


def test_nothing_is_sent_while_the_breaker_is_open_and_soon_after_it_all_comes() -> None:
    time = FakeTime()
    one = line(time, 1_000.0)
    began = time.now
    sent: list[float] = []

    def before(_turn: int, _request: httpx.Request) -> httpx.Response | None:
        sent.append(time.now - began)
        return httpx.Response(503) if time.now - began < 20 else None

    exchange = Exchange(range(300), before=before)
    one.breaker = Breaker("binance", failures=3, lasting=0.0, clock=time.clock)
    assert collect(one, exchange, time, attempts=8) == 300
    opened = sent[2]
    assert [at for at in sent if opened < at < opened + 29.99] == []
    recovered = min(at for at in sent if at > opened)
    assert recovered - (opened + 30) < 30


def test_a_source_that_stays_down_is_asked_once_per_rest() -> None:
    time = FakeTime()
    one = line(time, 1_000.0)
    exchange = Exchange([], before=down(lambda: False))
    began = time.now
    for _ in range(100):
        with pytest.raises(SourceUnavailable):
            collect(one, exchange, time)
        time.now += 60
    rests = (time.now - began) / 300
    assert len(exchange.requests) <= 6 + 1 + rests + 1


def test_a_process_has_one_line_for_each_source_and_address() -> None:
    forget_lines()
    first = shared_line("kraken http://a", "kraken", 10.0, None)
    assert shared_line("kraken http://a", "kraken", 10.0, None) is first
    other = shared_line("kraken http://b", "kraken", 10.0, None)
    assert other is not first
    assert all_lines() == {"kraken": other}
    forget_lines()
    assert all_lines() == {}
