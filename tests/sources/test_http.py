"""Sending over real sockets, and what a status means."""

from __future__ import annotations

import gzip
import logging

import httpx
import pytest

from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceUnavailable,
)
from sources.http import (
    Answer,
    accept,
    open_client,
    require_json,
    retry_after,
    send,
    shared_client,
)
from tests.sources.fakes import http_bytes, raw_server

BODY = b'[{"a": 1}]' * 100
QUICK = httpx.Timeout(0.3)


def _get(url: str, **options: float) -> Answer:
    with open_client(timeout=QUICK) as client:
        return send(client, httpx.Request("GET", url), "venue", **options)


def test_a_whole_answer_is_returned() -> None:
    with raw_server([http_bytes(BODY)]) as url:
        assert _get(url).body == BODY


def test_every_cut_of_a_body_with_a_length_is_unavailable() -> None:
    whole = http_bytes(BODY)
    head = len(whole) - len(BODY)
    cuts = [0, 1, head // 2, head, head + 1, len(whole) // 2, len(whole) - 1]
    for cut in cuts:
        with raw_server([whole[:cut]]) as url, pytest.raises(SourceUnavailable, match="no whole"):
            _get(url)


def test_a_body_cut_between_chunks_is_unavailable() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_server([head, b"4\r\nabcd\r\n"]) as url, pytest.raises(SourceUnavailable):
        _get(url)


def test_a_body_that_does_not_unpack_is_unavailable() -> None:
    answer = http_bytes(b"not gzip at all").replace(
        b"Connection", b"Content-Encoding: gzip\r\nConnection"
    )
    with raw_server([answer]) as url, pytest.raises(SourceUnavailable, match="DecodingError"):
        _get(url)


def test_silence_is_unavailable() -> None:
    with raw_server([0.6]) as url, pytest.raises(SourceUnavailable, match="ReadTimeout"):
        _get(url)


def test_a_body_that_drips_is_given_up_when_its_time_is_over() -> None:
    drops: list[bytes | float] = [http_bytes(b"", length=1_000)]
    for _ in range(50):
        drops += [b"x", 0.05]
    with raw_server(drops) as url, pytest.raises(SourceUnavailable, match="too slowly"):
        _get(url, within=0.3)


def test_nobody_there_is_unavailable() -> None:
    with raw_server([b""]) as url:
        pass
    with pytest.raises(SourceUnavailable, match="ConnectError"):
        _get(url)


def test_an_answer_that_unpacks_to_too_much_is_malformed() -> None:
    bomb = http_bytes(gzip.compress(bytes(10_000_000))).replace(
        b"Connection", b"Content-Encoding: gzip\r\nConnection"
    )
    with raw_server([bomb]) as url, pytest.raises(SourceMalformed, match="over 1000000 bytes"):
        _get(url, at_most=1_000_000)


def test_a_url_that_is_none_is_the_persons_mistake() -> None:
    for url in ("ftp://example.com", "binance"):
        with pytest.raises(InvalidInput):
            _get(url)


def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with raw_server([moved]) as url:
        answer = _get(url)
    with pytest.raises(SourceUnavailable, match="HTTP 302"):
        accept(answer, "venue", repr)


def test_a_header_value_that_is_refused_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    request = httpx.Request("GET", "http://127.0.0.1:1/", headers={"x-key": "canary\r\nx: y"})
    with open_client() as client, pytest.raises((InvalidInput, SourceUnavailable)) as caught:
        send(client, request, "venue")
    assert "canary" not in str(caught.value) + caplog.text


def test_the_clients_own_headers_are_sent() -> None:
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200)

    with open_client(transport=httpx.MockTransport(handle)) as client:
        send(client, httpx.Request("GET", "http://venue/"), "venue")
    assert seen[0]["user-agent"] == "nightjar"
    assert "gzip" in seen[0]["accept-encoding"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, SourceRejected), (401, SourceRejected), (403, SourceRejected), (404, SourceRejected),
     (451, SourceRejected), (408, SourceUnavailable), (500, SourceUnavailable),
     (503, SourceUnavailable), (504, SourceUnavailable), (599, SourceUnavailable),
     (204, SourceUnavailable), (206, SourceUnavailable), (301, SourceUnavailable),
     (429, RateLimited), (418, RateLimited)],
)  # fmt: skip
def test_a_status_decides_the_error(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=str(status)) as caught:
        accept(Answer(status, httpx.Headers(), b"why"), "venue", bytes.decode)
    assert type(caught.value) is error
    assert caught.value.status == status  # type: ignore[attr-defined]


def test_a_refusal_carries_the_venues_words() -> None:
    with pytest.raises(SourceRejected, match="why not"):
        accept(Answer(400, httpx.Headers(), b"why not"), "venue", bytes.decode)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7.0),
     ({"retry-after": " 0 "}, 0.0),
     ({"retry-after": "9" * 400}, 999_999_999.0),
     ({}, None),
     ({"retry-after": "soon"}, None),
     ({"retry-after": "-3"}, None),
     ({"retry-after": "1.5"}, None),
     ({"retry-after": "٣"}, None),
     ({"retry-after": "inf"}, None),
     ({"retry-after": "Mon, 01 Jun 2026 00:01:00 GMT"}, None),
     ({"retry-after": "Mon, 01 Jun 2026 00:01:00 GMT",
       "date": "Mon, 01 Jun 2026 00:00:00 GMT"}, 60.0),
     ({"retry-after": "Mon, 01 Jun 2026 00:00:00 GMT",
       "date": "Mon, 01 Jun 2026 00:01:00 GMT"}, 0.0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    assert retry_after(httpx.Headers(raw)) == seconds


def test_what_is_not_json_is_malformed() -> None:
    page = Answer(200, httpx.Headers({"content-type": "text/html"}), b"<html>")
    with pytest.raises(SourceMalformed, match="text/html"):
        require_json(page, "venue")
    require_json(Answer(200, httpx.Headers(), b"[]"), "venue")


def test_a_process_has_one_client_and_closes_it_when_its_last_user_leaves() -> None:
    with shared_client(connections=50) as outer:
        with shared_client() as inner:
            assert inner is outer
        assert not outer.is_closed
    assert outer.is_closed
    with shared_client() as another:
        assert another is not outer
