"""nightjar's own Binance client against the sandbox: whole data, whatever goes wrong on the way."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pytest

from core.datasets import CANDLES
from core.errors import SourceMalformed, SourceRejected, SourceUnavailable
from core.market import Span
from sources.base import Retry, fetch, open_client
from sources.pacing import Pacer
from sources.sandbox.faults import ANSWER_FAULTS, NO_FAULTS, Faults
from sources.sandbox.history import History, Question, View
from sources.sandbox.process import set_faults, stats
from sources.sandbox.symbols import BY_VENUE_SYMBOL, INSTRUMENTS
from sources.venues.binance import Binance
from tests.sources.sandbox.conftest import NOW, NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED = NOW.replace(second=0)
SPAN = Span("sandbox", "NOISE1-USDT", "1m", CLOSED - timedelta(minutes=3_500), CLOSED)
PATIENCE = httpx.Timeout(0.5)  # seconds; late answers come after one


@pytest.fixture
def wire() -> Iterator[httpx.Client]:
    with open_client(timeout=PATIENCE) as client:
        yield client


def collect(url: str, wire: httpx.Client, span: Span = SPAN, attempts: int = 8) -> pl.DataFrame:
    retry, pacer = Retry.at_once(attempts), Pacer(math.inf)
    venue = Binance(url, name="sandbox")
    pages = fetch(venue, span, wire, now=NOW, pacer=pacer, retry=retry)
    return pl.concat([CANDLES.empty(), *pages])


def truth() -> pl.DataFrame:
    """Return what the sandbox made, without any server between."""
    start = int(SPAN.start.timestamp() * 1_000)
    question = Question(BY_VENUE_SYMBOL["NOISE1USDT"], 1, start, None, 3_500)
    candles = History(1).ask(question, View(NOW_MS, NO_FAULTS, Counter()))
    names = ("open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume")
    texts = ([f"{value:.8f}" for value in row] for row in candles.values)
    values = {name: [float(text) for text in row] for name, row in zip(names, texts, strict=False)}
    return pl.DataFrame({"open_time": candles.open_time * 1_000, **values}).with_columns(
        pl.col("open_time").cast(CANDLES.columns["open_time"]), pl.col("trades").cast(pl.Int64)
    )


def test_the_client_gets_exactly_what_was_made(sandbox: str, wire: httpx.Client) -> None:
    got = collect(sandbox, wire)
    true = truth()
    assert got.height == 3_500
    assert got.select(true.columns).equals(true)
    assert set(got["venue"]) == {"sandbox"}
    assert set(got["source"]) == {"sandbox:rest"}


def test_the_client_knows_every_symbol(sandbox: str, wire: httpx.Client) -> None:
    found = Binance(sandbox, name="sandbox").instruments(wire)
    assert found == sorted(one.symbol for one in INSTRUMENTS)


def test_a_symbol_that_is_not_listed_is_refused(sandbox: str, wire: httpx.Client) -> None:
    span = Span("sandbox", "BTC-USDT", "1m", SPAN.start, SPAN.end)
    with pytest.raises(SourceRejected, match="Invalid symbol"):
        collect(sandbox, wire, span)


@pytest.mark.parametrize("kind", [one for one in ANSWER_FAULTS if one != "malformed_rows"])
def test_each_fault_of_an_answer_heals_when_asked_again(
    sandbox: str, wire: httpx.Client, kind: str
) -> None:
    rate: dict[str, Any] = {kind: 1.0}
    set_faults(sandbox, Faults(**rate, requests=2, timeout_seconds=1.0, retry_after=0))
    assert collect(sandbox, wire).select(truth().columns).equals(truth())
    assert stats(sandbox)["faults"][kind] >= 2


def test_all_faults_of_answers_together_lose_and_double_nothing(
    sandbox: str, wire: httpx.Client
) -> None:
    rates: dict[str, Any] = dict.fromkeys(ANSWER_FAULTS[:-1], 0.08)
    set_faults(sandbox, Faults(**rates, timeout_seconds=1.0, retry_after=0, seed=8))
    got = collect(sandbox, wire, attempts=40)
    assert got.select(truth().columns).equals(truth())


def test_lasting_trouble_ends_in_an_error_and_a_rerun_completes_it(
    sandbox: str, wire: httpx.Client
) -> None:
    set_faults(sandbox, Faults(server_errors=1.0))
    with pytest.raises(SourceUnavailable):
        collect(sandbox, wire)
    set_faults(sandbox, Faults(malformed_pages=1.0, seed=2))
    with pytest.raises((SourceMalformed, SourceUnavailable)):
        collect(sandbox, wire)
    set_faults(sandbox)
    assert collect(sandbox, wire).height == 3_500


def test_gaps_are_left_as_gaps(sandbox: str, wire: httpx.Client) -> None:
    set_faults(sandbox, Faults(gaps=0.05, seed=3))
    got, again = collect(sandbox, wire), collect(sandbox, wire)
    assert 3_000 < got.height < 3_450
    assert got["open_time"].equals(again["open_time"])
    kept = truth().filter(pl.col("open_time").is_in(got["open_time"].implode()))
    assert got.select(kept.columns).equals(kept)


def test_doubles_reach_the_gate_and_hide_nothing(sandbox: str, wire: httpx.Client) -> None:
    set_faults(sandbox, Faults(duplicates=0.1))
    got = collect(sandbox, wire)
    assert got.height > 3_700
    assert got.select(truth().columns).unique(maintain_order=True).equals(truth())


def test_impossible_rows_reach_the_gate(sandbox: str, wire: httpx.Client) -> None:
    set_faults(sandbox, Faults(malformed_rows=1.0, bad_row_share=0.2))
    got = collect(sandbox, wire)
    good = (
        pl.col("close").is_between(pl.col("low"), pl.col("high"))
        & pl.col("open").is_between(pl.col("low"), pl.col("high"))
        & (pl.col("low") > 0)
        & (pl.col("volume") >= 0)
    )
    assert got.height == 3_500
    assert 0.19 < 1 - got.filter(good).height / 3_500 < 0.21


def test_outliers_reach_the_gate(sandbox: str, wire: httpx.Client) -> None:
    set_faults(sandbox, Faults(outliers=0.01))
    ratio = collect(sandbox, wire)["close"] / truth()["close"]
    assert 10 < (ratio > 2.9).sum() < 80
    assert (ratio <= 10.001).all()
