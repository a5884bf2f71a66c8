from datetime import UTC, datetime

import polars as pl
import pytest

from core.datasets import CANDLES, DATASETS, TIME, dataset_named
from core.errors import ContractBroken, InvalidInput


def candle(**changes: object) -> pl.DataFrame:
    row = dict.fromkeys(CANDLES.columns) | {
        "venue": "binance",
        "open_time": datetime(2026, 3, 1, tzinfo=UTC),
        "close": 1.0,
    }
    return pl.DataFrame([row | changes], schema=CANDLES.schema)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda d: d.name)
def test_a_declaration_speaks_only_of_its_own_columns(dataset) -> None:
    assert set(dataset.key) <= set(dataset.columns)
    assert dataset.columns[dataset.time_column] == TIME
    assert set(dataset.partition_by) - {"month"} <= set(dataset.columns)
    assert {"source", "ingested_at"} <= set(dataset.columns)
    assert dataset.empty().schema == dataset.schema


def test_order_is_mended() -> None:
    shuffled = candle().select(sorted(CANDLES.columns))
    assert CANDLES.conform(shuffled).columns == list(CANDLES.columns)


def test_a_column_of_nulls_gets_its_type() -> None:
    frame = candle().with_columns(trades=pl.lit(None))
    assert CANDLES.conform(frame).schema == CANDLES.schema


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop("close"), r"missing \['close'\]"),
        (lambda f: f.with_columns(extra=pl.lit(1)), r"not known \['extra'\]"),
        (lambda f: f.with_columns(pl.col("close").cast(pl.String)), "close was String"),
        (lambda f: f.with_columns(pl.col("open_time").dt.replace_time_zone(None)), "open_time was"),
    ],
)
def test_anything_else_breaks_the_contract(change, message: str) -> None:
    with pytest.raises(ContractBroken, match=message):
        CANDLES.conform(change(candle()))


def test_an_unknown_dataset_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="candles, dex_pairs"):
        dataset_named("bars")


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_keys_that_differ_are_no_doubles(rows: int) -> None:
    frame = bars(*range(rows))
    assert not CANDLES.has_doubles(frame)
    assert CANDLES.has_doubles(pl.concat([frame, bars(0), bars(0)]))


def test_doubles_are_found_wherever_a_key_varies() -> None:
    other = bars(0, 1).with_columns(symbol=pl.lit("ETH-USDT"))
    assert not CANDLES.has_doubles(pl.concat([bars(0, 1), other]))
    assert CANDLES.has_doubles(pl.concat([bars(0, 1), other, other.tail(1)]))


def test_a_key_that_is_missing_twice_is_double() -> None:
    nameless = bars(0, 0).with_columns(symbol=pl.lit(None, pl.String()))
    assert CANDLES.has_doubles(nameless)


def test_times_that_python_has_no_name_for_are_keys_like_others() -> None:
    beyond = bars(0, 1).with_columns(open_time=pl.Series([2**62, 2**62 + 1]).cast(TIME))
    assert not CANDLES.has_doubles(beyond)


def bars(*minutes: int) -> pl.DataFrame:
    opened = pl.Series([60_000_000 * minute for minute in minutes], dtype=pl.Int64).cast(TIME)
    same = {"venue": "binance", "symbol": "BTC-USDT", "interval": "1m"}
    return pl.DataFrame({"open_time": opened}).with_columns(
        **{k: pl.lit(v) for k, v in same.items()}
    )
