"""The sandbox's WebSocket side: `<symbol>@kline_<interval>`, raw and combined.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.websockets import WebSocketDisconnect

from sources.sandbox import wire
from sources.sandbox.history import MINUTE_MS, STEPS, Question, View
from sources.sandbox.symbols import BY_VENUE_SYMBOL
from sources.sandbox.unreliable import hang_up

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from sources.sandbox.exchange import Exchange

_EVERY_MS = 2_000  # Binance sends a bar that changed every two seconds
_SHORTEST_WAIT = 0.01  # seconds, however fast the clock runs
_MOST = 1_000  # bars that one look can catch up with


class _Order(msgspec.Struct):
    """What a client may ask for over the socket."""

    method: str
    id: int | str | None = None
    params: list[str] = []


@dataclass
class _Stream:
    """One subscription; bars before the question's start were sent whole."""

    name: str
    question: Question
    interval: str
    last: dict[str, Any] = field(default_factory=dict)

    def due(self, exchange: Exchange) -> list[dict[str, Any]]:
        """Return the events since the last look: bars that closed, then the one forming."""
        now_ms, plan, step = exchange.clock.now_ms(), exchange.plan, self.question.step
        start = now_ms - now_ms % (step * MINUTE_MS)
        question = self.question._replace(start=self.question.start or start)
        candles = exchange.history.ask(question, View(now_ms, plan.faults, plan.injected))
        self.question = question._replace(start=start)
        events = wire.kline_events(candles, question.instrument, self.interval, now_ms)
        fresh = [event for event in events if event["k"]["x"] or event["k"] != self.last]
        self.last = events[-1]["k"] if events else {}
        return fresh


@dataclass
class _Connection:
    socket: WebSocket
    exchange: Exchange
    combined: bool
    streams: dict[str, _Stream] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def subscribe(self, names: list[str]) -> bool:
        """Add the streams that exist; return whether all of them do."""
        made = {name: _stream_named(name) for name in names}
        self.streams = {name: one for name, one in made.items() if one} | self.streams
        self.woken.set()
        return all(made.values())

    async def send_for_ever(self) -> None:
        """Send what is due, every two seconds of the exchange's clock."""
        while True:
            self.woken.clear()
            for one in list(self.streams.values()):
                for event in one.due(self.exchange):
                    await self._send(one, event)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.woken.wait(), self._pause())

    async def _send(self, one: _Stream, event: dict[str, Any]) -> None:
        if self.exchange.plan.drops_socket():
            await hang_up(self.socket.scope)
            raise WebSocketDisconnect(1006)
        frame = {"stream": one.name, "data": event} if self.combined else event
        await self.socket.send_text(msgspec.json.encode(frame).decode())

    def _pause(self) -> float | None:
        """Return seconds until the next look; None for a clock that stands still."""
        clock = self.exchange.clock
        if not clock.speed:
            return None
        left = _EVERY_MS - clock.now_ms() % _EVERY_MS
        return max(_SHORTEST_WAIT, left / 1_000 / clock.speed)

    async def listen(self) -> None:
        """Answer what the client asks for over the socket, until it leaves."""
        while True:
            answer = self._answer(await self.socket.receive_text())
            await self.socket.send_text(msgspec.json.encode(answer).decode())

    def _answer(self, text: str) -> dict[str, Any]:
        try:
            order = msgspec.json.decode(text, type=_Order)
        except msgspec.DecodeError as error:
            return {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}}
        match order.method:
            case "SUBSCRIBE" if self.subscribe(order.params):
                return {"result": None, "id": order.id}
            case "UNSUBSCRIBE":
                for name in order.params:
                    self.streams.pop(name, None)
                return {"result": None, "id": order.id}
            case "LIST_SUBSCRIPTIONS":
                return {"result": list(self.streams), "id": order.id}
        return {"error": {"code": 2, "msg": "Invalid request: unknown method or stream"}}


def _stream_named(name: str) -> _Stream | None:
    symbol, _, rest = name.partition("@kline_")
    instrument = BY_VENUE_SYMBOL.get(symbol.upper())
    if instrument is None or rest not in STEPS or symbol != symbol.lower():
        return None
    return _Stream(name, Question(instrument, STEPS[rest], None, None, _MOST), rest)


async def serve_streams(socket: WebSocket) -> None:
    """Serve one connection; names that are no stream of ours are passed over, as the venue does."""
    await socket.accept()
    combined = socket.url.path == "/stream"
    named = socket.query_params.get("streams", "") if combined else socket.path_params.get("names")
    connection = _Connection(socket, socket.app.state.exchange, combined)
    connection.subscribe([name for name in (named or "").split("/") if name])
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(connection.send_for_ever())
            tasks.create_task(connection.listen())
    except* WebSocketDisconnect:
        pass
