"""The sources a person can name, and how each is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from core.errors import InvalidInput
from sources.binance import Binance
from sources.pacing import shared_pacer

if TYPE_CHECKING:
    from core.settings import Settings
    from sources.pacing import Pacer


class SourceInfo(msgspec.Struct, frozen=True):
    """What the command line needs to know of a source.

    `kind` is `rest` for one that is asked span by span, `files` for one that reads what lies on
    disk; `needs_path` says that a person has to tell where.
    """

    name: str
    kind: Literal["rest", "files"]
    needs_path: bool
    summary: str


SOURCES: dict[str, SourceInfo] = {
    info.name: info
    for info in (
        SourceInfo("sandbox", "rest", needs_path=False, summary="the offline exchange"),
        SourceInfo("binance", "rest", needs_path=False, summary="Binance spot over REST"),
        SourceInfo(
            "binance-archive",
            "files",
            needs_path=False,
            summary="Binance's monthly and daily dumps, from a folder or downloaded",
        ),
        SourceInfo(
            "files",
            "files",
            needs_path=True,
            summary="one's own CSV, Parquet, Feather or JSON of one market",
        ),
    )
}


def source_named(name: str) -> SourceInfo:
    """Return what `name` is; raise `InvalidInput` with the known names."""
    try:
        return SOURCES[name]
    except KeyError:
        known = ", ".join(sorted(SOURCES))
        raise InvalidInput(f"expected a source of {known}, was {name!r}") from None


def open_venue(name: str, settings: Settings) -> Binance:
    """Return the REST venue `name`, with the address and key of `settings`."""
    if source_named(name).kind != "rest":
        raise InvalidInput(f"expected a source that is asked over REST, was {name!r}")
    if name == "sandbox":
        return Binance(settings.sandbox_url, name)
    return Binance(settings.binance_url, name, settings.binance_api_key)


def pacer_of(venue: Binance) -> Pacer:
    """Return this process's one pacer for `venue` at its address."""
    return shared_pacer(f"{venue.name} {venue.url}", venue.per_second)
