"""Why bars are missing, in words and in marks."""

from __future__ import annotations

WORDS = {
    "refused": "the gate refused them",
    "venue_had_none": "the venue had none",
    "failed": "no answer could be had",
    "never_asked": "nobody asked for them",
}


def in_words(cause: str) -> str:
    """Return what a cause of `storage.gaps` means."""
    return WORDS[cause]
