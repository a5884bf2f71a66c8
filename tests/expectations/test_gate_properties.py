"""What holds for every batch, however broken: no row is lost, none is judged twice over."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import CANDLES, TIME
from core.market import INTERVALS
from expectations import candles
from expectations.facts import common_facts, copies_before
from expectations.gate import gate
from expectations.rules import HELD, ROW
from tests.expectations.rows import MADE, NOW, START, bar, bars, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.datasets import Dataset

# How many examples; each asks Great Expectations several times.
FEW = 6

GARBAGE: dict[Any, st.SearchStrategy[Any]] = {
    pl.Float64(): st.one_of(
        st.none(), st.floats(), st.sampled_from([0.0, -0.0, 100.0, 1e308, -1e308, 5e-324])
    ),
    pl.Int64(): st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    pl.String(): st.one_of(
        st.none(), st.text(max_size=5), st.sampled_from(["binance", "BTC-USDT", "1m", "1d"])
    ),
    pl.Boolean(): st.one_of(st.none(), st.booleans()),
    TIME: st.one_of(
        st.none(),
        st.integers(-(2**62), 2**62),  # any microsecond; polars prints no date beyond its years
        st.integers(0, 20).map(lambda minute: 1_780_272_000_000_000 + minute * 60_000_000),
    ),
}


def garbage(dataset: Dataset) -> st.SearchStrategy[pl.DataFrame]:
    """Draw frames of the contract's types that hold anything at all."""

    def values(dtype: Any) -> st.SearchStrategy[Any]:
        if isinstance(dtype, pl.List):
            return st.one_of(st.none(), st.lists(GARBAGE[dtype.inner], max_size=3))
        return GARBAGE[dtype]

    def column(name: str, drawn: list[Any]) -> pl.Series:
        dtype = dataset.columns[name]
        raw = pl.Series(name, drawn, pl.Int64() if dtype == TIME else dtype)
        return raw.cast(dtype)

    row = st.tuples(*(values(dtype) for dtype in dataset.columns.values()))
    return st.lists(row, max_size=6).map(
        lambda rows: pl.DataFrame(
            [column(name, [row[at] for row in rows]) for at, name in enumerate(dataset.columns)]
        )
    )


PRICES = st.sampled_from([79.0, 80.0, 100.0, 119.0, 121.0, 130.0, 160.0, math.nan, -1.0, 0.0])
CHANGES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {},
        {},
        {"volume": -1.0},
        {"open_time": START},
        {"open_time": NOW},
        {"symbol": "ETH-USDT"},
        {"symbol": "eth"},
        {"high": math.inf},
        {"interval": "5m"},
        {"source": None},
    ]
)
BATCHES = st.lists(st.tuples(PRICES, CHANGES), max_size=30).map(
    lambda drawn: [bar(100 + at, close) | change for at, (close, change) in enumerate(drawn)]
)


def rows_of(frame: pl.DataFrame) -> list[str]:
    return [repr(row) for row in frame.drop("reasons", strict=False).rows()]


@settings(max_examples=FEW)
@given(BATCHES)
def test_accepted_and_quarantined_make_the_batch_in_its_order(rows: list[dict[str, Any]]) -> None:
    enough = [bar(-1000 + minute) for minute in range(10 * len(rows))]  # so that it passes
    batch = frame(CANDLES, enough + rows)
    verdict = gate("candles", batch, now=NOW)
    assert verdict.passed
    assert verdict.rows == batch.height
    everything = rows_of(batch)
    accepted, quarantined = rows_of(verdict.accepted), rows_of(verdict.quarantined)
    assert sorted(accepted + quarantined) == sorted(everything)
    assert_in_order(accepted, everything)
    assert_in_order(quarantined, everything)
    assert verdict.quarantined["reasons"].list.len().min() != 0
    assert verdict.quarantined["reasons"].null_count() == 0

    again = gate("candles", verdict.accepted, now=NOW)
    assert again.quarantined.is_empty()
    assert again.accepted.equals(verdict.accepted)


def assert_in_order(part: list[str], whole: list[str]) -> None:
    rest = iter(whole)
    assert all(row in rest for row in part)


