"""Which venue a source's name means, and whether it can be reached."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from prefect import task

from core.errors import InvalidInput
from core.settings import load
from sources.http import open_client
from sources.registry import SOURCES, open_venue
from sources.sandbox.process import answers, running
from tasks.questions import SANDBOX, is_sandbox
from tasks.steps import PATIENT, log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.settings import Settings
    from sources.venues.binance import Binance


def is_rest(source: str) -> bool:
    """Say whether `source` is asked span by span, rather than read from files."""
    return source in SOURCES and SOURCES[source].kind == "rest"


def venue_at(source: str, url: str | None) -> Binance:
    """Return the REST venue that `source` names, at `url` or where the settings say."""
    return open_venue(source, at_address(load(), url))


def at_address(settings: Settings, url: str | None) -> Settings:
    """Return the settings with the sandbox at `url`; as they are where that is None."""
    return settings.model_copy(update={"sandbox_url": url}) if url else settings


@contextmanager
def reachable(source: str) -> Iterator[str | None]:
    """Yield the address to ask `source` at, for as long as the block lasts.

    The sandbox needs nobody to start it: where none answers at the configured address, one is
    started for the block, with the same markets.
    """
    settings = load()
    if not is_sandbox(source) or answers(settings.sandbox_url):
        yield None
        return
    log.info("starting a sandbox exchange (seed %s)", settings.sandbox_seed)
    with running(seed=settings.sandbox_seed) as url:
        yield url


@task(task_run_name="list symbols of {source}", **PATIENT)
def list_symbols(source: str, url: str | None = None) -> list[str]:
    """Return the symbols to collect: those of the settings, else all that the sandbox trades.

    A real venue lists thousands; collecting them all is never what silence means.
    """
    symbols = list(load().symbols)
    if symbols:
        return symbols
    if not is_sandbox(source):
        raise InvalidInput(
            f"expected symbols for {source}: give --symbols BTC-USDT,… or set NIGHTJAR_SYMBOLS"
        )
    with open_client() as client:
        return venue_at(SANDBOX, url).instruments(client)
