"""Binance's requests and bodies; the loop has its own tests."""

from __future__ import annotations

import logging
import math
import time
import traceback
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.errors import InvalidInput, NightjarError, SourceMalformed, SourceUnavailable
from core.market import INTERVALS, Span
from sources.base import Retry, fetch
from sources.venues.binance import Binance
from tests.sources.fakes import MINUTE, NOW, START, FakeTime, answer, kline, millis, span

BINANCE = Binance()
CANARY = "canaryKEY0123456789"


def body(*rows: list[object]) -> bytes:
    return msgspec.json.encode(rows or [kline(millis(START))])


def changed(place: int, value: Any) -> bytes:
    row = kline(millis(START))
    row[place] = value
    return body(row)


# --- asking


def test_a_request_names_the_documented_parameters() -> None:
    request = BINANCE.request(span(10))
    assert str(request.url).startswith("https://api.binance.com/api/v3/klines?")
    assert dict(request.url.params) == {
        "symbol": "BTCUSDT",
        "interval": "1m",
        "startTime": "1772323200000",
        "endTime": str(1772323200000 + 600_000 - 1),
        "limit": "1000",
    }
    assert "x-mbx-apikey" not in request.headers


def test_a_start_inside_a_millisecond_asks_from_the_next() -> None:
    micro = timedelta(microseconds=1)
    wanted = Span("binance", "BTC-USDT", "1m", START + micro, START + MINUTE + micro)
    params = BINANCE.request(wanted).url.params
    assert int(params["startTime"]) == millis(START) + 1
    assert int(params["endTime"]) == millis(START) + 60_000  # the bar that opens there is wanted


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_we_know_is_one_of_the_venues(interval: str) -> None:
    step = INTERVALS[interval] // timedelta(milliseconds=1)
    wanted = span(1, interval=interval)
    frame = BINANCE.parse(body(kline(millis(START), step)), wanted)
    assert BINANCE.request(wanted).url.params["interval"] == interval
    assert frame["interval"].to_list() == [interval]


def test_a_key_is_sent_where_there_is_one() -> None:
    request = Binance(api_key=SecretStr(CANARY)).request(span(1))
    assert request.headers["X-MBX-APIKEY"] == CANARY


def test_the_sandbox_is_paced_as_our_own_machine() -> None:
    assert Binance("http://x", "sandbox").per_second > 10 * BINANCE.per_second
    assert Binance("http://x", "sandbox", per_second=3).per_second == 3


# --- reading


def test_a_page_keeps_every_column() -> None:
    frame = BINANCE.parse(body(), span(1))
    assert frame.select("open", "high", "low", "close", "volume").row(0) == (
        100.5, 101.0, 99.0, 100.0, 12.5,
    )  # fmt: skip
    assert frame.select("quote_volume", "trades", "taker_buy_volume").row(0) == (1250.0, 42, 6.25)


def test_a_page_of_no_rows_is_an_empty_frame() -> None:
    empty = BINANCE.parse(b"[]", span(1))
    assert empty.is_empty()
    assert empty.schema == BINANCE.parse(body(), span(1)).schema


@pytest.mark.parametrize(
    ("text", "value"),
    [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), ("0", 0.0), ("-1", -1.0)],
)
def test_a_number_that_is_no_price_is_left_to_the_gate(text: str, value: float) -> None:
    close = BINANCE.parse(changed(4, text), span(1))["close"].to_list()
    assert close == pytest.approx([value], nan_ok=True)


VECTORS: list[Any] = [
    "1_000", "\uff11", " 1", "1 ", "", "1,5", "0x1", "abc", "1e", "--1",
    1.5, 1, None, True, [], {}, ["1"],
]  # fmt: skip


@pytest.mark.parametrize("place", [1, 2, 3, 4, 5, 7, 9])
@pytest.mark.parametrize("value", VECTORS, ids=repr)
def test_a_price_of_another_form_is_malformed_with_its_place(place: int, value: Any) -> None:
    with pytest.raises(SourceMalformed, match=rf"\$\[0\]\[{place}\]|row 1, "):
        BINANCE.parse(changed(place, value), span(1))


@pytest.mark.parametrize("place", [0, 6])
@pytest.mark.parametrize("value", ["1772323200000", 1.5, None, -1, 1772323200000000, 10**30, True])
def test_a_time_of_another_form_or_unit_is_malformed(place: int, value: Any) -> None:
    with pytest.raises(SourceMalformed, match=rf"\$\[0\]\[{place}\]|malformed"):
        BINANCE.parse(changed(place, value), span(1))


def test_a_count_beyond_64_bits_is_malformed() -> None:
    with pytest.raises(SourceMalformed):
        BINANCE.parse(changed(8, 2**64), span(1))


@pytest.mark.parametrize(
    "payload",
    [b'{"code":0,"data":[]}', b"null", b'"[]"', b"[[]]", b"[1]", b"<html></html>", b"[[1,2]] tail",
     b"\xff\xfe[", b"[" * 100_000 + b"]" * 100_000, b"[NaN]"],
)  # fmt: skip
def test_a_payload_of_another_shape_is_malformed(payload: bytes) -> None:
    with pytest.raises(SourceMalformed):
        BINANCE.parse(payload, span(1))


