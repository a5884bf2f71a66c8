"""A venue's candles from whoever has them, against a sandbox and its incidents."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from core.errors import InvalidInput
from core.market import Span
from core.settings import load
from sources.base import Retry
from sources.http import open_client
from sources.line import forget_lines
from sources.sandbox.incidents import Incident, Script
from sources.sandbox.process import running, set_script, stats
from tasks.asking import Asker, health_rows
from tasks.tiers import serve, tiers_of
from tests.sources.sandbox.conftest import NOW
from tests.sources.venues.dialects import CcxtDialect, Market, after
from tests.sources.venues.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED = NOW.replace(second=0)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(seed=1, at=NOW, speed=0) as url:
        yield url


@pytest.fixture
def asker(server: str) -> Iterator[Asker]:
    set_script(server)
    forget_lines()
    settings = load(sandbox_url=server)
    with open_client(timeout=httpx.Timeout(2.0)) as client:
        yield Asker(settings, client, retry=Retry.at_once(1), clock=lambda: NOW)
    forget_lines()


def span(venue: str, minutes: int) -> Span:
    return Span(venue, "NOISE1-USDT", "1m", CLOSED - timedelta(minutes=minutes), CLOSED)


def test_the_venue_itself_serves_where_it_can(asker: Asker) -> None:
    got = serve(asker, span("sandbox_okx", 700), NOW)
    assert got.missing == ()
    assert got.bars.height == 700
    assert set(got.bars["source"]) == {"sandbox_okx:rest#1"}
    assert set(got.bars["venue"]) == {"sandbox_okx"}


def test_what_no_tier_has_is_named(asker: Asker) -> None:
    got = serve(asker, span("sandbox_kraken", 1_000), NOW)
    assert got.bars.height == 719
    assert len(got.missing) == 1
    assert got.missing[0].startswith("sandbox_kraken NOISE1-USDT 1m 2026-05-31T10:20:00Z")
    assert "no tier goes back so far" in got.missing[0]


def test_a_venue_that_is_down_leaves_its_span_missing_and_says_why(
    asker: Asker, server: str
) -> None:
    set_script(server, Script((Incident("okx", "down"),)))
    got = serve(asker, span("sandbox_okx", 10), NOW)
    assert got.bars.is_empty()
    assert got.missing[0].startswith("sandbox_okx NOISE1-USDT 1m")
    assert "HTTP 503" in got.missing[0]


def test_who_failed_three_times_is_set_aside_and_that_is_noted_once(
    asker: Asker, server: str
) -> None:
    set_script(server, Script((Incident("okx", "down"),)))
    for _ in range(3):
        serve(asker, span("sandbox_okx", 10), NOW)
    assert stats(server)["venues"]["okx"]["requests"] == 3
    assert asker.standing.aside_until("sandbox_okx", NOW) == NOW + timedelta(hours=2)
    rows = health_rows(asker.standing, NOW)
    assert [(row["provider"], row["state"], row["failures"]) for row in rows] == [
        ("sandbox_okx", "set_aside", 3)
    ]
    assert health_rows(asker.standing, NOW) == []


def test_only_those_who_know_a_venue_are_tiers_of_it(asker: Asker) -> None:
    assert [tier.name for _, tier in tiers_of(asker, "sandbox", NOW)] == ["sandbox"]
    of_binance = [(place, tier.name) for place, tier in tiers_of(asker, "binance", NOW)]
    assert (1, "binance") in of_binance
    assert (2, "binance-archive") in of_binance
    assert (3, "ccxt") in of_binance
    assert (4, "cryptocompare") in of_binance
    assert "binance-archive" not in [tier.name for _, tier in tiers_of(asker, "kraken", NOW)]


def test_ccxt_serves_where_the_venue_does_not(
    asker: Asker, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.tiers.CCXT_IDS", {"coinbase": "bitstamp"})
    dialect = CcxtDialect()
    dialect.market = Market(range(50), after(60))
    with served(dialect) as url:
        asker.settings = load(coinbase={"url": f"{server}/nowhere"}, ccxt={"url": url})
        wanted = Span("coinbase", "BTC-USDT", "1m", after(0), after(50))
        got = serve(asker, wanted, after(60))
    assert got.missing == ()
    assert got.bars.height == 50
    assert set(got.bars["source"]) == {"coinbase:ccxt#3"}
    assert set(got.bars["venue"]) == {"coinbase"}


def test_a_tier_that_nobody_knows_is_refused(asker: Asker) -> None:
    asker.settings = load(routing={"candles": "venue,magic"})
    with pytest.raises(InvalidInput, match=r"routing.candles of venue, .*, was 'magic'"):
        tiers_of(asker, "kraken", NOW)
