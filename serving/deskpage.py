"""The desk's page: what is on paper, how it stands against its plan, and the scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving.book import SCORECARD, STANDINGS, scorecard_rows, standing_rows, verdicts
from serving.night import SANDBOX
from serving.page import markup, render
from serving.words import percent, plural
from storage.files import replacing

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from storage.store import Store

DRAWN = 24  # of the newest promotions


def headline(book: Any) -> str:
    """Say in one sentence how the promotions stand."""
    if not book.standings:
        return "Nothing is promoted."
    counts: dict[str, int] = {}
    for one in book.standings:
        counts[one.status] = counts.get(one.status, 0) + 1
    listed = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return f"{plural(len(book.standings), 'promotion')} on paper: {listed}."


def publish(book: Any, store: Store, *, venue: str, made_at: datetime) -> Path:
    """Write the page of a venue's book beside the nights' reports; return where."""
    path = store.reports / f"desk-{venue}.html"
    with replacing(path) as temporary:
        temporary.write_text(render_desk(book, venue=venue, made_at=made_at), encoding="utf-8")
    return path


def render_desk(book: Any, *, venue: str, made_at: datetime) -> str:
    """Return the page as HTML that needs nothing else.

    Args:
        book: a `research.book.Book`.
        venue: whose markets it is about.
        made_at: when it is made.
    """
    shown = book.standings[:DRAWN]
    return render(
        "desk.html.j2",
        headline=headline(book),
        venue=venue,
        made_at=made_at,
        sandbox=venue == SANDBOX,
        standings=(STANDINGS, standing_rows(book)),
        drawn=[_drawn(one, at) for at, one in enumerate(shown)],
        undrawn=len(book.standings) - len(shown),
        scorecard=(SCORECARD, scorecard_rows(book)),
        verdicts=verdicts(book),
    )


def _drawn(one: Any, at: int) -> dict[str, Any]:
    from serving import charts  # noqa: PLC0415 - altair takes a second to import

    chart = charts.forward(one.curve, one.forecasts, one.kill_lines)
    killable = one.kill_line is not None
    return {
        "one": one,
        "earned": percent(one.earned, signed=True),
        "forecast": percent(one.forecast, signed=True),
        "kill_line": percent(one.kill_line, signed=True) if killable else None,
        "svg": markup(charts.svg(chart, f"paper-{at}")),
    }
