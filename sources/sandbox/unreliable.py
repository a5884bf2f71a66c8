"""The faults of answers, wrapped around a server that knows nothing of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from sources.sandbox import damage, refusals, wire
from sources.sandbox.incidents import venue_of
from sources.sandbox.refusals import JSON

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sources.sandbox.faults import FaultPlan, Faults, Incident
    from sources.sandbox.incidents import Stage, Venue

FAULTS_SCOPE = "sandbox.faults"  # what is in force for this request
TRANSPORT_SCOPE = "sandbox.transport"  # the connection, put there by sources/sandbox/process.py

_SERVER_ERRORS: tuple[tuple[int, bytes, str], ...] = (
    (500, msgspec.json.encode(wire.error(-1000, "An unknown error occurred.")), JSON),
    (502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html"),
    (503, msgspec.json.encode(wire.error(-1008, "Server is currently overloaded.")), JSON),
    (504, b"<html><body><h1>504 Gateway Time-out</h1></body></html>", "text/html"),
)


class Unreliable:
    """Passes requests on to `app` and spoils some of the answers, as `plan` draws them.

    What `stage` plays comes first. `/api/v3/ping` and all that is no venue's stay reliable, so
    that the faults can be steered.
    """

    def __init__(self, app: ASGIApp, plan: FaultPlan, stage: Stage) -> None:
        self._app = app
        self._plan = plan
        self._stage = stage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one socket."""
        path = scope.get("path", "")
        venue = venue_of(path)
        if scope["type"] != "http" or venue is None or path == "/api/v3/ping":
            await self._app(scope, receive, send)
            return
        faults, incident = self._plan.next_answer()
        refusal = self._refusal(venue)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        slow = self._stage.now(venue, "slow")
        if slow is not None:
            await asyncio.sleep(slow.wait)
        scope[FAULTS_SCOPE] = faults
        if incident is None:
            await self._app(scope, receive, send)
        elif incident.kind == "disconnects":
            await hang_up(scope)
        elif incident.kind == "too_many_requests":
            await refusals.too_many(venue, faults.retry_after)(scope, receive, send)
        elif incident.kind == "server_errors":
            await _server_error(incident)(scope, receive, send)
        else:
            if incident.kind == "timeouts":
                await asyncio.sleep(faults.timeout_seconds)
            await self._spoil(faults, incident, scope, receive, send)

    def _refusal(self, venue: Venue) -> Response | None:
        """Return how a request is refused, by the venue's limit or because it is down."""
        refused = self._stage.note(venue)
        if refused is not None:
            return refusals.too_many(venue, refused.retry_after, banned=refused.status == 418)
        return refusals.down(venue) if self._stage.now(venue, "down") else None

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


def _server_error(incident: Incident) -> Response:
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
