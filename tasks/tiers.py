"""A venue's candles from whoever has them: the venue, its archive, CCXT, CryptoCompare.

Prefect is not needed here.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - a named tuple's fields are read at run time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from core.datasets import CANDLES
from core.errors import InvalidInput, SourceOutOfReach, SourceUnavailable
from core.market import Span
from sources.base import fetch
from sources.binance_archive import download_archives, find_archives, read_archive
from sources.pacing import shared_pacer
from sources.registry import line_of, open_venue
from sources.routing import first_to_serve
from sources.venues.ccxt_venue import Ccxt, is_installed
from sources.world.cryptocompare import CryptoCompare

if TYPE_CHECKING:
    from sources.base import Venue
    from sources.line import Line
    from tasks.asking import Asker

VENUE, ARCHIVE, CCXT, CRYPTOCOMPARE = "venue", "archive", "ccxt", "cryptocompare"
ARCHIVED = "binance"
GENTLE = 5.0  # requests a second to the file server of the dumps
# How CryptoCompare spells venues: https://developers.coindesk.com/documentation/data-api
THEIR_NAMES = {
    "binance": "binance",
    "bybit": "bybit_spot",
    "coinbase": "coinbase",
    "htx": "huobipro",
    "kraken": "kraken",
    "kucoin": "kucoin",
    "okx": "okex",
}


# How CCXT spells venues.
CCXT_IDS = {
    name: name for name in ("binance", "bybit", "coinbase", "htx", "kraken", "kucoin", "okx")
}


class Part(NamedTuple):
    """Bars that one tier gave, and what it has not: what lies before its history."""

    bars: pl.DataFrame
    short_of: Span | None = None


class Tier(NamedTuple):
    """One way to a venue's bars; `name` is whom it counts as, `source` what its rows say."""

    name: str
    source: str
    ask: Callable[[Span], Part | None]  # None means that it has nothing


class Serving(NamedTuple):
    """What came of a span: the bars of all tiers that were needed, and what nobody has."""

    bars: pl.DataFrame
    missing: tuple[str, ...] = ()


def serve(asker: Asker, span: Span, now: datetime) -> Serving:
    """Return the bars of a span from the first tier that has them, the rest from the next.

    Args:
        asker: who asks, and which tiers in which order.
        span: of one venue.
        now: which bars have closed.
    """
    found, missing = [CANDLES.empty()], []
    tiers = tiers_of(asker, span.venue, now)
    rest: Span | None = span
    while rest is not None:
        wanted = rest
        try:
            place, part = _first(asker, tiers, wanted)
        except SourceUnavailable as error:
            missing.append(f"{wanted} ({error.reason})")
            break
        found.append(part.bars)
        rest, tiers = part.short_of, tiers[place:]
        if rest is not None and not tiers:
            missing.append(f"{rest} (no tier goes back so far)")
            break
    return Serving(pl.concat(found), tuple(missing))


def _first(asker: Asker, tiers: list[tuple[int, Tier]], span: Span) -> tuple[int, Part]:
    """Return what the first tier that can gives, and how many tiers that used up."""

    def ask(place: int, _name: str) -> Part | None:
        number, tier = tiers[place - 1]
        part = tier.ask(span)
        if part is None:
            return None
        marked = pl.lit(f"{tier.source}#{number}").alias("source")
        return part._replace(bars=part.bars.with_columns(marked))

    served = first_to_serve(
        f"candles of {span.venue}",
        [tier.name for _, tier in tiers],
        ask,
        standing=asker.standing,
        clock=asker.clock,
    )
    return served.tier, served.answer


def tiers_of(asker: Asker, venue: str, now: datetime) -> list[tuple[int, Tier]]:
    """Return the tiers that can give a venue's bars, each with its place in the settings."""
    made = []
    for number, kind in enumerate(asker.settings.routing.candles, start=1):
        tier = _tier(asker, kind, venue, now)
        if tier is not None:
            made.append((number, tier))
    return made


