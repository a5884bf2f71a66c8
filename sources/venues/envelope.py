"""Venues that refuse with a 200: their answers say in their own body whether they are one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from sources.answers import decode, opening
from sources.venues.feeds import refusal


class Head(Protocol):
    """What an answer says of itself."""

    @property
    def fine(self) -> bool:
        """Whether it is what was asked for."""

    @property
    def said(self) -> tuple[str, str]:
        """The venue's code and its words."""


T = TypeVar("T")
H = TypeVar("H", bound=Head)


@dataclass(frozen=True)
class Envelope(Generic[H]):
    """Opens the answers of one venue.

    `limited` are its codes for asking too often, `passing` those of what may be over next time;
    any other is a refusal for good.
    """

    head: msgspec.json.Decoder[H]
    limited: frozenset[str]
    passing: frozenset[str]

    def open(self, source: str, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """Read an answer, or raise what its own code stands for."""
        head = decode(self.head, body, source)
        if not head.fine:
            raise refusal(source, *head.said, limited=self.limited, passing=self.passing)
        return decode(decoder, body, source)

    def explain(self, body: bytes) -> str:
        """Return the venue's code and words, or the start of a body that has none."""
        try:
            code, words = self.head.decode(body).said
        except msgspec.DecodeError:
            return opening(body)
        return f"{code}: {words}"
