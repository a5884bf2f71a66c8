"""The plan by which paper trading will judge a promotion, in words."""

from __future__ import annotations

from typing import Any

import msgspec

from serving.words import count, decimal


def plan(text: str | None) -> list[tuple[str, str]]:
    """Return the terms of a plan and their values; none where there is no plan to be read."""
    try:
        terms = msgspec.json.decode(text or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return []
    return [(name.replace("_", " "), _said(value)) for name, value in terms.items()]


def _said(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return count(value)
    return decimal(value, 4) if isinstance(value, float) else msgspec.json.encode(value).decode()
