"""The sandbox in other venues' words: our own classes of them read what was made."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pytest

from core.datasets import CANDLES
from core.errors import (
    RateLimited,
    SourceOutOfReach,
    SourceRejected,
    SourceStalled,
    SourceUnavailable,
)
from core.market import Span
from sources.base import Retry, fetch, open_client
from sources.pacing import Pacer
from sources.provider import Wanted, collect
from sources.sandbox.incidents import Incident, Script
from sources.sandbox.process import running, set_faults, set_script, stats
from sources.sandbox.symbols import INSTRUMENTS
from sources.sandbox.venues import SandboxCoinbase, SandboxKraken, SandboxOkx
from sources.venues.binance import Binance
from tests.sources.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED = NOW.replace(second=0)
START = CLOSED - timedelta(minutes=700)
DIALECTS: list[Any] = [SandboxCoinbase, SandboxKraken, SandboxOkx]
VENUES = {"sandbox_coinbase": "coinbase", "sandbox_kraken": "kraken", "sandbox_okx": "okx"}
SHARED = ["open_time", "open", "high", "low", "close", "volume"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run a sandbox of its own: its scripts must not meet other tests."""
    with running(seed=1, at=NOW, speed=0, markets=10) as url:
        yield url


@pytest.fixture
def at(server: str) -> Iterator[str]:
    set_faults(server)
    set_script(server)
    yield server
    set_script(server)


@pytest.fixture
def wire() -> Iterator[httpx.Client]:
    with open_client(timeout=httpx.Timeout(1.0)) as client:
        yield client


def bars(venue: Any, wire: httpx.Client, interval: str = "1m", attempts: int = 1) -> pl.DataFrame:
    span = Span(venue.name, "NOISE1-USDT", interval, START, CLOSED)
    retry = Retry.at_once(attempts)
    pages = fetch(venue, span, wire, now=NOW, pacer=Pacer(math.inf), retry=retry)
    return pl.concat([CANDLES.empty(), *pages]).sort("open_time")


@pytest.mark.parametrize("interval", ["1m", "5m", "1h"])
@pytest.mark.parametrize("make", DIALECTS)
def test_every_dialect_shows_the_same_market(
    make: Any, interval: str, at: str, wire: httpx.Client
) -> None:
    true = bars(Binance(at, name="sandbox"), wire, interval)
    got = bars(make(at), wire, interval)
    assert true.height == 700 * timedelta(minutes=1) // CANDLES_STEP[interval]
    assert got.select(SHARED).equals(true.select(SHARED))
    assert set(got["venue"]) == {make.name}


CANDLES_STEP = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "1h": timedelta(hours=1),
}


@pytest.mark.parametrize("make", DIALECTS)
@pytest.mark.parametrize(
    ("dataset", "subject"),
    [("tickers", "NOISE1-USDT"), ("instruments", None), ("venue_status", None)],
)
def test_every_dialect_gives_the_rest_of_what_it_says(
    make: Any, dataset: str, subject: str | None, at: str, wire: httpx.Client
) -> None:
    pages = collect(
        make(at),
        dataset,
        Wanted(now=NOW, subject=subject),
        wire,
        pacer=Pacer(math.inf),
        retry=Retry.at_once(1),
    )
    found = pl.concat(pages)
    assert found.height == (10 if dataset == "instruments" else 1)
    if dataset == "instruments":
        assert {one.symbol for one in INSTRUMENTS} < set(found["symbol"])
        assert set(found["status"]) == {"trading"}
    if dataset == "tickers":
        row = found.row(0, named=True)
        last = bars(Binance(at, name="sandbox"), wire)["close"][-1]
        assert row["bid"] < row["last"] < row["ask"]
        assert abs(row["last"] / last - 1) < 0.05


