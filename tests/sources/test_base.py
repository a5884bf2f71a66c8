"""The loop: paging, progress, asking again, pacing, and bars that are still forming."""

from __future__ import annotations

import itertools
from datetime import timedelta

import httpx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import CANDLES
from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceStalled,
    SourceUnavailable,
)
from core.market import Span
from sources.base import Retry, fetch, plan
from sources.venues.binance import Binance
from tests.sources.fakes import (
    JSON,
    MINUTE,
    NOW,
    START,
    Exchange,
    FakeTime,
    answer,
    http_bytes,
    kline,
    millis,
    raw_server,
    span,
)

BINANCE = Binance("http://venue")


def collect(
    exchange: Exchange, wanted: Span, fake: FakeTime | None = None, **options: object
) -> pl.DataFrame:
    fake = fake or FakeTime()
    options = {"now": NOW, "pacer": fake.pacer(), "retry": fake.retry()} | options
    with exchange.client as client:
        pages = list(fetch(BINANCE, wanted, client, **options))  # type: ignore[arg-type]
    return pl.concat([CANDLES.empty(), *pages])


def minutes(frame: pl.DataFrame) -> list[int]:
    return [(moment - START) // MINUTE for moment in frame["open_time"]]


# --- paging


@given(st.sets(st.integers(-3, 60)), st.integers(1, 20), st.integers(0, 55))
def test_any_page_size_and_any_gaps_give_every_bar_exactly_once(
    opens: set[int], page: int, bars: int
) -> None:
    frame = collect(Exchange(opens, page=page), span(bars))
    assert minutes(frame) == sorted(n for n in opens if 0 <= n < bars)


def test_a_page_conforms_and_says_where_it_came_from() -> None:
    row = collect(Exchange([0]), span(1)).row(0, named=True)
    assert row == {
        "venue": "binance", "symbol": "BTC-USDT", "interval": "1m", "open_time": START,
        "open": 100.5, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 12.5,
        "quote_volume": 1250.0, "trades": 42, "taker_buy_volume": 6.25, "synthetic": False,
        "source": "binance:rest", "ingested_at": NOW,
    }  # fmt: skip


def test_the_last_page_is_not_asked_beyond() -> None:
    exchange = Exchange(range(10), page=5)
    collect(exchange, span(10))
    assert len(exchange.requests) == 2


def test_an_empty_page_ends_the_span() -> None:
    exchange = Exchange(range(4))
    assert minutes(collect(exchange, span(10_000))) == [0, 1, 2, 3]
    assert len(exchange.requests) == 2


def test_an_empty_span_asks_nothing() -> None:
    exchange = Exchange(range(4))
    assert collect(exchange, span(0)).is_empty()
    assert exchange.requests == []


def test_order_and_doubles_inside_a_page_are_kept() -> None:
    def shuffled(_count: int, _request: httpx.Request) -> httpx.Response:
        return answer(kline(millis(START) + 60_000 * n) for n in [2, 0, 1, 1])

    frame = collect(Exchange([], before=shuffled), span(3))
    assert minutes(frame) == [2, 0, 1, 1]


@pytest.mark.parametrize("opens", [[0], [0, 1, 2], [-5, -1]])
def test_a_venue_that_repeats_itself_is_stopped(opens: list[int]) -> None:
    def stuck(_count: int, _request: httpx.Request) -> httpx.Response:
        return answer(kline(millis(START) + 60_000 * n) for n in opens)

    with pytest.raises(SourceStalled, match="binance repeats itself"):
        collect(Exchange([], before=stuck), span(100))


def test_one_misprinted_year_does_not_end_the_collection() -> None:
    wrong = [kline(4_102_444_800_000), kline(millis(START) + 60_000 * 9 + 7), kline(0)]

    def misprint(count: int, _request: httpx.Request) -> httpx.Response | None:
        rows = [kline(millis(START) + 60_000 * n) for n in range(5)]
        return answer([*rows, *wrong]) if count == 1 else None

    frame = collect(Exchange(range(10), page=5, before=misprint), span(10))
    assert frame.height == 13  # the gate sees, and quarantines, the three
    assert set(minutes(frame)) >= set(range(10))


def test_rows_after_the_span_end_it() -> None:
    def far(_count: int, _request: httpx.Request) -> httpx.Response:
        return answer([kline(millis(START) + 60_000 * 50)])

    assert minutes(collect(Exchange([], before=far), span(10))) == [50]


# --- bars that are still forming


@pytest.mark.parametrize("seconds", [0, 1, 30, 59, 59.999999])
def test_a_bar_that_is_forming_is_never_yielded(seconds: float) -> None:
    now = START + 5 * MINUTE + timedelta(seconds=seconds)
    exchange = Exchange(range(100))
    assert minutes(collect(exchange, span(100), now=now)) == [0, 1, 2, 3, 4]
    assert int(exchange.requests[0].url.params["endTime"]) == millis(START + 5 * MINUTE) - 1


def test_a_forming_bar_is_dropped_where_the_venue_sends_it_unasked() -> None:
    def generous(_count: int, _request: httpx.Request) -> httpx.Response:
        return answer(kline(millis(START) + 60_000 * n) for n in range(6))

    now = START + timedelta(minutes=5, seconds=30)
    assert minutes(collect(Exchange([], before=generous), span(6), now=now)) == [0, 1, 2, 3, 4]


def test_a_future_bar_is_left_to_the_gate() -> None:
    def prophet(_count: int, _request: httpx.Request) -> httpx.Response:
        return answer(kline(millis(START) + 60_000 * n) for n in [0, 1, 90])

    assert minutes(collect(Exchange([], before=prophet), span(2), now=START + 2 * MINUTE)) == [
        0, 1, 90,
    ]  # fmt: skip


def test_a_span_of_the_future_asks_nothing() -> None:
    exchange = Exchange(range(4))
    assert collect(exchange, span(4), now=START).is_empty()
    assert exchange.requests == []


# --- asking again


def _fail(response: httpx.Response | Exception, times: int, opens: int = 10) -> Exchange:
    def before(count: int, _request: httpx.Request) -> httpx.Response | None:
        if count > times:
            return None
        if isinstance(response, Exception):
            raise response
        return response

    return Exchange(range(opens), before=before)


HTML = httpx.Response(200, html="<html>please log in</html>")
TEMPORARY = [
    httpx.Response(500),
    httpx.Response(503, headers={"retry-after": "1"}),
    httpx.Response(429, headers={"retry-after": "1"}),
    httpx.Response(429),
    httpx.Response(200, content=b"", headers=JSON),
    httpx.Response(200, content=b'[[1772323200000,"1', headers=JSON),
    httpx.ConnectTimeout("no"),
    httpx.ReadTimeout("no"),
    httpx.ConnectError("no"),
    httpx.RemoteProtocolError("no"),
    httpx.ReadError("no"),
]


@pytest.mark.parametrize("trouble", TEMPORARY, ids=repr)
def test_temporary_trouble_is_outlasted(trouble: httpx.Response | Exception) -> None:
    exchange = _fail(trouble, times=7)
    assert minutes(collect(exchange, span(10))) == list(range(10))
    assert len(exchange.requests) == 8


@pytest.mark.parametrize("trouble", TEMPORARY, ids=repr)
def test_lasting_trouble_is_given_up(trouble: httpx.Response | Exception) -> None:
    exchange = _fail(trouble, times=100)
    with pytest.raises(SourceUnavailable):
        collect(exchange, span(10))
    assert len(exchange.requests) == 8


MALFORMED = [
    HTML,
    httpx.Response(200, content=b"<html>", headers=JSON),
    httpx.Response(200, content=b'{"code":0}', headers=JSON),
    answer([[1, 2, 3]]),
]


@pytest.mark.parametrize("trouble", MALFORMED, ids=repr)
def test_a_malformed_answer_is_asked_for_three_times(trouble: httpx.Response) -> None:
    assert minutes(collect(_fail(trouble, times=2), span(10))) == list(range(10))
    exchange = _fail(trouble, times=3)
    with pytest.raises(SourceMalformed):
        collect(exchange, span(10))
    assert len(exchange.requests) == 3


def test_a_refusal_is_not_asked_again() -> None:
    refusal = httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})
    exchange = _fail(refusal, times=100)
    with pytest.raises(SourceRejected, match=r"HTTP 400.*-1121: Invalid symbol\."):
        collect(exchange, span(10))
    assert len(exchange.requests) == 1