@settings(max_examples=FEW)
@given(BATCHES, st.integers(0, 30))
def test_no_row_that_waits_is_lost_over_two_batches(rows: list[dict[str, Any]], cut: int) -> None:
    start = [bar(minute) for minute in range(100)]
    first = gate("candles", frame(CANDLES, start + rows[:cut][:9]), now=NOW)
    held = first.quarantined.filter(pl.col("reasons").list.contains("price_jump"))
    more = [bar(200 + minute) for minute in range(300)]
    second = gate(
        "candles",
        frame(CANDLES, rows[:cut][9:] + rows[cut:] + more),
        history=first.accepted,
        held=held,
        now=NOW,
    )
    assert second.passed
    assert second.released + second.waiting == held.height
    assert second.accepted.height + second.quarantined.height == second.rows + held.height
    assert second.accepted.select(CANDLES.key).is_unique().all()


@settings(max_examples=FEW)
@given(st.data())
def test_no_garbage_makes_the_gate_raise(data: st.DataObject) -> None:
    dataset, _ = MADE[data.draw(st.sampled_from(sorted(MADE)))]
    batch = data.draw(garbage(dataset))
    history = data.draw(garbage(CANDLES)) if dataset is CANDLES else None
    held = data.draw(garbage(dataset))
    verdict = gate(dataset.name, batch, history=history, held=held, now=NOW)
    assert verdict.rows == batch.height
    assert verdict.quarantined_rows <= verdict.rows
    assert verdict.markdown()
    if verdict.passed:
        assert verdict.accepted.height + verdict.quarantined.height == batch.height + held.height


@settings(max_examples=150)
@given(garbage(CANDLES), garbage(CANDLES))
def test_no_garbage_makes_the_facts_raise(batch: pl.DataFrame, history: pl.DataFrame) -> None:
    rows = batch.with_columns(pl.lit(value=False).alias(HELD)).with_row_index(ROW)
    facts: list[Callable[[], pl.DataFrame]] = [
        lambda: common_facts(CANDLES, (), rows),
        lambda: candles.facts(rows, NOW),
        lambda: copies_before(CANDLES, rows, history),
    ]
    for fact in facts:
        assert fact()[ROW].to_list() == list(range(batch.height))


FACTORS = st.sampled_from([0.79, 0.8, 0.95, 1.0, 1.0, 1.0, 1.05, 1.2, 1.21, 3.0])


@settings(max_examples=60)
@given(st.lists(FACTORS, max_size=40), st.sampled_from(sorted(INTERVALS)))
def test_series_do_not_disturb_each_other(factors: list[float], interval: str) -> None:
    step = INTERVALS[interval]
    level, rows = 100.0, []
    for at, factor in enumerate(factors):
        level *= factor
        rows.append(bar(0, level, interval=interval, open_time=START + at * step))
    one = frame(CANDLES, rows)
    both = pl.concat([one, one.with_columns(symbol=pl.lit("ETH-USDT"))]).sort("open_time")
    found = [jumps(one), jumps(both.filter(pl.col("symbol") == "ETH-USDT")), jumps(both)]
    assert found[0] == found[1]
    assert found[2] == sorted(found[0] * 2)


def jumps(batch: pl.DataFrame) -> list[float]:
    rows = batch.with_columns(pl.lit(value=False).alias(HELD)).with_row_index(ROW)
    facts = candles.neighbour_facts(rows, bars([]).select(candles.SUITE.remembers))
    held = facts.filter(pl.col("unconfirmed_jump") == 1)
    return sorted(rows.join(held, on=ROW, how="semi")["close"])


def test_a_bar_counts_the_bars_missing_before_it() -> None:
    rows = frame(CANDLES, [bar(0), bar(1), bar(4), bar(5)])
    rows = rows.with_columns(pl.lit(value=False).alias(HELD)).with_row_index(ROW)
    past = bars([100.0]).with_columns(pl.col("open_time") - timedelta(minutes=3))
    facts = candles.neighbour_facts(rows, past).sort(ROW)
    assert facts["gap_before"].to_list() == [2, 0, 2, 0]
