"""Bars are read, refused and made coarser as they should be."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import TIME
from core.errors import InvalidInput
from research.bars import Bars, bars_of, resample
from tests.research.markets import frame_of, random_bars

MINUTE = timedelta(minutes=1)
STEP = 60_000_000  # µs


def bars_at(*minutes: int) -> Bars:
    """Return bars that open at these minutes since the epoch, each of values of its own."""
    close = 100.0 + np.arange(len(minutes))
    return Bars(
        time=np.array(minutes, dtype=np.int64) * STEP,
        open=close - 0.5,
        high=close + 1,
        low=close - 1,
        close=close,
        volume=np.ones(len(minutes)),
    )


def test_bars_are_the_values_of_the_frame() -> None:
    bars = random_bars(1, 50, gaps=True)
    for mine, given_ in zip(bars_of(frame_of(bars, symbol="BTC-USDT")), bars, strict=True):
        np.testing.assert_array_equal(mine, given_)


def test_arrays_are_contiguous_writeable_and_the_readers_own() -> None:
    frame = frame_of(random_bars(1, 50)).vstack(frame_of(random_bars(1, 50, first=50)))
    bars = bars_of(frame)
    before = frame["close"][0]
    bars.close[0] = -1
    assert frame["close"][0] == before
    assert all(array.flags.c_contiguous and array.flags.writeable for array in bars)
    assert bars.time.dtype == np.int64


def test_other_zones_and_units_are_the_same_instants() -> None:
    frame = frame_of(random_bars(1, 5))
    other = frame.with_columns(pl.col("open_time").cast(pl.Datetime("ms", "Etc/UTC")))
    np.testing.assert_array_equal(bars_of(other).time, bars_of(frame).time)


def test_whole_numbers_are_prices_too() -> None:
    frame = frame_of(bars_at(0, 1)).with_columns(pl.lit(3).alias("volume"))
    assert bars_of(frame).volume.tolist() == [3.0, 3.0]


def test_no_rows_are_no_bars() -> None:
    assert bars_of(frame_of(bars_at())).time.size == 0


def test_a_series_may_be_of_nobody() -> None:
    nobody = frame_of(bars_at(0, 1)).with_columns(venue=pl.lit(None, pl.String))
    assert bars_of(nobody).time.size == 2


def put(column: str, row: int, value: object):
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        values = frame[column].to_list()
        values[row] = value
        return frame.with_columns(pl.Series(column, values, dtype=frame.schema[column]))

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.drop("volume"), "columns volume"),
        (lambda f: f.reverse(), "ascending"),
        (lambda f: pl.concat([f, f.tail(1)]), "ascending"),
        (lambda f: f.with_columns(symbol=pl.Series(["A-B", "A-C", "A-B", "A-B"])), "A-B, A-C"),
        (lambda f: f.with_columns(venue=pl.Series(["x", "x", None, "x"])), "one venue"),
        (lambda f: f.with_columns(venue=pl.Series([None, "x", "x", "x"])), "one venue"),
        (lambda f: f.with_columns(pl.col("open_time").dt.replace_time_zone(None)), "zone"),
        (lambda f: f.with_columns(pl.col("open_time").cast(pl.Int64)), "zone"),
        (lambda f: f.with_columns(pl.col("close").cast(pl.String)), "numbers in close"),
        (put("open_time", 1, None), "open_time"),
        (put("close", 1, None), "null"),
        (put("close", 1, float("nan")), "close positive"),
        (put("high", 2, float("inf")), "high positive"),
        (put("low", 0, 0.0), "low positive"),
        (put("volume", 0, -1.0), "volume"),
        (put("volume", 0, float("inf")), "volume"),
        (put("high", 1, 100.0), "between low and high"),
        (put("low", 3, 103.5), "between low and high"),
    ],
)
def test_what_no_market_can_show_is_refused(change, says: str) -> None:
    frame = frame_of(bars_at(0, 1, 2, 3))
    with pytest.raises(InvalidInput, match=says):
        bars_of(change(frame))


def test_the_first_wrong_bar_is_shown() -> None:
    with pytest.raises(InvalidInput, match=r"1970-01-01T00:02:00Z: open 101.5, high 103, low -1"):
        bars_of(put("low", 2, -1.0)(frame_of(bars_at(0, 1, 2, 3))))


def test_a_coarser_bar_holds_its_minutes() -> None:
    merged, last = resample(bars_at(*range(5, 15)), MINUTE, timedelta(minutes=5))
    assert merged.time.tolist() == [5 * STEP, 10 * STEP]
    assert merged.open.tolist() == [99.5, 104.5]
    assert merged.high.tolist() == [105.0, 110.0]
    assert merged.low.tolist() == [99.0, 104.0]
    assert merged.close.tolist() == [104.0, 109.0]
    assert merged.volume.tolist() == [5.0, 5.0]
    assert last.tolist() == [4, 9]


def test_a_bucket_that_starts_before_the_data_is_left_out() -> None:
    merged, last = resample(bars_at(*range(6, 15)), MINUTE, timedelta(minutes=5))
    assert merged.time.tolist() == [10 * STEP]
    assert last.tolist() == [8]


def test_a_bucket_is_open_until_its_final_bar_or_a_later_one() -> None:
    five = timedelta(minutes=5)
    assert resample(bars_at(0, 1, 2, 3), MINUTE, five)[1].tolist() == []
    assert resample(bars_at(0, 1, 2, 3, 4), MINUTE, five)[1].tolist() == [4]
    assert resample(bars_at(0, 1, 3, 27), MINUTE, five)[1].tolist() == [2]


def test_a_bucket_without_bars_makes_none() -> None:
    merged, last = resample(bars_at(0, 2, 11, 14), MINUTE, timedelta(minutes=5))
    assert merged.time.tolist() == [0, 10 * STEP]
    assert last.tolist() == [1, 3]


def test_the_same_length_is_the_bars_themselves() -> None:
    bars = bars_at(3, 4, 9)
    merged, last = resample(bars, MINUTE, MINUTE)
    assert merged is bars
    assert last.tolist() == [0, 1, 2]


def test_no_bars_make_no_bars() -> None:
    merged, last = resample(bars_at(), MINUTE, timedelta(minutes=5))
    assert [array.size for array in merged] == [0] * 6
    assert last.size == 0


@pytest.mark.parametrize("to", [timedelta(seconds=30), timedelta(seconds=90), timedelta(0)])
def test_bars_cannot_become_finer_or_broken(to: timedelta) -> None:
    with pytest.raises(InvalidInput, match="multiple of 0:01:00"):
        resample(bars_at(0, 1), MINUTE, to)


def test_bars_off_the_grid_are_refused() -> None:
    bars = bars_at(0, 1)
    bars.time[1] += 1
    with pytest.raises(InvalidInput, match="grid"):
        resample(bars, MINUTE, timedelta(minutes=5))


@given(seed=st.integers(0, 10_000), count=st.integers(1, 200), minutes=st.sampled_from([3, 5, 15]))
def test_coarse_bars_are_what_polars_makes_of_them(seed: int, count: int, minutes: int) -> None:
    bars = random_bars(seed, count, gaps=True, first=seed % 60)
    merged, last = resample(bars, MINUTE, timedelta(minutes=minutes))
    expected = (
        frame_of(bars)
        .with_row_index("row")
        .group_by_dynamic("open_time", every=f"{minutes}m")
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
            pl.col("row").last(),
        )
        .filter(pl.col("open_time") >= pl.lit(int(bars.time[0])).cast(TIME))
    )
    if (bars.time[-1] + STEP) % (minutes * STEP):
        expected = expected.filter(pl.col("row") < bars.time.size - 1)
    assert last.tolist() == expected["row"].to_list()
    assert merged.time.tolist() == expected["open_time"].dt.epoch("us").to_list()
    for name in ("open", "high", "low", "close"):
        assert getattr(merged, name).tolist() == expected[name].to_list()
    np.testing.assert_allclose(merged.volume, expected["volume"].to_numpy(), rtol=1e-12)
