"""Null worlds: valid bars that keep everything but direction, and the published construction."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.market import markets_of
from research.worlds import (
    MIRRORED,
    PERMUTED,
    PRICES,
    Moves,
    mirror,
    order_of,
    permute,
    signs_of,
    world_of,
)

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = pytest.mark.parametrize("kind", [MIRRORED, PERMUTED])


def series(symbol: str, bars: int, seed: int, *, drift: float = 0.0) -> pl.DataFrame:
    """Return candles of a random walk with gaps between bars."""
    rng = np.random.default_rng(seed)
    body, gap = rng.normal(drift, 1e-3, bars), rng.normal(0, 1e-4, bars)
    close = np.exp(np.cumsum(body + gap)) * 100
    opened = close / np.exp(body)
    spread = rng.exponential(5e-4, (2, bars))
    volume = rng.exponential(5.0, bars)
    high = np.maximum(opened, close) * np.exp(spread[0])
    low = np.minimum(opened, close) * np.exp(-spread[1])
    times = pl.datetime_range(
        START, START + timedelta(minutes=bars), "1m", closed="left", eager=True, time_unit="us"
    )
    return pl.DataFrame(
        {
            "symbol": symbol,
            "interval": "1m",
            "open_time": times,
            "open": opened,
            "high": high,
            "low": low,
            "close": close,
            "volume": volume,
            "quote_volume": volume * np.sqrt(high * low),
            "taker_buy_volume": volume * rng.uniform(0, 1, bars),
        }
    )


def two(bars: int = 600) -> pl.DataFrame:
    return pl.concat([series("AAA-USDT", bars, 1), series("BBB-USDT", bars, 2)])


def logs(frame: pl.DataFrame, symbol: str) -> np.ndarray:
    return np.diff(np.log(frame.filter(pl.col("symbol") == symbol)["close"].to_numpy()))


@pytest.mark.parametrize("method", ["masters_permutation", "mirrored_sign_flip", "identity"])
def test_explicit_worlds_are_those_of_the_reference(real_data: Path, method: str) -> None:
    oracle = json.loads((real_data.parent / "oracles" / "mcpt_permutation.json").read_text())
    bars = np.array(oracle["bars_ohlcv"])
    moves = Moves.of(*bars[:, :4].T)
    if method == "mirrored_sign_flip":
        moves = mirror(moves, np.array([1, *oracle["sign"]], np.int8))
    elif method == "masters_permutation":
        gaps, bodies = (np.array([0, *oracle[f"{part}_source_index"]]) for part in ("gap", "body"))
        moves = permute(moves, gaps, bodies)
    expected = np.array(oracle[method]["bars"])[:, :4]
    assert np.abs(np.column_stack(moves.prices()) - expected).max() < 1e-9


def test_a_bar_turned_over_falls_as_far_as_it_rose() -> None:
    opened, high, low, close = (np.array(x, float) for x in ((1, 1), (2, 4), (1, 0.5), (1, 2)))
    got = mirror(Moves.of(opened, high, low, close), np.array([1, -1], np.int8)).prices()
    assert [round(float(each[1]), 12) for each in got] == [1.0, 2.0, 0.25, 0.5]
    assert [float(each[0]) for each in got] == [1.0, 2.0, 1.0, 1.0]


@KINDS
@given(world=st.integers(1, 2**40), bars=st.integers(1, 90), seed=st.integers(0, 10**6))
def test_every_bar_of_a_world_is_valid(kind: str, world: int, bars: int, seed: int) -> None:
    candles = series("AAA-USDT", bars, seed)
    made = world_of(candles, kind, world)
    assert made.columns == candles.columns
    assert made["open_time"].equals(candles["open_time"])
    assert (made["high"] >= made.select(pl.max_horizontal("open", "close")).to_series()).all()
    assert (made["low"] <= made.select(pl.min_horizontal("open", "close")).to_series()).all()
    assert (made["low"] > 0).all()
    assert np.isfinite(made.select(PRICES).to_numpy()).all()
    assert (made["taker_buy_volume"] >= 0).all()
    assert (made["taker_buy_volume"] <= made["volume"]).all()
    price = (made["quote_volume"] / made["volume"]).to_numpy()
    assert (price <= made["high"].to_numpy() * (1 + 1e-9)).all()
    assert (price >= made["low"].to_numpy() * (1 - 1e-9)).all()
    assert sorted(made["volume"]) == sorted(candles["volume"])


def test_a_mirrored_world_keeps_how_far_each_minute_moves_and_not_where_to() -> None:
    candles = two()
    made = world_of(candles, MIRRORED, 7)
    for symbol in ("AAA-USDT", "BBB-USDT"):
        before, after = logs(candles, symbol), logs(made, symbol)
        assert np.allclose(np.abs(before), np.abs(after), atol=1e-12)
        assert 200 < (np.sign(before) != np.sign(after)).sum() < 400


@KINDS
def test_symbols_move_together_as_they_did(kind: str) -> None:
    candles = pl.concat([series("AAA-USDT", 600, 1), series("BBB-USDT", 600, 1)])
    made = world_of(candles, kind, 3)
    assert np.allclose(logs(made, "AAA-USDT"), logs(made, "BBB-USDT"))
    holed = candles.filter(~((pl.col("symbol") == "BBB-USDT") & (pl.int_range(pl.len()) == 900)))
    assert world_of(holed, kind, 3).height == holed.height


@KINDS
def test_symbols_with_holes_keep_their_bars_and_their_company(kind: str) -> None:
    rng = np.random.default_rng(5)
    whole = pl.concat([series("AAA-USDT", 2_000, 1), series("BBB-USDT", 2_000, 1)])
    lost = pl.Series(rng.uniform(size=whole.height) < 0.02) & (whole["symbol"] == "BBB-USDT")
    holed = whole.filter(~lost)
    made = world_of(holed, kind, 11)
    sides = [made.filter(pl.col("symbol") == s) for s in ("AAA-USDT", "BBB-USDT")]
    both = sides[0].join(sides[1], on="open_time", suffix="_b")
    assert both.height == sides[1].height == (~lost).sum() - 2_000
    body = np.log((both["close"] / both["open"]).to_numpy())
    other = np.log((both["close_b"] / both["open_b"]).to_numpy())
    assert np.allclose(body, other)
    assert len(list(markets_of(made))) == 2


def test_a_permuted_world_ends_where_the_real_one_did() -> None:
    candles = two()
    made = world_of(candles, PERMUTED, 7)
    for symbol in ("AAA-USDT", "BBB-USDT"):
        was, now = (f.filter(pl.col("symbol") == symbol) for f in (candles, made))
        assert now["close"][-1] == pytest.approx(was["close"][-1], rel=1e-12)
        assert now["open"][0] == pytest.approx(was["open"][0], rel=1e-12)
        assert not np.allclose(now["close"].to_numpy(), was["close"].to_numpy())


@KINDS
def test_a_world_is_the_same_whenever_it_is_made(kind: str) -> None:
    candles = two(300)
    assert world_of(candles, kind, 5).equals(world_of(candles.reverse(), kind, 5))
    assert not world_of(candles, kind, 5).equals(world_of(candles, kind, 6))


def test_a_mirrored_world_goes_on_with_its_data() -> None:
    long, short = series("AAA-USDT", 500, 3), series("AAA-USDT", 500, 3)[:400]
    early = world_of(long, MIRRORED, 9)[:400]
    assert np.allclose(early.select(PRICES), world_of(short, MIRRORED, 9).select(PRICES))


def test_signs_and_orders_are_as_good_as_drawn() -> None:
    times = np.arange(200_000, dtype=np.int64) * 60_000_000
    signs = np.stack([signs_of(world, times).astype(float) for world in (1, 2, 3)])
    assert np.abs(signs.mean(axis=1)).max() < 0.01
    assert np.abs(np.corrcoef(signs) - np.eye(3)).max() < 0.01
    for lag in (1, 2, 5, 60, 1_440):
        assert abs((signs[0, lag:] * signs[0, :-lag]).mean()) < 0.01
    order = order_of(1, times, 1)
    assert order[0] == 0
    assert sorted(order) == list(range(times.size))
    assert abs(np.corrcoef(order, np.arange(order.size))[0, 1]) < 0.01
    assert (order_of(1, times, 2) != order).mean() > 0.99


def test_there_is_no_world_of_nothing() -> None:
    with pytest.raises(InvalidInput, match="expected candles"):
        world_of(two(1).clear(), MIRRORED, 1)
    with pytest.raises(InvalidInput, match="expected a world from 1, was 0"):
        world_of(two(2), MIRRORED, 0)
    with pytest.raises(InvalidInput, match="was 'upside-down'"):
        world_of(two(2), "upside-down", 1)