def test_a_row_that_grew_or_shrank_is_malformed() -> None:
    for row in (kline(millis(START))[:-1], [*kline(millis(START)), "new"]):
        with pytest.raises(SourceMalformed, match="length 12"):
            BINANCE.parse(body(row), span(1))


def test_bars_of_another_length_are_malformed() -> None:
    hours = [kline(millis(START) + 3_600_000 * n, 3_600_000) for n in range(5)]
    with pytest.raises(SourceMalformed, match="expected bars of 60000 ms, was 3600000 ms"):
        BINANCE.parse(body(*hours), span(300))


@given(st.integers(0, 2_000))
def test_every_cut_of_a_page_is_unavailable(kept: int) -> None:
    whole = body(*(kline(millis(START) + 60_000 * n) for n in range(10)))
    cut = whole[: kept % len(whole)]
    with pytest.raises(SourceUnavailable, match="cut"):
        BINANCE.parse(cut, span(10))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(allow_nan=False))))
def test_what_the_venue_wrote_is_what_we_hold(rows: list[tuple[int, float]]) -> None:
    sent = [kline(60_000 * n, price=repr(price)) for n, price in rows]
    frame = BINANCE.parse(msgspec.json.encode(sent), span(1))
    assert frame["open"].to_list() == [price for _, price in rows]
    assert [millis(moment) for moment in frame["open_time"]] == [60_000 * n for n, _ in rows]


def test_a_full_page_is_read_in_milliseconds() -> None:
    page = body(*(kline(millis(START) + 60_000 * n) for n in range(1_000)))
    best = math.inf
    for _ in range(20):
        began = time.perf_counter()
        BINANCE.parse(page, span(1_000))
        best = min(best, time.perf_counter() - began)
    assert best < 0.02  # under 2 ms on an idle core


# --- what the venue says of itself


def _instruments(*markets: dict[str, str], venue: Binance = BINANCE) -> list[str]:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v3/exchangeInfo"
        return httpx.Response(200, json={"timezone": "UTC", "symbols": markets})

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        return venue.instruments(client, retry=Retry.at_once())


def test_instruments_are_what_trades_now_with_any_quote() -> None:
    trading = [("ETH", "BTC"), ("BTC", "USDT"), ("1INCH", "FDUSD"), ("\u5e01\u5b89", "USDT")]
    markets = [{"symbol": b + q, "status": "TRADING", "baseAsset": b, "quoteAsset": q}
               for b, q in trading]  # fmt: skip
    halted = {"symbol": "LUNAUSDT", "status": "BREAK", "baseAsset": "LUNA", "quoteAsset": "USDT"}
    assert _instruments(*markets, halted) == ["1INCH-FDUSD", "BTC-USDT", "ETH-BTC"]


def test_a_market_without_its_assets_is_malformed() -> None:
    with pytest.raises(SourceMalformed, match=r"quoteAsset.*\$\.symbols"):
        _instruments({"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC"})


def test_a_refusal_without_the_documented_body_is_quoted() -> None:
    assert BINANCE.explain(b'{"code":-1003,"msg":"Too much."}') == "-1003: Too much."
    assert BINANCE.explain(b"<h1>403 Forbidden</h1>" * 100).startswith("<h1>403")
    assert len(BINANCE.explain(b"x" * 10_000)) == 200


@pytest.mark.parametrize("url", ["http://host:port", "nowhere", "ftp://x"])
def test_a_url_that_is_none_is_the_persons_mistake(url: str) -> None:
    fake = FakeTime()
    with httpx.Client() as client, pytest.raises(InvalidInput):
        list(fetch(Binance(url), span(1), client, now=NOW, pacer=fake.pacer(), retry=fake.retry()))


# --- secrets


@pytest.mark.parametrize("key", [" x", "x\r\ny: z", "k\u00e9y", "x\x00"])
def test_a_key_that_is_no_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Binance(api_key=SecretStr(key + CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


TROUBLE: list[httpx.Response | Exception] = [
    httpx.Response(400, text=f"we did not like {CANARY}"),
    httpx.Response(401, json={"code": -2015, "msg": f"bad key {CANARY}"}),
    httpx.Response(418),
    httpx.Response(500, text=CANARY),
    httpx.Response(200, text=f"<html>{CANARY}</html>"),
    answer([[CANARY]]),
    httpx.LocalProtocolError(f"Illegal header value {CANARY}"),
    httpx.ConnectError(CANARY),
    httpx.ReadTimeout(CANARY),
]


@pytest.mark.parametrize("trouble", TROUBLE, ids=repr)
def test_no_error_and_no_log_line_shows_the_key(
    trouble: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    venue = Binance("http://venue", api_key=SecretStr(CANARY))
    fake = FakeTime()
    with (
        httpx.Client(transport=httpx.MockTransport(handle)) as client,
        pytest.raises(NightjarError) as caught,
    ):
        list(fetch(venue, span(1), client, now=NOW, pacer=fake.pacer(), retry=fake.retry()))
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(vars(venue))
    assert CANARY not in shown
