"""Filling an empty store: which phases ask whom, and one real run of them on the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.errors import InvalidInput
from core.settings import load
from flows.seed import seed
from sources.line import forget_lines
from storage.lake import sql
from tasks.questions import Question
from tasks.seed import PHASES, Bars, pieces

if TYPE_CHECKING:
    from pathlib import Path

END = datetime(2026, 3, 2, tzinfo=UTC)
START = END - timedelta(days=1)


def asked(phase: str, **settings: object) -> list[str]:
    return [str(piece) for piece in pieces(phase, load(**settings), [], START, END)]


def test_each_phase_asks_those_who_have_that_history() -> None:
    online = {"venue": "binance", "watch": {"venues": "binance,kraken", "prices": "BTC-USD"}}
    assert asked("instruments", **online) == ["instruments of binance", "instruments of kraken"]
    assert asked("candles", **online) == ["1m candles of binance", "1m candles of kraken"]
    assert asked("daily", **online) == ["1d candles of cryptocompare"]
    assert asked("prices", **online) == ["prices of coingecko"]
    assert asked("rates", **online) == [
        "funding_rates of binance_perp",
        "stock_indices of yahoo",
        "stock_indices of stooq",
        "onchain_metrics of glassnode",
    ]


def test_an_offline_desk_is_filled_from_the_sandbox_alone() -> None:
    told = [piece for phase in PHASES for piece in asked(phase)]
    assert told == [
        "instruments of sandbox_coinbase",
        "instruments of sandbox_kraken",
        "instruments of sandbox_okx",
        "1m candles of sandbox",
    ]


def test_the_daily_bars_are_of_each_asset_once_in_usd() -> None:
    (bars,) = pieces("daily", load(venue="binance"), ["BTC-USDT", "BTC-EUR", "ETH-BTC"], START, END)
    assert isinstance(bars, Bars)
    assert bars.symbols == ("BTC-USD", "ETH-USD")


def test_a_phase_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"a phase of instruments, candles, .*, was 'magic'"):
        pieces("magic", load(), [], START, END)
    assert isinstance(pieces("rates", load(venue="binance"), [], START, END)[0], Question)


def test_a_history_is_stored_once_and_a_second_run_finds_nothing_new(desk: Path) -> None:
    forget_lines()
    done = seed(days=1, symbols=["NOISE1-USDT"], phases=["instruments", "candles"], until=END)
    assert sql("select count(*) from candles").item() == 1_440
    assert sql("select count(*) from instruments").item() == 24
    assert done.total("inserted") == 1_440 + 24
    again = seed(days=1, symbols=["NOISE1-USDT"], phases=["candles"], until=END)
    assert again.total("inserted") == 0
    assert set(sql("select distinct source from candles")["source"]) == {"sandbox:rest#1"}
