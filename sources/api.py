"""Where a provider is asked, and with which key: what its feeds build their requests with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from core.errors import InvalidInput
from sources.answers import key_for_header, opening, without_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    Params = Mapping[str, str | int | None]


class Api:
    """The address of a provider, and its key, which goes into a header where there is one.

    Args:
        name: Who is asked, for errors.
        url: The address that paths are added to.
        key: Our key; it never becomes part of an address, an error or a log line.
        header: The header that carries it, with `prefix` before it.
        parameter: The query parameter that carries it, for a provider that takes no header.
    """

    def __init__(
        self,
        name: str,
        url: str,
        key: SecretStr | None = None,
        *,
        header: str = "x-api-key",
        prefix: str = "",
        parameter: str | None = None,
    ) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self._key = key
        self._header = header
        self._prefix = prefix
        self._parameter = parameter
        if key:
            key_for_header(key)

    def get(self, path: str, params: Params | None = None, **extensions: Any) -> httpx.Request:
        """Describe a GET; parameters that are None are left out.

        `extensions` are notes to the reader of the answer; they are not sent.
        """
        return self._request("GET", path, params or {}, {}, extensions=extensions)

    def post(self, path: str, body: Any, **extensions: Any) -> httpx.Request:
        """Describe a POST of JSON; `extensions` as for `get`."""
        headers = {"content-type": "application/json"}
        content = msgspec.json.encode(body)
        return self._request("POST", path, {}, headers, content=content, extensions=extensions)

    def explain(self, body: bytes) -> str:
        """Return the provider's own words from the body of a refusal, without our key.

        Looks for a text under the names that providers give it, one level deep.
        """
        return without_key(_words(body) or opening(body), self._key)

    def _request(
        self, method: str, path: str, params: Params, headers: dict[str, str], **given: Any
    ) -> httpx.Request:
        sent = {name: value for name, value in params.items() if value is not None}
        if self._key and self._parameter:
            sent[self._parameter] = key_for_header(self._key)
        elif self._key:
            headers[self._header] = self._prefix + key_for_header(self._key)
        try:
            return httpx.Request(method, self.url + path, params=sent, headers=headers, **given)
        except httpx.InvalidURL:
            raise InvalidInput(f"expected the URL of {self.name}, was {self.url!r}") from None


_WORDS = ("error_message", "message", "Message", "detail", "error", "msg", "title", "description")
_INSIDE = ("status", "error", "Err", "Response")


def _words(body: bytes) -> str | None:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    inner = [answer[name] for name in _INSIDE if isinstance(answer.get(name), dict)]
    said = (part.get(name) for part in (*inner, answer) for name in _WORDS)
    return next((text for text in said if isinstance(text, str) and text), None)
