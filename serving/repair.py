"""What a repair did, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving.causes import in_words
from serving.terminal import new_console
from serving.words import count, plural

if TYPE_CHECKING:
    from collections.abc import Mapping


def show_repair(repaired: Any) -> None:
    """Print what a repair did: `tasks.repair.Repaired`."""
    console = new_console()
    for note in repaired.notes:
        console.print(note, highlight=False, markup=False)
    if not repaired.missing:
        console.print("No bar is missing.")
        return
    console.print(
        f"{plural(repaired.missing, 'bar')} missing: {count(repaired.own)} came from their own "
        f"venue, {count(repaired.lent)} are held of another venue, {count(repaired.left)} are left",
        highlight=False,
    )
    for line in why(repaired.causes):
        console.print(line, highlight=False)
    for text in (*repaired.failed, *repaired.refused):
        console.print(text, highlight=False, markup=False)


def why(causes: Mapping[str, int]) -> list[str]:
    """Say of what is missing how much has which cause, most first."""
    ranked = sorted(causes.items(), key=lambda item: (-item[1], item[0]))
    return [f"left: {plural(bars, 'bar')}, {in_words(cause)}" for cause, bars in ranked]
