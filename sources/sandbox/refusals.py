"""How each venue words that it was asked too often, and that it does not work now.

Binance: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits; Coinbase:
https://docs.cdp.coinbase.com/coinbase-business/advanced-trade-apis/rest-api; Kraken, whose errors
come with a 200: https://docs.kraken.com/api/docs/guides/spot-errors; OKX:
https://www.okx.com/docs-v5/en/#error-code
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.responses import Response

from sources.sandbox import wire

if TYPE_CHECKING:
    from sources.sandbox.incidents import Venue

JSON = "application/json;charset=UTF-8"


class _Words(NamedTuple):
    too_many: tuple[int, Any]
    banned: tuple[int, Any]
    down: tuple[int, Any]


_TOO_MANY = (
    "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)
_COINBASE = {"error": "RESOURCE_EXHAUSTED", "message": "rate limit exceeded"}
_OKX = {"code": "50011", "msg": "Requests too frequent.", "data": []}
_WORDS: dict[Venue, _Words] = {
    "binance": _Words(
        (429, wire.error(-1003, _TOO_MANY)),
        (418, wire.error(-1003, "Way too much request weight used; IP banned.")),
        (503, wire.error(-1008, "Server is currently overloaded.")),
    ),
    "coinbase": _Words(
        (429, _COINBASE), (429, _COINBASE), (503, {"error": "UNAVAILABLE", "message": "down"})
    ),
    "kraken": _Words(
        (200, {"error": ["EAPI:Rate limit exceeded"]}),
        (200, {"error": ["EGeneral:Temporary lockout"]}),
        (503, {"error": ["EService:Unavailable"]}),
    ),
    "okx": _Words(
        (429, _OKX),
        (429, _OKX),
        (503, {"code": "50001", "msg": "Service unavailable.", "data": []}),
    ),
}


def too_many(venue: Venue, retry_after: int, *, banned: bool = False) -> Response:
    """Return the answer to a request beyond the limit."""
    words = _WORDS[venue]
    status, body = words.banned if banned else words.too_many
    return _response(status, body, {"Retry-After": str(retry_after)} if status != 200 else {})


def down(venue: Venue) -> Response:
    """Return the answer of a venue that does not work now."""
    return _response(*_WORDS[venue].down, {})


def _response(status: int, body: Any, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type=JSON)
