"""Bars made of trades: to the last digit those that others made, or that decimals give."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import from_micros
from core.datasets import MARKET_TRADES
from core.errors import InvalidInput
from sources.frames import BARS
from sources.trade_bars import bars_from_trades
from tests.sources.venues.frames import lines

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def trade(number: int, time: datetime, price: float, amount: float, side: str | None) -> Any:
    return ("binance", "BTC-USDT", str(number), time, price, amount, side, "test", START)


def frame(rows: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=MARKET_TRADES.schema, orient="row")


TRADES = st.lists(
    st.tuples(
        st.integers(0, 600),
        st.decimals(min_value="0.01", max_value=10**6, places=8),
        st.decimals(min_value="0.00000001", max_value=10**4, places=8),
        st.sampled_from(["buy", "sell"]),
    ),
    max_size=60,
)


@given(TRADES)
def test_bars_are_what_decimals_give(found: list[tuple[int, Decimal, Decimal, str]]) -> None:
    rows = [
        trade(at, START + second * SECOND, float(price), float(amount), side)
        for at, (second, price, amount, side) in enumerate(found)
    ]
    made = bars_from_trades(frame(rows), "1m", start=START, end=START + 10 * MINUTE)
    expected: dict[int, list[tuple[Decimal, Decimal, str]]] = defaultdict(list)
    for second, price, amount, side in sorted(found, key=lambda each: each[0]):
        if second < 600:
            expected[second // 60].append((price, amount, side))
    assert made.schema == pl.Schema(BARS)
    assert [(t - START) // MINUTE for t in made["open_time"]] == sorted(expected)
    for bar, minute in zip(made.to_dicts(), sorted(expected), strict=True):
        prices = [price for price, _, _ in expected[minute]]
        said = tuple(bar[name] for name in ("open", "high", "low", "close", "trades"))
        assert said == (
            *(float(p) for p in (prices[0], max(prices), min(prices), prices[-1])),
            len(prices),
        )
        assert bar["volume"] == float(sum(amount for _, amount, _ in expected[minute]))
        assert bar["quote_volume"] == float(sum(p * a for p, a, _ in expected[minute]))
        bought = [amount for _, amount, side in expected[minute] if side == "buy"]
        assert bar["taker_buy_volume"] == float(sum(bought, Decimal(0)))


def test_adding_doubles_would_end_in_another_digit() -> None:
    """What the exact sums are for."""
    amounts = [0.1] * 10
    assert sum(amounts) != 1.0
    rows = [trade(at, START, 1.0, amount, "buy") for at, amount in enumerate(amounts)]
    made = bars_from_trades(frame(rows), "1m", start=START, end=START + MINUTE)
    assert made["volume"].to_list() == made["taker_buy_volume"].to_list() == [1.0]


def test_only_bars_that_were_observed_in_full_are_made() -> None:
    rows = [trade(n, START + n * 10 * SECOND, 1.0, 1.0, "buy") for n in range(30)]
    start, end = START + 30 * SECOND, START + 4 * MINUTE + 59 * SECOND
    made = bars_from_trades(frame(rows), "1m", start=start, end=end)
    assert [(t - START) // MINUTE for t in made["open_time"]] == [1, 2, 3]


def test_a_trade_that_came_twice_counts_once_and_order_decides_within_a_moment() -> None:
    rows = [
        trade(1, START, 10.0, 1.0, "buy"),
        trade(2, START, 12.0, 1.0, "sell"),
        trade(1, START, 10.0, 1.0, "buy"),
        trade(3, START, 11.0, 1.0, "sell"),
    ]
    bar = bars_from_trades(frame(rows), "1m", start=START, end=START + MINUTE).row(0, named=True)
    assert (bar["open"], bar["close"], bar["trades"], bar["volume"]) == (10.0, 11.0, 3, 3.0)


def test_who_bought_is_not_known_where_one_trade_does_not_say() -> None:
    rows = [trade(1, START, 10.0, 1.0, "buy"), trade(2, START, 10.0, 1.0, None)]
    made = bars_from_trades(frame(rows), "1m", start=START, end=START + MINUTE)
    assert made["taker_buy_volume"].to_list() == [None]


def test_no_trades_give_no_bars_and_no_columns_are_the_callers_mistake() -> None:
    empty = bars_from_trades(MARKET_TRADES.empty(), "1m", start=START, end=START + MINUTE)
    assert empty.is_empty()
    assert empty.schema == pl.Schema(BARS)
    with pytest.raises(InvalidInput, match="side"):
        bars_from_trades(MARKET_TRADES.empty().drop("side"), "1m", start=START, end=START)


# --- recordings


def _binance_trades(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as text:
        frames = [line.partition(" ")[2] for line in text if '"e":"trade"' in line]
    return [json.loads(frame_)["data"] for frame_ in frames]


@pytest.mark.parametrize("kind", ["spot", "usdm"])
def test_the_bars_of_binances_recorded_frames_are_right_to_the_last_digit(
    real_data: Path, kind: str
) -> None:
    path = "wire/binance/nkaz001+hftbacktest/5f3ec40b/examples"
    said = _binance_trades(real_data / path / kind / "btcusdt_20240808.gz")
    said = [each for each in said if each.get("X", "MARKET") == "MARKET"]
    numbers = [each["t"] for each in said]
    gaps = [b - a for a, b in itertools.pairwise(numbers) if b - a != 1]
    assert gaps == [] or kind == "usdm"
    rows = [
        trade(
            each["t"],
            from_micros(each["T"] * 1_000),
            float(each["p"]),
            float(each["q"]),
            "sell" if each["m"] else "buy",
        )
        for each in said
    ]
    first, last = rows[0][3], rows[-1][3]
    made = bars_from_trades(frame(rows), "1m", start=first, end=last)
    minutes: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for each in said:
        minutes[each["T"] // 60_000].append(each)
    whole = sorted(minutes)[1:-1]
    assert [int(t.timestamp()) // 60 for t in made["open_time"]] == whole
    assert made.height > 0
    for bar, minute in zip(made.to_dicts(), whole, strict=True):
        of_it = minutes[minute]
        prices = [Decimal(t["p"]) for t in of_it]
        assert bar["open"] == float(of_it[0]["p"])
        assert bar["close"] == float(of_it[-1]["p"])
        assert (bar["high"], bar["low"]) == (float(max(prices)), float(min(prices)))
        assert bar["volume"] == float(sum(Decimal(t["q"]) for t in of_it))
        assert bar["quote_volume"] == float(sum(Decimal(t["p"]) * Decimal(t["q"]) for t in of_it))
        bought = sum((Decimal(t["q"]) for t in of_it if not t["m"]), Decimal(0))
        assert bar["taker_buy_volume"] == float(bought)
        assert bar["trades"] == len(of_it)


def test_bars_that_others_made_of_the_same_trades_are_ours(real_data: Path) -> None:
    """XRP-ETH of October 2019: trades and bars as freqtrade keeps them."""
    folder = real_data / "candles/freqtrade+freqtrade/c9ae5e1e/tests/testdata"
    theirs = pl.read_ipc(folder / "XRP_ETH-1m.feather").with_columns(
        open_time=pl.col("date").cast(pl.Datetime("us", "UTC"))
    )
    with gzip.open(folder / "XRP_ETH-trades.json.gz", "rt") as text:
        said = json.load(text)
    rows = [
        trade(at, from_micros(ms * 1_000), price, amount, side)
        for at, (ms, _, _, side, price, amount, _) in enumerate(said)
    ]
    start = theirs["open_time"][0]
    made = bars_from_trades(frame(rows), "1m", start=start, end=rows[-1][3])
    both = made.join(theirs, on="open_time", how="inner", suffix="_theirs")
    assert both.height == made.height > 1_000
    for name in ("open", "high", "low", "close"):
        assert both.filter(pl.col(name) != pl.col(f"{name}_theirs")).height == 0
    distance = (both["volume"] / both["volume_theirs"] - 1).abs().max()
    assert isinstance(distance, float)
    assert distance < 1e-12  # they added doubles


def test_bitstamps_recorded_trades_make_bars(real_data: Path) -> None:
    path = "wire/bitstamp/bmoscon+cryptofeed/57d5f18d/sample_data/BITSTAMP.jsonl.zst"
    said = [
        line.json()["data"]
        for line in lines(real_data / path)
        if line.kind == "recv" and '"event":"trade"' in line.text.replace(" ", "")
    ]
    assert said
    rows = [
        trade(
            each["id"],
            from_micros(int(each["microtimestamp"])),
            float(each["price_str"]),
            float(each["amount_str"]),
            ("buy", "sell")[each["type"]],
        )
        for each in said
    ]
    day = timedelta(days=1)
    made = bars_from_trades(frame(rows), "1m", start=rows[0][3] - day, end=rows[-1][3] + day)
    assert made["trades"].sum() == len({each["id"] for each in said})
    total = sum(Decimal(each["amount_str"]) for each in {e["id"]: e for e in said}.values())
    assert made["volume"].sum() == pytest.approx(float(total), rel=1e-12)
