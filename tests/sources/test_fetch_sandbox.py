"""The loop and Binance's class against the sandbox exchange, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.errors import SourceRejected
from core.market import Span
from sources.base import Retry, fetch
from sources.http import open_client
from sources.pacing import Pacer
from sources.sandbox.faults import Faults
from sources.sandbox.process import running
from sources.venues.binance import Binance

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 6, 1, 0, 0, 30, tzinfo=UTC)
DAYS = 5
RATE = 0.15
TROUBLE = Faults(
    disconnects=RATE,
    too_many_requests=RATE,
    server_errors=RATE,
    cut_bodies=RATE,
    retry_after=0,
)


@pytest.fixture(scope="module")
def calm() -> Iterator[str]:
    with running(seed=3, at=NOW, speed=0) as url:
        yield url


def collect(url: str, *, symbol: str = "", now: datetime = NOW) -> pl.DataFrame:
    venue, pacer = Binance(url, "sandbox"), Pacer(2_000)
    retry = Retry(attempts=30, first=0.001, longest=0.01)
    with open_client() as client:
        symbol = symbol or venue.instruments(client, retry=retry)[0]
        span = Span("sandbox", symbol, "1m", now - timedelta(days=DAYS), now + timedelta(days=1))
        return pl.concat(fetch(venue, span, client, now=now, pacer=pacer, retry=retry))


def test_the_sandbox_gives_every_closed_minute_once(calm: str) -> None:
    frame = collect(calm)
    opens = frame["open_time"].to_list()
    first = (NOW - timedelta(days=DAYS)).replace(second=0) + timedelta(minutes=1)
    assert opens == [first + timedelta(minutes=n) for n in range(DAYS * 1440 - 1)]
    assert opens[-1] == datetime(2026, 5, 31, 23, 59, tzinfo=UTC)
    assert frame["venue"].unique().to_list() == ["sandbox"]
    assert frame["source"].unique().to_list() == ["sandbox:rest"]


def test_trouble_on_the_way_changes_nothing(calm: str) -> None:
    quiet = collect(calm)
    with running(seed=3, at=NOW, speed=0, faults=TROUBLE) as url:
        assert collect(url).equals(quiet)


def test_an_unknown_symbol_is_refused_in_the_exchanges_words(calm: str) -> None:
    with pytest.raises(SourceRejected, match=r"-1121: Invalid symbol\."):
        collect(calm, symbol="NOTHING-USDT")
