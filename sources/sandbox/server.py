"""The sandbox's REST side: Binance spot's public endpoints, further dialects, and its own.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from core.errors import InvalidInput
from sources.sandbox import coinbase, kraken, okx, wire
from sources.sandbox.faults import Faults
from sources.sandbox.history import STEPS, Question
from sources.sandbox.incidents import Script
from sources.sandbox.refusals import JSON
from sources.sandbox.streams import serve_streams
from sources.sandbox.unreliable import FAULTS_SCOPE, Unreliable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from sources.sandbox.exchange import Exchange
    from sources.sandbox.faults import FaultPlan

DEFAULT_LIMIT, MAX_LIMIT = 500, 1_000
_DIGITS = "^[0-9]{1,20}$"
_KLINES_PARAMETERS = {"symbol", "interval", "startTime", "endTime", "timeZone", "limit"}


class _Refused(Exception):
    """A request that Binance answers with 400."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def create_app(exchange: Exchange) -> Starlette:
    """Return the server as an ASGI application."""
    answers: dict[str, tuple[int, Callable[[Exchange, Request], Any]]] = {
        "ping": (1, lambda _exchange, _request: {}),
        "time": (1, lambda exchange, _request: {"serverTime": exchange.clock.now_ms()}),
        "exchangeInfo": (20, _exchange_info),
        "klines": (2, _klines),
    }
    app = Starlette(
        routes=[
            *(
                Route(f"/api/v3/{name}", _endpoint(exchange, weight, answer))
                for name, (weight, answer) in answers.items()
            ),
            *(one for dialect in (coinbase, kraken, okx) for one in dialect.routes(exchange)),
            Route("/sandbox/faults", _show_faults),
            Route("/sandbox/faults", _set_faults, methods=["PUT", "POST"]),
            Route("/sandbox/script", _show_script),
            Route("/sandbox/script", _set_script, methods=["PUT", "POST"]),
            Route("/sandbox/stats", _stats),
            *(
                WebSocketRoute(path, serve_streams)
                for path in ("/ws", "/ws/{names:path}", "/stream")
            ),
        ],
        middleware=[Middleware(Unreliable, plan=exchange.plan, stage=exchange.stage)],
    )
    app.state.exchange = exchange
    return app


def _endpoint(
    exchange: Exchange, weight: int, answer: Callable[[Exchange, Request], Any]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        headers = exchange.spend(weight)
        try:
            body = answer(exchange, request)
        except _Refused as refused:
            body, status = wire.error(refused.code, refused.message), 400
        else:
            status = 200
        text = body if isinstance(body, str) else msgspec.json.encode(body)
        return Response(text, status, headers, media_type=JSON)

    return endpoint


def _exchange_info(exchange: Exchange, request: Request) -> dict[str, Any]:
    names = _names(request.query_params)
    unknown = [name for name in names if name not in exchange.listed]
    if unknown:
        raise _Refused(*wire.INVALID_SYMBOL)
    listed = [exchange.listed[name] for name in names or exchange.listed]
    if request.query_params.get("symbolStatus", "TRADING") != "TRADING":
        listed = []  # nothing here is ever halted
    return wire.exchange_info(listed, exchange.clock.now_ms())


def _names(query: Mapping[str, str]) -> list[str]:
    if "symbol" in query:
        return [query["symbol"]]
    if "symbols" not in query:
        return []
    try:
        return msgspec.json.decode(query["symbols"], type=list[str])
    except msgspec.DecodeError:
        text = "Illegal characters found in parameter 'symbols'; expected a JSON list of symbols."
        raise _Refused(-1100, text) from None


def _klines(exchange: Exchange, request: Request) -> str:
    faults: Faults = request.scope[FAULTS_SCOPE]
    question = _question(exchange, request.query_params)
    candles = exchange.bars("binance", question, faults)
    return wire.klines(candles, question.step)


def _question(exchange: Exchange, query: Mapping[str, str]) -> Question:
    for name in ("symbol", "interval"):
        if not query.get(name):
            raise _Refused(
                -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            )
    unread = set(query) - _KLINES_PARAMETERS
    if unread:
        read = len(query) - len(unread)
        text = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent "
        raise _Refused(-1104, f"{text}'{len(query)}'.")
    if query["symbol"] not in exchange.listed:
        raise _Refused(*wire.INVALID_SYMBOL)
    if query["interval"] not in STEPS:
        raise _Refused(*wire.INVALID_INTERVAL)
    limit = _whole(query, "limit")
    if limit == 0:
        raise _Refused(-1130, "Data sent for parameter 'limit' is not valid.")
    return Question(
        exchange.listed[query["symbol"]],
        STEPS[query["interval"]],
        _whole(query, "startTime"),
        _whole(query, "endTime"),
        DEFAULT_LIMIT if limit is None else min(limit, MAX_LIMIT),
    )


def _whole(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise _Refused(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '{_DIGITS}'."
        )
    return int(text)


async def _show_faults(request: Request) -> Response:
    plan: FaultPlan = request.app.state.exchange.plan
    return Response(msgspec.json.encode(plan.as_dict()), media_type=JSON)


async def _set_faults(request: Request) -> Response:
    plan: FaultPlan = request.app.state.exchange.plan
    try:
        plan.set(Faults.of(msgspec.json.decode(await request.body())))
    except (InvalidInput, msgspec.DecodeError) as error:
        body = wire.error(-1130, str(error))
        return Response(msgspec.json.encode(body), 400, media_type=JSON)
    return Response(msgspec.json.encode(plan.as_dict()), media_type=JSON)


async def _show_script(request: Request) -> Response:
    exchange: Exchange = request.app.state.exchange
    return Response(exchange.stage.script.as_json(), media_type=JSON)


async def _set_script(request: Request) -> Response:
    exchange: Exchange = request.app.state.exchange
    try:
        exchange.stage.set(Script.of(msgspec.json.decode(await request.body())))
    except (InvalidInput, msgspec.DecodeError) as error:
        body = wire.error(-1130, str(error))
        return Response(msgspec.json.encode(body), 400, media_type=JSON)
    return Response(exchange.stage.script.as_json(), media_type=JSON)


async def _stats(request: Request) -> Response:
    exchange: Exchange = request.app.state.exchange
    counted = exchange.plan.stats() | {"venues": exchange.stage.stats()}
    return Response(msgspec.json.encode(counted), media_type=JSON)
