"""The sandbox's words beside Binance's own, recorded."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from sources.sandbox.faults import NO_FAULTS
from sources.sandbox.history import MINUTE_MS, ORIGIN_MS, History, Question, View
from sources.sandbox.symbols import BY_VENUE_SYMBOL, INSTRUMENTS
from sources.sandbox.wire import exchange_info, kline_events, klines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOISE = BY_VENUE_SYMBOL["NOISE5USDT"]
NOW = ORIGIN_MS + 3 * 86_400_000 + 30_000
CANDLES = History(1).ask(Question(NOISE, 1, None, None, 50), View(NOW, NO_FAULTS, Counter()))


def recorded(real_data: Path, kind: str, word: str) -> Iterator[dict[str, Any]]:
    """Yield the recorded messages of a kind (`http` or `recv`) whose URL or text holds `word`."""
    path = real_data / "wire_dev_slices" / "BINANCE.first_half.jsonl.zst"
    with pa.input_stream(str(path), compression="zstd") as stream:
        lines = stream.read().splitlines()
    for line in lines:
        message = json.loads(line)
        if message["t"] == kind and word in message.get("url", "") + message["data"][:80]:
            yield json.loads(message["data"])


def shape(value: Any) -> Any:
    """Return the types of a JSON value, a number written as text told from other text."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, str):
        return (
            f"number of {len(value.partition('.')[2])} decimals" if value[0].isdigit() else "text"
        )
    return type(value).__name__


def test_a_page_is_json_of_the_values_it_was_made_of() -> None:
    rows = json.loads(klines(CANDLES, 1))
    assert len(rows) == 50
    for index, row in enumerate(rows):
        assert row[0] == CANDLES.open_time[index]
        assert row[6] == row[0] + MINUTE_MS - 1
        texts = [*row[1:6], row[7], row[9], row[10]]
        assert all(len(text.partition(".")[2]) == 8 for text in texts)
        values = [*map(float, (*row[1:6], row[7])), row[8], float(row[9]), float(row[10])]
        assert values == pytest.approx(CANDLES.values[:, index].tolist(), abs=1e-8)
        assert row[11] == "0"


def test_a_longer_bar_ends_a_millisecond_before_the_next() -> None:
    rows = json.loads(klines(CANDLES, 240))
    assert rows[0][6] - rows[0][0] == 240 * MINUTE_MS - 1


def test_no_bars_are_an_empty_page() -> None:
    nothing = History(1).ask(Question(NOISE, 1, NOW + 1, None, 5), View(NOW, NO_FAULTS, Counter()))
    assert klines(nothing, 1) == "[]"


def test_only_the_last_event_is_of_a_bar_still_forming() -> None:
    events = kline_events(CANDLES, NOISE, "1m", NOW)
    assert [event["k"]["x"] for event in events] == [True] * 49 + [False]
    assert all(event["E"] == NOW for event in events)


def test_trade_numbers_ascend_and_count_the_trades() -> None:
    bars = [event["k"] for event in kline_events(CANDLES, NOISE, "1m", NOW)]
    assert all(bar["L"] - bar["f"] + 1 == bar["n"] for bar in bars)
    assert all(one["L"] < other["f"] for one, other in pairwise(bars))


def test_a_minute_without_a_trade_has_no_trade_numbers() -> None:
    at = NOW - 30_000
    bar = History(1).ask(Question(NOISE, 1, at, None, 1), View(at, NO_FAULTS, Counter()))
    (event,) = kline_events(bar, NOISE, "1m", at)
    assert (event["k"]["f"], event["k"]["L"], event["k"]["n"]) == (-1, -1, 0)


def test_every_symbol_says_its_assets_tick_and_lot() -> None:
    info = exchange_info(INSTRUMENTS, NOW)
    for said, meant in zip(info["symbols"], INSTRUMENTS, strict=True):
        assert f"{said['baseAsset']}-{said['quoteAsset']}" == meant.symbol
        assert said["symbol"] == meant.venue_symbol
        assert said["status"] == "TRADING"
        filters = {one["filterType"]: one for one in said["filters"]}
        assert float(filters["PRICE_FILTER"]["tickSize"]) == meant.tick
        assert float(filters["LOT_SIZE"]["stepSize"]) == meant.lot


def test_two_planted_and_six_unplanted_markets_are_listed() -> None:
    assert [one.edge is not None for one in INSTRUMENTS] == [True] * 2 + [False] * 6
    assert len(BY_VENUE_SYMBOL) == 8


@pytest.mark.real
def test_stream_frames_have_the_fields_of_recorded_ones(real_data: Path) -> None:
    events = kline_events(CANDLES, NOISE, "1m", NOW)
    count = 0
    for frame in recorded(real_data, "recv", "@kline_1m"):
        assert shape(frame["data"]) == shape(events[0])
        assert list(frame["data"]["k"]) == list(events[0]["k"])
        count += 1
    assert count > 0


@pytest.mark.real
def test_exchange_information_has_the_fields_of_a_recorded_one(real_data: Path) -> None:
    (theirs,) = recorded(real_data, "http", "exchangeInfo")
    ours = exchange_info(INSTRUMENTS, NOW)
    assert set(theirs) == set(ours)
    assert set(theirs["symbols"][0]) <= set(ours["symbols"][0])
    for name, value in theirs["symbols"][0].items():
        assert type(ours["symbols"][0][name]) is type(value)
    for kind in ("PRICE_FILTER", "LOT_SIZE"):
        one, other = (
            next(each for each in info["symbols"][0]["filters"] if each["filterType"] == kind)
            for info in (theirs, ours)
        )
        assert shape(one) == shape(other)