def test_a_ban_ends_at_once_and_holds_everybody_back() -> None:
    fake = FakeTime()
    pacer = fake.pacer()
    exchange = _fail(httpx.Response(418, headers={"retry-after": "7200"}), times=100)
    with pytest.raises(RateLimited) as caught:
        collect(exchange, span(10), fake, pacer=pacer)
    assert caught.value.status == 418
    assert caught.value.retry_after == 7_200
    with pytest.raises(RateLimited) as again:
        collect(exchange, span(10), fake, pacer=pacer)
    assert again.value.retry_after == pytest.approx(7_200)
    assert len(exchange.requests) == 1
    assert fake.slept == []


@pytest.mark.parametrize("headers", [{}, {"retry-after": "1"}])
def test_a_short_ban_is_not_waited_for_either(headers: dict[str, str]) -> None:
    exchange = _fail(httpx.Response(418, headers=headers), times=1)
    with pytest.raises(RateLimited):
        collect(exchange, span(10))
    assert len(exchange.requests) == 1


def test_retry_after_is_honoured() -> None:
    fake = FakeTime()
    exchange = _fail(httpx.Response(429, headers={"retry-after": "45"}), times=2)
    collect(exchange, span(10), fake)
    assert 90 <= sum(fake.slept) < 92


def test_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    fake = FakeTime()
    exchange = _fail(httpx.Response(429, headers={"retry-after": "301"}), times=1)
    with pytest.raises(RateLimited):
        collect(exchange, span(10), fake)
    assert fake.slept == []


