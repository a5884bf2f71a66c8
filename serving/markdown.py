"""Markdown from data: whatever a text holds, it stays text."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

Columns = Sequence[tuple[str, Sequence[str]]]


def table(columns: Columns) -> str:
    """Write columns of text as a pipe table."""
    names = [escape(name) for name, _ in columns]
    rows = zip(*(cells for _, cells in columns), strict=True)
    lines = [names, ["---"] * len(names), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    """Return `text` on one line, with no meaning in Markdown or HTML."""
    text = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", text)


def block(text: str) -> str:
    """Write `text` as a block of code that it cannot end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