def test_kraken_has_the_newest_720_bars_and_says_what_it_has_not(
    at: str, wire: httpx.Client
) -> None:
    span = Span("sandbox_kraken", "NOISE1-USDT", "1m", CLOSED - timedelta(days=1), CLOSED)
    pages = fetch(SandboxKraken(at), span, wire, now=NOW, pacer=Pacer(math.inf))
    got = next(pages)
    assert got["open_time"].max() == CLOSED - timedelta(minutes=1)
    assert got.height == 719
    with pytest.raises(SourceOutOfReach):
        next(pages)


@pytest.mark.parametrize("make", DIALECTS)
def test_a_market_that_is_not_listed_is_refused_in_the_venue_s_words(
    make: Any, at: str, wire: httpx.Client
) -> None:
    span = Span(make.name, "BTC-USDT", "1m", START, CLOSED)
    with pytest.raises(SourceRejected):
        list(fetch(make(at), span, wire, now=NOW, pacer=Pacer(math.inf), retry=Retry.at_once(1)))


@pytest.mark.parametrize("make", DIALECTS)
def test_a_venue_that_is_down_is_unavailable_and_the_others_are_not(
    make: Any, at: str, wire: httpx.Client
) -> None:
    set_script(at, Script((Incident(VENUES[make.name], "down"),)))  # type: ignore[arg-type]
    with pytest.raises(SourceUnavailable, match="503"):
        bars(make(at), wire)
    assert bars(Binance(at, name="sandbox"), wire).height == 700


@pytest.mark.parametrize("make", DIALECTS)
def test_a_slow_venue_is_one_that_does_not_answer_in_time(
    make: Any, at: str, wire: httpx.Client
) -> None:
    script = Script((Incident(VENUES[make.name], "slow", wait=1.5),))  # type: ignore[arg-type]
    set_script(at, script)
    with pytest.raises(SourceUnavailable, match="no answer in time"):
        bars(make(at), wire)


@pytest.mark.parametrize("make", DIALECTS)
def test_a_venue_that_is_off_quotes_8_percent_more(make: Any, at: str, wire: httpx.Client) -> None:
    true = bars(make(at), wire)
    set_script(at, Script((Incident(VENUES[make.name], "off"),)))  # type: ignore[arg-type]
    off = bars(make(at), wire)
    ratio = off["close"] / true["close"]
    assert ratio.min() == pytest.approx(1.08, abs=1e-6)
    assert ratio.max() == pytest.approx(1.08, abs=1e-6)
    assert off["volume"].equals(true["volume"])


@pytest.mark.parametrize("make", DIALECTS)
def test_bars_that_are_stale_are_never_taken_for_what_was_asked(
    make: Any, at: str, wire: httpx.Client
) -> None:
    set_script(at, Script((Incident(VENUES[make.name], "stale"),)))  # type: ignore[arg-type]
    try:
        got = bars(make(at), wire)
    except (SourceStalled, SourceOutOfReach):
        return
    assert got.filter(pl.col("open_time") >= START).is_empty()


def test_a_replay_shows_yesterday_s_values_at_today_s_times(at: str, wire: httpx.Client) -> None:
    true = bars(SandboxOkx(at), wire)
    set_script(at, Script((Incident("okx", "replay"),)))
    replayed = bars(SandboxOkx(at), wire)
    assert replayed["open_time"].equals(true["open_time"])
    assert not replayed["close"].equals(true["close"])


@pytest.mark.parametrize("make", DIALECTS)
def test_who_asks_too_often_is_told_so_in_the_venue_s_words(
    make: Any, at: str, wire: httpx.Client
) -> None:
    venue = VENUES[make.name]
    set_script(at, Script(limits={venue: 0.01}))  # type: ignore[dict-item]
    span = Span(make.name, "NOISE1-USDT", "1m", CLOSED - timedelta(minutes=5), CLOSED)

    def ask() -> list[pl.DataFrame]:
        pacer, retry = Pacer(math.inf), Retry.at_once(1)
        return list(fetch(make(at), span, wire, now=NOW, pacer=pacer, retry=retry))

    assert ask()
    with pytest.raises(RateLimited):
        ask()
    counted = stats(at)["venues"][venue]
    assert (counted["requests"], counted["refused"]) == (2, 1)
    assert len(counted["at"]) == 2