def test_waits_grow_and_stay_within_the_longest() -> None:
    fake = FakeTime()
    exchange = _fail(httpx.Response(500), times=100)
    with pytest.raises(SourceUnavailable):
        collect(exchange, span(10), fake, retry=fake.retry(attempts=12))
    waits = [wait for wait in fake.slept if wait > 0.01]  # shorter ones are the pacer's
    assert len(waits) == 11
    assert all(0.25 * 2**n <= wait <= 0.25 * 2**n + 0.25 for n, wait in enumerate(waits[:7]))
    assert waits[7:] == [30.0] * 4


def test_no_wait_passes_the_deadline() -> None:
    fake = FakeTime()
    exchange = _fail(httpx.Response(500), times=10_000)
    with pytest.raises(SourceUnavailable):
        collect(exchange, span(10), fake, retry=fake.retry(attempts=10_000, deadline=100))
    assert 60 < fake.now - 1_000 <= 100


def test_many_requests_with_many_failures_lose_and_double_nothing() -> None:
    def flaky(count: int, _request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500 + count % 4) if count % 10 in (1, 4, 5) else None

    exchange = Exchange(range(1_200), page=6, before=flaky)
    assert minutes(collect(exchange, span(1_200))) == list(range(1_200))
    assert len(exchange.requests) > 280


def test_a_policy_for_tests_does_not_sleep() -> None:
    exchange = _fail(httpx.Response(500), times=7)
    frame = collect(exchange, span(10), retry=Retry.at_once())
    assert frame.height == 10


def test_every_prefix_of_a_real_answer_is_healed_or_refused_and_never_believed() -> None:
    whole = http_bytes(answer(kline(millis(START) + 60_000 * n) for n in range(3)).content)
    body = len(whole) - whole.index(b"\r\n\r\n") - 4
    fake = FakeTime()
    for kept in range(0, body, 19):
        # the length agrees with what is left, so that only the JSON shows the cut
        cut = http_bytes(whole[len(whole) - body : len(whole) - body + kept])
        with raw_server([cut], [whole]) as url, httpx.Client() as client:
            pages = fetch(
                Binance(url), span(3), client, now=NOW, pacer=fake.pacer(), retry=fake.retry()
            )
            assert minutes(pl.concat(pages)) == [0, 1, 2]


# --- the rest


def test_a_span_of_another_venue_is_refused() -> None:
    other = Span("kraken", "BTC-USDT", "1m", START, START + MINUTE)
    with pytest.raises(InvalidInput, match="span of binance"):
        collect(Exchange([]), other)


def test_every_request_waits_for_its_turn() -> None:
    fake = FakeTime()
    collect(Exchange(range(10), page=1), span(10), fake, pacer=fake.pacer(per_second=2))
    assert fake.now - 1_000 == pytest.approx(4.5)


def test_a_plan_leaves_out_what_is_not_closed_and_cuts_the_rest() -> None:
    now = START + timedelta(minutes=10, seconds=20)
    planned = plan([span(20), span(4), span(0), span(5, start=NOW)], now=now, bars=4)
    assert [piece.bars for piece in planned] == [4, 4, 2, 4]
    assert max(piece.end for piece in planned) == START + 10 * MINUTE


@given(st.integers(0, 5_000), st.integers(1, 2_000), st.integers(-10, 2_400))
def test_a_plan_covers_every_closed_bar_once(bars: int, batch: int, closed: int) -> None:
    planned = plan([span(bars)], now=START + closed * MINUTE, bars=batch)
    assert sum(piece.bars for piece in planned) == max(0, min(bars, closed))
    assert all(a.end == b.start for a, b in itertools.pairwise(planned))
    assert all(0 < piece.bars <= batch for piece in planned)
