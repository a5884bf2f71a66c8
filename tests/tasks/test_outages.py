"""Ten markets of four venues for a day, while venues go down, slow down, lie and limit."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import polars as pl
import pytest

from core.market import Span
from core.settings import load
from sources.base import Retry
from sources.breaker import Breaker
from sources.http import open_client
from sources.line import all_lines, forget_lines
from sources.registry import line_of, open_provider
from sources.sandbox.incidents import Incident, Script
from sources.sandbox.process import running, set_script, stats
from sources.sandbox.symbols import listing
from storage import landing
from storage.store import Store
from tasks.asking import Asker, health_rows
from tasks.settle import settle_together
from tasks.tiers import Serving, serve
from tests.sources.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expectations.verdict import Verdict

CLOSED = NOW.replace(second=0)
START = CLOSED - timedelta(days=1)
SYMBOLS = [one.symbol for one in listing(10).values()]
VENUES = {
    "sandbox": "binance",
    "sandbox_coinbase": "coinbase",
    "sandbox_kraken": "kraken",
    "sandbox_okx": "okx",
}
LIMITS = {"binance": 40.0, "coinbase": 40.0, "kraken": 20.0, "okx": 40.0}  # requests a second
RESTS = (1.0, 2.0)  # seconds; 30 and 300 outside of tests


class Watched(Breaker):
    """A breaker that notes when something passed, and from when to when it rested."""

    def __init__(self, source: str) -> None:
        super().__init__(source, failures=3, lasting=0.0, rests=RESTS)
        self.passed: list[float] = []
        self.rested: list[tuple[float, float]] = []
        self._noting = threading.Lock()

    def admit(self) -> None:
        super().admit()
        with self._noting:
            self.passed.append(time.monotonic())

    def failed(self) -> None:
        before = self.rest
        super().failed()
        with self._noting:
            if self.rest and not before:
                now = time.monotonic()
                self.rested.append((now, now + self.rest))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(seed=1, at=NOW, speed=0, markets=10) as url:
        yield url


@pytest.fixture
def asker(server: str) -> Iterator[Asker]:
    """Return who asks as fast as the venues allow, but no faster."""
    forget_lines()
    settings = load(sandbox_url=server)
    for name, venue in VENUES.items():
        line = line_of(open_provider(name, settings))
        line.breaker = Watched(name)
        line.keep_to(1.25 / LIMITS[venue])
    with open_client(timeout=httpx.Timeout(0.4, pool=30.0), connections=50) as client:
        retry = Retry(attempts=12, first=0.05, longest=0.5, deadline=20.0)
        yield Asker(settings, client, retry=retry, clock=lambda: NOW)
    forget_lines()


def collect(asker: Asker) -> dict[str, list[Serving]]:
    """Ask for everything over fifty connections at once."""
    with ThreadPoolExecutor(50) as pool:
        asked = {
            name: [
                pool.submit(serve, asker, Span(name, symbol, "1m", START, CLOSED), NOW)
                for symbol in SYMBOLS
            ]
            for name in VENUES
        }
        return {name: [future.result() for future in futures] for name, futures in asked.items()}


def missing_of(served: list[Serving]) -> pl.DataFrame:
    """Return which minutes of the day did not come, by symbol."""
    got = pl.concat([one.bars for one in served]).select("symbol", "open_time")
    minutes = pl.datetime_range(START, CLOSED, "1m", closed="left", eager=True)
    every = pl.DataFrame({"open_time": minutes}).join(
        pl.DataFrame({"symbol": SYMBOLS}), how="cross"
    )
    return every.join(got, on=["symbol", "open_time"], how="anti")


def test_a_day_arrives_whole_or_what_is_missing_is_named_and_no_venue_is_asked_too_much(
    asker: Asker, server: str
) -> None:
    incidents = (
        Incident("okx", "down", after=0.0, seconds=2.5),
        Incident("coinbase", "slow", after=0.5, seconds=1.0, wait=0.6),
        Incident("binance", "stale", after=0.2, seconds=0.5),
    )
    set_script(server, Script(incidents, LIMITS))  # type: ignore[arg-type]
    found = collect(asker)
    counted = stats(server)["venues"]

    for name in ("sandbox_coinbase", "sandbox_okx"):
        assert [one.missing for one in found[name]] == [()] * 10, name
        assert missing_of(found[name]).is_empty(), name
    # What is stale is refused, or heals: what did not come is named, and nothing false came.
    named = [one for one in found["sandbox"] if one.missing]
    gone = missing_of(found["sandbox"])
    assert gone["symbol"].n_unique() == len(named)
    # Kraken keeps no more than 720 minutes, and says so.
    for one in found["sandbox_kraken"]:
        assert one.bars.height == 719
        assert "no tier goes back so far" in one.missing[0]

    truth = pl.concat([one.bars for one in found["sandbox_okx"]]).select(*KEY, *VALUES)
    for name in VENUES:
        rows = pl.concat([one.bars for one in found[name]])
        both = rows.select(*KEY, *VALUES).join(truth, on=KEY, how="inner", suffix="_true")
        assert both.height == rows.height
        assert all(both[column].equals(both[f"{column}_true"]) for column in VALUES)

    for venue, numbers in counted.items():
        assert (numbers["refused"], numbers["bans"]) == (0, 0), venue
    for name, venue in VENUES.items():
        breaker = all_lines()[name].breaker
        assert isinstance(breaker, Watched)
        assert counted[venue]["requests"] == len(breaker.passed)
        for began, until in breaker.rested:
            assert [at for at in breaker.passed if began < at < until - 0.005] == []
    print({name: numbers["requests"] for name, numbers in counted.items()})


KEY = ["symbol", "open_time"]
VALUES = ["open", "high", "low", "close", "volume"]


def test_a_venue_that_recovers_is_used_again_soon_after_its_rest(asker: Asker, server: str) -> None:
    set_script(server, Script((Incident("okx", "down", seconds=1.5),)))
    began = time.monotonic()
    got = serve(asker, Span("sandbox_okx", SYMBOLS[0], "1m", START, CLOSED), NOW)
    assert got.bars.height == 1_440
    breaker = all_lines()["sandbox_okx"].breaker
    assert isinstance(breaker, Watched)
    last_rest = max(until for _, until in breaker.rested)
    first_after = min(at for at in breaker.passed if at >= last_rest - 0.005)
    assert first_after - last_rest < 0.5
    assert time.monotonic() - began < 10
    states = {row["provider"]: row["state"] for row in health_rows(asker.standing, NOW)}
    assert states == {"sandbox_okx": "up"}


def test_a_venue_that_stays_down_is_named_and_hardly_asked(asker: Asker, server: str) -> None:
    set_script(server, Script((Incident("okx", "down"),)))
    asker.retry = Retry(attempts=4, first=0.05, longest=0.2, deadline=0.5)
    spans = [Span("sandbox_okx", symbol, "1m", START, CLOSED) for symbol in SYMBOLS]
    with ThreadPoolExecutor(50) as pool:
        served = list(pool.map(lambda span: serve(asker, span, NOW), spans * 5))
    assert all(one.bars.is_empty() and one.missing for one in served)
    assert stats(server)["venues"]["okx"]["requests"] <= 50 + 5


def test_a_venue_that_quotes_far_off_is_flagged_by_the_gate_and_the_others_are_not(
    asker: Asker, server: str, tmp_path: Path
) -> None:
    set_script(server, Script((Incident("okx", "off", share=0.08),)))
    store = Store(tmp_path, str(tmp_path / "lake"))
    receipts = []
    for name in VENUES:
        span = Span(name, SYMBOLS[0], "1m", CLOSED - timedelta(hours=2), CLOSED)
        bars = serve(asker, span, NOW).bars
        receipts.append(landing.land(store, "candles", bars, source=name, now=NOW))
    verdicts: list[Verdict] = []
    settle_together(store, receipts, NOW, show=verdicts.append)
    far = {one.accepted["venue"][0]: one.warnings.get("venue_distance", 0) for one in verdicts}
    assert far == dict.fromkeys(VENUES, 0) | {"sandbox_okx": 120}
