"""JSON-RPC 2.0 as Solana's nodes speak it: calls, and errors that come with status 200.

https://www.jsonrpc.org/specification#error_object, https://solana.com/docs/rpc/http
Codes of the nodes: https://github.com/anza-xyz/agave/blob/master/rpc-client-api/src/custom_error.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from core.errors import RateLimited, SourceMalformed, SourceRejected, SourceUnavailable
from sources.answers import decode
from sources.shapes import Count

if TYPE_CHECKING:
    import httpx

    from sources.api import Api

T = TypeVar("T")
COMMITMENT = {"commitment": "finalized"}
_TOO_OFTEN = frozenset({429, -32429})
# The block is cleaned up or not there yet, the node is behind, or something in it broke.
_NOT_NOW = frozenset({-32001, -32004, -32005, -32007, -32014, -32016, -32603})


class _Error(msgspec.Struct):
    code: Count
    message: str


class Reply(msgspec.Struct, Generic[T]):
    """An answer: a result, or an error."""

    jsonrpc: str
    result: T | None = None
    error: _Error | None = None


class Context(msgspec.Struct):
    """At which state of the chain a value was read."""

    slot: Count


def call(api: Api, method: str, params: list[Any], **notes: Any) -> httpx.Request:
    """Describe a call; `notes` are for the reader of the answer."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return api.post("", body, **notes)


def result(decoder: msgspec.json.Decoder[Reply[T]], body: bytes, source: str) -> T | None:
    """Return the result, None where it is null.

    Raises:
        RateLimited, SourceUnavailable, SourceRejected: the error that the node sent.
        SourceMalformed: it is no answer to a call.
    """
    reply = decode(decoder, body, source)
    if reply.jsonrpc != "2.0":
        raise SourceMalformed(source, f"expected JSON-RPC 2.0, was {reply.jsonrpc[:20]!r}")
    if reply.error is None:
        return reply.result
    if reply.error.code in _TOO_OFTEN:
        raise RateLimited(source, status=429, retry_after=None)
    if reply.error.code in _NOT_NOW:
        raise SourceUnavailable(source, f"error {reply.error.code}")
    raise SourceRejected(source, 200, f"{reply.error.code}: {reply.error.message[:200]}")


def needed(found: T | None, source: str) -> T:
    """Return what has to be there; raise `SourceMalformed` where it was null."""
    if found is None:
        raise SourceMalformed(source, "expected a result, was null")
    return found
