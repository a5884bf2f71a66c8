"""What a history is made of: phases, each from the providers that have that kind of history."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from core.errors import InvalidInput
from sources.registry import SOURCES
from tasks.questions import CANDLES, Question, is_sandbox, questions, subjects_of
from tasks.tally import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.settings import Settings

PHASES = ("instruments", "candles", "daily", "prices", "rates")
DAILY = "cryptocompare"  # daily bars of an index over venues, years back


class Bars(msgspec.Struct, frozen=True):
    """Candles of one venue: of which markets, how long each is, and from when on."""

    venue: str
    symbols: tuple[str, ...]
    interval: str
    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.interval} candles of {self.venue}"


Piece = Bars | Question


def phase_named(name: str) -> str:
    """Return a phase's name; raise `InvalidInput` with those there are."""
    if name not in PHASES:
        raise InvalidInput(f"expected a phase of {', '.join(PHASES)}, was {name!r}")
    return name


def pieces(
    phase: str, settings: Settings, symbols: Sequence[str], start: datetime, end: datetime
) -> list[Piece]:
    """Return what a phase asks for, the most telling first.

    Args:
        phase: one of `PHASES`.
        settings: whose markets and sources are watched.
        symbols: of which markets; empty for those that the settings watch.
        start: from when on.
        end: until when.
    """
    offline = is_sandbox(settings.venue)
    markets = tuple(symbols) or tuple(
        name for name in subjects_of("tickers", settings.venue, settings) if name
    )
    match phase_named(phase):
        case "instruments":
            return [*questions(settings, ["instruments"])]
        case "candles":
            venues = [settings.venue] if offline else _with_candles(settings.watch.venues)
            return [Bars(venue, markets, settings.interval, start, end) for venue in venues]
        case "daily":
            in_usd = tuple(dict.fromkeys(f"{name.split('-')[0]}-USD" for name in markets))
            return [] if offline else [Bars(DAILY, in_usd, "1d", start, end)]
        case "prices":
            asked = [Question("coingecko", "prices", (name,)) for name in settings.watch.prices]
            return [] if offline else [*asked]
    return [*questions(settings, ["funding_rates", "stock_indices", "onchain_metrics"])]


def _with_candles(venues: Iterable[str]) -> list[str]:
    return [name for name in venues if name in SOURCES and CANDLES in SOURCES[name].gives]


def together(name: str, parts: Iterable[Summary]) -> Summary:
    """Add summaries up to one."""
    done = list(parts)
    return Summary(
        name,
        tuple(merge for part in done for merge in part.merges),
        tuple(what for part in done for what in part.refused),
        tuple(what for part in done for what in part.failed),
        tuple(note for part in done for note in part.notes),
    )