def _tier(asker: Asker, kind: str, venue: str, now: datetime) -> Tier | None:
    match kind:
        case "venue":
            return Tier(venue, f"{venue}:rest", lambda span: from_venue(asker, span, now))
        case "archive" if venue == ARCHIVED:
            name = "binance-archive"
            return Tier(name, "binance:archive", lambda span: _from_archive(asker, span, now))
        case "cryptocompare" if venue in THEIR_NAMES:
            source = "cryptocompare:rest"
            return Tier(kind, source, lambda span: _from_cryptocompare(asker, span, now))
        case "ccxt" if venue in CCXT_IDS and is_installed():
            return Tier(kind, f"{venue}:ccxt", lambda span: _from_ccxt(asker, span, now))
        case "venue" | "archive" | "ccxt" | "cryptocompare":
            return None  # it does not know this venue
    raise InvalidInput(
        f"expected routing.candles of {VENUE}, {ARCHIVE}, {CCXT}, {CRYPTOCOMPARE}, was {kind!r}"
    )


def from_venue(asker: Asker, span: Span, now: datetime) -> Part:
    """Return what the venue itself has of a span.

    Raises:
        SourceUnavailable, SourceRejected, SourceMalformed, SourceStalled: as `sources.base.fetch`.
    """
    venue = open_venue(span.venue, asker.settings)
    return _fetched(asker, venue, line_of(venue), span, now)


def _from_ccxt(asker: Asker, span: Span, now: datetime) -> Part:
    """Ask the venue by CCXT's description of it; it is the same address, so the same line."""
    venue = Ccxt(CCXT_IDS[span.venue], asker.settings.ccxt.url, name=span.venue)
    own = open_venue(span.venue, asker.settings)
    return _fetched(asker, venue, line_of(own), span, now)


def _from_cryptocompare(asker: Asker, span: Span, now: datetime) -> Part:
    settings = asker.settings.cryptocompare
    own = CryptoCompare(settings.url, settings.key)
    venue = CryptoCompare(
        settings.url, settings.key, market=THEIR_NAMES[span.venue], name=span.venue
    )
    return _fetched(asker, venue, line_of(own), span, now)


def _fetched(asker: Asker, venue: Venue, line: Line, span: Span, now: datetime) -> Part:
    """Return the bars of a span; what a venue no longer has is what the next tier is asked for."""
    pages: list[pl.DataFrame] = []
    try:
        for page in fetch(venue, span, asker.client, now=now, pacer=line, retry=asker.retry):
            pages.append(page)  # noqa: PERF402 - those before an error are kept
    except SourceOutOfReach as error:
        end = min(span.end, max(span.start, error.earliest))
        short_of = Span(span.venue, span.symbol, span.interval, span.start, end)
        return Part(_joined(pages), short_of if short_of.bars else None)
    return Part(_joined(pages))


def _from_archive(asker: Asker, span: Span, now: datetime) -> Part | None:
    """Return what the official dumps hold of a span; days that are not out yet are short."""
    address = asker.settings.binance_archive_url
    folder = asker.settings.home / "downloads" / "binance-archive"
    pacer = shared_pacer(address, GENTLE)
    symbols = [span.symbol]
    download_archives(
        address, symbols, span.interval, span.start, span.end, folder, asker.client, pacer=pacer
    )
    inside = pl.col("open_time").is_between(span.start, span.end, closed="left")
    files = [
        file
        for file in find_archives(folder, symbols, span.interval)
        if file.start < span.end and file.end > span.start
    ]
    frames = [read_archive(file, now=now).filter(inside) for file in files]
    bars = _joined(frames).unique(CANDLES.key, keep="first", maintain_order=True)
    last = bars["open_time"].max()
    if not isinstance(last, datetime):
        return None
    short_of = Span(span.venue, span.symbol, span.interval, last + span.step, span.end)
    return Part(bars, short_of if short_of.bars else None)


def _joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([CANDLES.empty(), *frames])
