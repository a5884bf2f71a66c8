"""The faults of answers, wrapped around a server that knows nothing of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from sources.sandbox import damage, wire

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sources.sandbox.faults import FaultPlan, Faults, Incident

JSON = "application/json;charset=UTF-8"
FAULTS_SCOPE = "sandbox.faults"  # what is in force for this request
TRANSPORT_SCOPE = "sandbox.transport"  # the connection, put there by sources/sandbox/process.py

_TOO_MANY = wire.error(
    -1003,
    "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API.",
)
_SERVER_ERRORS: tuple[tuple[int, bytes, str], ...] = (
    (500, msgspec.json.encode(wire.error(-1000, "An unknown error occurred.")), JSON),
    (502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html"),
    (503, msgspec.json.encode(wire.error(-1008, "Server is currently overloaded.")), JSON),
    (504, b"<html><body><h1>504 Gateway Time-out</h1></body></html>", "text/html"),
)


class Unreliable:
    """Passes requests on to `app` and spoils some of the answers, as `plan` draws them.

    `/api/v3/ping` and everything outside `/api/` stay reliable, so that the faults can be steered.
    """

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one socket."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith("/api/") or path == "/api/v3/ping":
            await self._app(scope, receive, send)
            return
        faults, incident = self._plan.next_answer()
        scope[FAULTS_SCOPE] = faults
        if incident is None:
            await self._app(scope, receive, send)
        elif incident.kind == "disconnects":
            await hang_up(scope)
        elif incident.kind in {"too_many_requests", "server_errors"}:
            await _refusal(faults, incident)(scope, receive, send)
        else:
            if incident.kind == "timeouts":
                await asyncio.sleep(faults.timeout_seconds)
            await self._spoil(faults, incident, scope, receive, send)

    async def _spoil(
        self, faults: Faults, incident: Incident, scope: Scope, receive: Receive, send: Send
    ) -> None:
        start, body = await _answer(self._app, scope, receive)
        status, headers = start["status"], dict(start["headers"])
        announced = len(body)
        if incident.kind == "malformed_rows" and status == 200:
            body, _ = damage.break_rows(body, incident, faults.bad_row_share)
            announced = len(body)
        elif incident.kind == "malformed_pages" and status == 200:
            body, kind = damage.break_page(body, incident)
            headers[b"content-type"] = kind.encode()
            announced = len(body)
        elif incident.kind == "cut_bodies":
            body, whole = damage.cut(body, incident)
            announced = announced if whole else len(body)
        headers[b"content-length"] = str(announced).encode()
        short = len(body) < announced
        await send({**start, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": body, "more_body": short})
        if short:
            await hang_up(scope)


def _refusal(faults: Faults, incident: Incident) -> Response:
    if incident.kind == "too_many_requests":
        headers = {"Retry-After": str(faults.retry_after)}
        return Response(msgspec.json.encode(_TOO_MANY), 429, headers, media_type=JSON)
    status, body, kind = _SERVER_ERRORS[int(incident.which * len(_SERVER_ERRORS))]
    return Response(body, status, media_type=kind)


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """Return what `app` would have sent: the start of the answer, and its whole body."""
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    return sent[0], b"".join(message.get("body", b"") for message in sent[1:])


async def hang_up(scope: Scope) -> None:
    """Close the connection; what was written goes out first, no answer follows."""
    scope[TRANSPORT_SCOPE].close()
    await asyncio.sleep(0.01)  # let the server notice, so that it does not answer for us
