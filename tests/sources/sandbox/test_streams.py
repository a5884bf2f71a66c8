"""The sandbox's WebSocket: raw and combined streams, orders over the socket, dropped sockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from sources.sandbox.faults import Faults
from sources.sandbox.process import running, set_faults
from tests.sources.sandbox.conftest import NOW, NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = 3_600.0  # an hour of the sandbox's clock in each second


@pytest.fixture(scope="module")
def fast() -> Iterator[str]:
    with running(seed=1, at=NOW, speed=FAST) as url:
        yield url


def open_socket(url: str, path: str) -> ClientConnection:
    return connect(url.replace("http", "ws") + path, proxy=None, open_timeout=5, close_timeout=2)


def receive(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=5))
    return frame


def closed_bars(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        bar = receive(socket)["k"]
        found += [bar] if bar["x"] else []
    return found


def row_of(bar: dict[str, Any]) -> list[Any]:
    """Return a bar of a stream as a row of a page."""
    return [bar[key] for key in "tohlcvTqnVQB"]


def test_a_raw_stream_begins_with_the_bar_still_forming(sandbox: str, client: httpx.Client) -> None:
    with open_socket(sandbox, "/ws/noise1usdt@kline_1m") as socket:
        event = receive(socket)
    page = {"symbol": "NOISE1USDT", "interval": "1m", "limit": 1}
    (row,) = client.get("/api/v3/klines", params=page).json()
    bar = event["k"]
    assert (event["e"], event["E"], event["s"]) == ("kline", NOW_MS, "NOISE1USDT")
    assert row_of(bar) == row
    assert (bar["i"], bar["x"]) == ("1m", False)


def test_combined_streams_say_which_one_each_frame_is_of(sandbox: str) -> None:
    names = ["noise1usdt@kline_1m", "trend1usdt@kline_1h"]
    with open_socket(sandbox, f"/stream?streams={'/'.join(names)}") as socket:
        frames = [receive(socket), receive(socket)]
    assert [frame["stream"] for frame in frames] == names
    assert [frame["data"]["k"]["i"] for frame in frames] == ["1m", "1h"]


def test_streams_can_be_added_listed_and_left(sandbox: str) -> None:
    with open_socket(sandbox, "/ws") as socket:
        name = "noise2usdt@kline_5m"
        socket.send(json.dumps({"method": "SUBSCRIBE", "params": [name], "id": 1}))
        first, second = receive(socket), receive(socket)
        answer, event = (first, second) if "id" in first else (second, first)
        assert answer == {"result": None, "id": 1}
        assert event["s"] == "NOISE2USDT"
        socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": "two"}))
        assert receive(socket) == {"result": [name], "id": "two"}
        socket.send(json.dumps({"method": "UNSUBSCRIBE", "params": [name], "id": 3}))
        assert receive(socket) == {"result": None, "id": 3}
        socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 4}))
        assert receive(socket) == {"result": [], "id": 4}


@pytest.mark.parametrize(
    "order",
    [
        "{",
        json.dumps({"method": "DANCE", "id": 1}),
        json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1}),
        json.dumps({"method": "SUBSCRIBE", "params": ["NOISE1USDT@kline_1m"], "id": 1}),
        json.dumps({"method": "SUBSCRIBE", "params": ["noise1usdt@kline_7m"], "id": 1}),
    ],
)
def test_an_order_that_makes_no_sense_gets_an_error(sandbox: str, order: str) -> None:
    with open_socket(sandbox, "/ws") as socket:
        socket.send(order)
        assert receive(socket)["error"]["code"] in {2, 3}


def test_closed_bars_follow_each_other_and_are_those_of_rest(fast: str) -> None:
    with open_socket(fast, "/ws/noise1usdt@kline_1m") as socket:
        bars = closed_bars(socket, 12)
    times = [bar["t"] for bar in bars]
    assert times == list(range(times[0], times[0] + 12 * 60_000, 60_000))
    query = {"symbol": "NOISE1USDT", "interval": "1m", "startTime": times[0], "limit": 12}
    rows = httpx.get(f"{fast}/api/v3/klines", params=query, trust_env=False).json()
    assert [row_of(bar) for bar in bars] == rows


def test_a_bar_grows_until_it_closes(fast: str) -> None:
    with open_socket(fast, "/ws/noise1usdt@kline_15m") as socket:
        closed_bars(socket, 1)  # the one that had begun before
        seen = [receive(socket)["k"]]
        while not seen[-1]["x"]:
            seen.append(receive(socket)["k"])
    assert len(seen) > 3
    assert len({bar["t"] for bar in seen}) == 1
    volumes = [float(bar["v"]) for bar in seen]
    assert volumes == sorted(volumes)


def test_a_minute_that_is_missing_is_never_sent(fast: str) -> None:
    set_faults(fast, Faults(gaps=0.8, seed=3))
    try:
        with open_socket(fast, "/ws/noise3usdt@kline_1m") as socket:
            times = [bar["t"] for bar in closed_bars(socket, 24)]
        query = {"symbol": "NOISE3USDT", "interval": "1m", "startTime": times[0], "limit": 24}
        rows = httpx.get(f"{fast}/api/v3/klines", params=query, trust_env=False).json()
    finally:
        set_faults(fast)
    assert times == [row[0] for row in rows]
    assert times[-1] - times[0] > 23 * 60_000


def test_a_socket_can_be_dropped_without_a_goodbye(sandbox: str) -> None:
    set_faults(sandbox, Faults(disconnects=1.0))
    with (
        open_socket(sandbox, "/ws/noise1usdt@kline_1m") as socket,
        pytest.raises(ConnectionClosed) as caught,
    ):
        socket.recv(timeout=5)
    assert caught.value.rcvd is None  # no closing frame came: code 1006
