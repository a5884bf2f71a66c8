"""Which venue a source's name means, and whether it can be reached."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from prefect import task

from core.errors import InvalidInput
from core.settings import load
from sources.binance import Binance
from sources.http import open_client
from sources.pacing import Pacer
from sources.sandbox.process import answers, running
from tasks.steps import PATIENT, log

if TYPE_CHECKING:
    from collections.abc import Iterator

SANDBOX = "sandbox"
REST = ("binance", SANDBOX)
GENTLE = 5.0  # requests a second to a plain file server


def market(source: str, url: str | None = None) -> Binance:
    """Return the REST venue that `source` names, at `url` or where the settings say."""
    settings = load()
    if source == SANDBOX:
        return Binance(url or settings.sandbox_url, name=SANDBOX)
    if source == "binance":
        return Binance(url or settings.binance_url, api_key=settings.binance_api_key)
    raise InvalidInput(f"expected a source of {', '.join(REST)}, was {source!r}")


@cache
def pacer(source: str) -> Pacer:
    """Return the one pacer of a venue in this process: its limits are per address, not per run."""
    return Pacer(market(source).per_second if source in REST else GENTLE)


@contextmanager
def reachable(source: str) -> Iterator[str | None]:
    """Yield the address to ask `source` at, for as long as the block lasts.

    The sandbox needs nobody to start it: where none answers at the configured address, one is
    started for the block, with the same markets.
    """
    settings = load()
    if source != SANDBOX or answers(settings.sandbox_url):
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
    if source != SANDBOX:
        raise InvalidInput(
            f"expected symbols for {source}: give --symbols BTC-USDT,… or set NIGHTJAR_SYMBOLS"
        )
    with open_client() as client:
        return market(source, url).instruments(client)
