"""Reading answers: JSON of a declared shape, and texts that must not tell a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from core.errors import InvalidInput, SourceMalformed, SourceUnavailable

if TYPE_CHECKING:
    from pydantic import SecretStr

T = TypeVar("T")
_ENDS = {b"{": b"}", b"[": b"]"}
_CUT = "Input data was truncated"  # msgspec has no class of its own for it
_SHOWN = 200  # bytes of a body that has no message of its own


def decode(decoder: msgspec.json.Decoder[T], body: bytes, source: str) -> T:
    """Return `body` as the decoder's type.

    Raises:
        SourceUnavailable: the body is empty, or begins but does not end as JSON does: it was cut
            on its way, and the next one may be whole.
        SourceMalformed: it is JSON of another shape, or none; the text names the place.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise SourceMalformed(source, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = body.strip()
        unfinished = text[:1] in _ENDS and not text.endswith(_ENDS[text[:1]])
        if unfinished or str(error) == _CUT:
            raise SourceUnavailable(source, f"a cut answer of {len(body)} bytes") from None
        raise SourceMalformed(source, str(error)) from None


def opening(body: bytes) -> str:
    """Return the start of a body that has no message of its own."""
    return body[:_SHOWN].decode(errors="replace")


def without_key(text: str, key: SecretStr | None) -> str:
    """Return `text` with the key blotted out, in case the source quotes it."""
    if key is None or not key.get_secret_value():
        return text
    return text.replace(key.get_secret_value(), "***")


def key_for_header(key: SecretStr) -> str:
    """Return a key as a header can carry it; raise `InvalidInput`, which does not show it."""
    text = key.get_secret_value()
    if not (text and text.isascii() and text.isprintable() and text == text.strip()):
        raise InvalidInput("expected an API key of printable ASCII characters")
    return text
