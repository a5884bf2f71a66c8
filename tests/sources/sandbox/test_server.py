"""The sandbox over real HTTP: Binance's answers, its refusals, and every fault of an answer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sources.sandbox.faults import ANSWER_FAULTS, Faults
from sources.sandbox.process import set_faults, stats
from tests.sources.sandbox.conftest import NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: dict[str, Any] = {"symbol": "NOISE1USDT", "interval": "1m", "limit": 20}


def klines(client: httpx.Client, **given: Any) -> httpx.Response:
    return client.get("/api/v3/klines", params=PAGE | given)


def rows(answer: httpx.Response) -> list[list[Any]]:
    assert answer.status_code == 200, answer.text
    found: list[list[Any]] = answer.json()
    return found


# --- answers -------------------------------------------------------------------------------------


def test_ping_and_time_answer_as_the_venue(client: httpx.Client) -> None:
    assert client.get("/api/v3/ping").json() == {}
    assert client.get("/api/v3/time").json() == {"serverTime": NOW_MS}


def test_a_page_has_500_bars_unless_told_otherwise_and_1000_at_most(client: httpx.Client) -> None:
    bare = {"symbol": "NOISE1USDT", "interval": "1m"}
    assert len(client.get("/api/v3/klines", params=bare).json()) == 500
    assert len(rows(klines(client, limit=1_500))) == 1_000


def test_the_last_bar_is_still_forming(client: httpx.Client) -> None:
    last = rows(klines(client))[-1]
    assert last[0] <= NOW_MS <= last[6]


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "1h", "4h", "1d"])
def test_bars_of_any_interval_lie_on_their_grid(client: httpx.Client, interval: str) -> None:
    page = rows(klines(client, interval=interval))
    length = page[0][6] - page[0][0] + 1
    assert [row[0] % length for row in page] == [0] * 20
    assert [b[0] - a[0] for a, b in pairwise(page)] == [length] * 19


def test_start_and_end_are_included(client: httpx.Client) -> None:
    start = NOW_MS - 30_000 - 600_000
    page = rows(klines(client, startTime=start, endTime=start + 120_000))
    assert [row[0] for row in page] == [start, start + 60_000, start + 120_000]


def test_the_same_question_has_the_same_bytes(client: httpx.Client) -> None:
    assert klines(client).content == klines(client).content


def test_answers_say_what_they_weigh(client: httpx.Client) -> None:
    before, after = klines(client), klines(client)
    header = "X-MBX-USED-WEIGHT-1M"
    assert int(after.headers[header]) - int(before.headers[header]) == 2
    assert after.headers["content-type"] == "application/json;charset=UTF-8"


def test_exchange_information_can_be_asked_for_some_symbols(client: httpx.Client) -> None:
    def listed(**params: str) -> list[str]:
        answer = client.get("/api/v3/exchangeInfo", params=params)
        return [one["symbol"] for one in answer.json()["symbols"]]

    assert len(listed()) == 8
    assert listed(symbol="TREND1USDT") == ["TREND1USDT"]
    assert listed(symbols='["NOISE2USDT","NOISE1USDT"]') == ["NOISE2USDT", "NOISE1USDT"]
    assert listed(symbolStatus="TRADING") == listed()
    assert listed(symbolStatus="HALT") == []


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"symbol": "BTCUSDT"}, -1121),
        ({"symbol": "noise1usdt"}, -1121),
        ({"symbol": ""}, -1102),
        ({"interval": ""}, -1102),
        ({"interval": "7m"}, -1120),
        ({"startTime": "yesterday"}, -1100),
        ({"endTime": "-5"}, -1100),
        ({"limit": "1.5"}, -1100),
        ({"limit": "0"}, -1130),
        ({"begin": "5"}, -1104),
    ],
)
def test_a_wrong_question_is_refused_as_the_venue_refuses_it(
    client: httpx.Client, given: dict[str, str], code: int
) -> None:
    answer = klines(client, **given)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["msg"]


@pytest.mark.parametrize("params", [{"symbol": "BTCUSDT"}, {"symbols": "NOISE1USDT"}])
def test_unknown_symbols_have_no_exchange_information(
    client: httpx.Client, params: dict[str, str]
) -> None:
    assert client.get("/api/v3/exchangeInfo", params=params).status_code == 400


def test_what_is_not_there_is_not_found(client: httpx.Client) -> None:
    assert client.get("/api/v3/depth", params={"symbol": "NOISE1USDT"}).status_code == 404


# --- faults --------------------------------------------------------------------------------------


def test_too_many_requests_says_how_long_to_wait(sandbox: str, client: httpx.Client) -> None:
    set_faults(sandbox, Faults(too_many_requests=1.0, retry_after=7))
    answer = klines(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["code"] == -1003


def test_server_errors_come_as_json_and_as_html(sandbox: str, client: httpx.Client) -> None:
    set_faults(sandbox, Faults(server_errors=1.0))
    answers = [klines(client) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {500, 502, 503, 504}
    kinds = {answer.headers["content-type"].partition(";")[0] for answer in answers}
    assert kinds == {"application/json", "text/html"}


def test_a_late_answer_is_whole(sandbox: str, client: httpx.Client) -> None:
    true = klines(client).content
    set_faults(sandbox, Faults(timeouts=1.0, timeout_seconds=0.4))
    with pytest.raises(httpx.ReadTimeout):
        client.get("/api/v3/klines", params=PAGE, timeout=0.1)
    assert klines(client).content == true


def test_a_disconnect_leaves_no_answer(sandbox: str, client: httpx.Client) -> None:
    set_faults(sandbox, Faults(disconnects=1.0))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        klines(client)


def test_cut_bodies_are_short_of_their_length_or_of_their_end(
    sandbox: str, client: httpx.Client
) -> None:
    set_faults(sandbox, Faults(cut_bodies=1.0))
    seen = set()
    for _ in range(12):
        try:
            answer = klines(client)
        except httpx.RemoteProtocolError:
            seen.add("length")
        else:
            with pytest.raises(ValueError, match=r"."):
                answer.json()
            seen.add("end")
    assert seen == {"length", "end"}


def test_malformed_rows_are_a_share_of_the_page(sandbox: str, client: httpx.Client) -> None:
    true = rows(klines(client, limit=1_000))
    set_faults(sandbox, Faults(malformed_rows=1.0, bad_row_share=0.2))
    bad = rows(klines(client, limit=1_000))
    assert sum(one != other for one, other in zip(true, bad, strict=True)) == 200
    assert all(len(row) == 12 for row in bad)


def test_malformed_pages_are_no_pages(sandbox: str, client: httpx.Client) -> None:
    set_faults(sandbox, Faults(malformed_pages=1.0))
    bodies = {klines(client).content for _ in range(40)}
    assert len(bodies) == 8


def test_faults_of_bars_reach_the_wire(sandbox: str, client: httpx.Client) -> None:
    set_faults(sandbox, Faults(gaps=0.1, outliers=0.1, duplicates=0.1))
    page = rows(klines(client, limit=1_000))
    times = [row[0] for row in page]
    assert len(page) == 1_000
    assert len(set(times)) < 1_000
    assert (times[-1] - times[0]) // 60_000 + 1 > len(set(times))
    injected = stats(sandbox)["faults"]
    assert all(injected[kind] > 0 for kind in ("gaps", "outliers", "duplicates"))


def test_faults_can_be_seen_set_in_part_and_taken_away(client: httpx.Client) -> None:
    assert client.post("/sandbox/faults", json={"gaps": 0.5, "requests": 3}).status_code == 200
    shown = client.get("/sandbox/faults").json()
    assert (shown["gaps"], shown["requests"], shown["outliers"]) == (0.5, 3, 0.0)
    assert client.put("/sandbox/faults", json={}).json()["gaps"] == 0.0


@pytest.mark.parametrize("body", [b'{"gaps": 2}', b'{"luck": 1}', b"[]", b"{", b'{"gaps": "a"}'])
def test_wrong_faults_are_refused_and_change_nothing(client: httpx.Client, body: bytes) -> None:
    client.put("/sandbox/faults", json={"outliers": 0.25})
    answer = client.put("/sandbox/faults", content=body)
    assert answer.status_code == 400
    assert answer.json()["msg"]
    assert client.get("/sandbox/faults").json()["outliers"] == 0.25


def test_faults_of_so_many_requests_heal(sandbox: str, client: httpx.Client) -> None:
    set_faults(sandbox, Faults(server_errors=1.0, requests=2))
    assert [klines(client).status_code < 500 for _ in range(3)] == [False, False, True]


def test_ping_and_the_faults_themselves_stay_reliable(sandbox: str, client: httpx.Client) -> None:
    set_faults(sandbox, Faults(**dict.fromkeys(ANSWER_FAULTS, 1.0)))
    assert client.get("/api/v3/ping").status_code == 200
    assert client.get("/sandbox/stats").status_code == 200


def test_all_faults_at_once_repeat_with_their_seed(sandbox: str) -> None:
    rates: dict[str, Any] = dict.fromkeys(ANSWER_FAULTS, 0.15)
    faults = Faults(**rates, timeout_seconds=0.01, seed=5)

    def outcomes() -> Iterator[object]:
        set_faults(sandbox, faults)
        with httpx.Client(base_url=sandbox, trust_env=False, timeout=5) as client:
            for _ in range(40):
                try:
                    answer = klines(client)
                    yield answer.status_code, answer.content
                except httpx.RemoteProtocolError as error:
                    yield str(error)

    first = list(outcomes())
    assert list(outcomes()) == first
    assert len(set(first)) > 6
