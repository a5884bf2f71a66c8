"""What the further dialects share: reading a question, and a refusal in the venue's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from sources.sandbox.faults import NO_FAULTS, Faults
from sources.sandbox.history import Question
from sources.sandbox.refusals import JSON
from sources.sandbox.unreliable import FAULTS_SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from sources.sandbox.exchange import Exchange
    from sources.sandbox.history import Candles
    from sources.sandbox.incidents import Venue
    from sources.sandbox.symbols import Instrument

    Answer = Callable[[Exchange, Request], Any]

DAY_MINUTES = 1_440


class Refused(Exception):
    """A request that the venue answers with an error: its status, and the body in its words."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def route(exchange: Exchange, path: str, answer: Answer) -> Route:
    """Return a route whose answer is JSON; text is sent as it is."""

    async def endpoint(request: Request) -> Response:
        try:
            body, status = answer(exchange, request), 200
        except Refused as refused:
            body, status = refused.body, refused.status
        content = body if isinstance(body, str) else msgspec.json.encode(body)
        return Response(content, status, media_type=JSON)

    return Route(path, endpoint)


def faults_of(request: Request) -> Faults:
    """Return the faults in force for a request."""
    faults: Faults = request.scope.get(FAULTS_SCOPE, NO_FAULTS)
    return faults


def latest(
    exchange: Exchange, request: Request, venue: Venue, question: Question, first_ms: int = 0
) -> Candles:
    """Return the last bars up to the question's end, none that opens before `first_ms`."""
    candles = exchange.bars(venue, question._replace(start=None), faults_of(request))
    if exchange.stage.now(venue, "stale") is not None:
        return candles  # what is stale knows nothing of what was asked
    kept = candles.open_time >= first_ms
    return candles._replace(open_time=candles.open_time[kept], values=candles.values[:, kept])


def last_day(exchange: Exchange, request: Request, venue: Venue, instrument: Instrument) -> Candles:
    """Return the minutes of the last 24 hours, the one that forms among them."""
    question = Question(instrument, 1, None, None, DAY_MINUTES)
    return exchange.bars(venue, question, faults_of(request))


def whole(query: Mapping[str, str], name: str, problem: Callable[[str], Refused]) -> int | None:
    """Read a parameter that is a count; raise what `problem` makes of its name otherwise."""
    text = query.get(name)
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise problem(name)
    return int(text)
