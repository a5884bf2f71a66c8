"""What `simulate` takes, gives back and refuses; its fills are in test_fills.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.errors import InvalidInput
from research.costs import Costs
from research.simulate import simulate
from research.trades import TRADES
from tests.research.markets import FREE, MINUTE, START, candles_of, marks

ROWS = [(100.0, 101.0, 99.0, 100.0)] * 6
CANDLES = candles_of(ROWS)
ENTRIES = marks(6, 0)


def test_trades_have_the_contracts_columns_and_types_with_and_without_rows() -> None:
    some = simulate(CANDLES, ENTRIES, None)
    none = simulate(CANDLES, marks(6), None)
    assert some.schema == none.schema == pl.Schema(TRADES)
    assert (some.height, none.height) == (1, 0)


def test_costs_are_those_of_the_defaults_unless_given() -> None:
    (change,) = simulate(CANDLES, ENTRIES, marks(6, 2))["return"]
    ratio = (100 * (1 - 0.0005)) / (100 * (1 + 0.0005))
    assert change == pytest.approx(ratio * 0.999 / 1.001 - 1, rel=1e-12)


@pytest.mark.parametrize(
    "entries", [ENTRIES, ENTRIES.tolist(), pl.Series(ENTRIES), ENTRIES[::-1][::-1]]
)
def test_signals_may_be_an_array_a_list_or_a_series(entries: Any) -> None:
    assert simulate(CANDLES, entries, None).height == 1


def test_candles_need_no_volume_and_no_labels() -> None:
    assert simulate(CANDLES.drop("volume"), ENTRIES, None).height == 1
    labelled = candles_of(ROWS, symbol="BTC-USDT", venue="binance", interval="1m")
    assert simulate(labelled, ENTRIES, None).equals(simulate(CANDLES, ENTRIES, None))


def test_inputs_are_left_as_they_were() -> None:
    entries, before = ENTRIES.copy(), CANDLES.clone()
    entries.flags.writeable = False
    simulate(CANDLES, entries, entries, stop=0.5)
    assert CANDLES.equals(before)


def test_the_step_is_the_interval_or_else_the_smallest_distance() -> None:
    # A bar of 5m closes 5 minutes after it opens, so that its own close reaches the timeout.
    far = [0, 5, 15, 20, 25, 30]
    unlabelled = simulate(candles_of(ROWS, far), ENTRIES, None, timeout="5m", costs=FREE)
    assert unlabelled["exit_time"].to_list() == [START + 15 * MINUTE]
    labelled = candles_of(ROWS, far, interval="1m")
    slower = simulate(labelled, ENTRIES, None, timeout="5m", costs=FREE)
    assert slower["exit_time"].to_list() == [START + 20 * MINUTE]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"entries": marks(5, 0)}, r"entries of one value per bar \(6\), was of shape \(5,\)"),
        ({"exits": marks(7)}, r"exits of one value per bar \(6\), was of shape \(7,\)"),
        ({"entries": np.zeros((6, 1), bool)}, r"was of shape \(6, 1\)"),
        ({"entries": np.zeros(6)}, "entries as booleans, was float64"),
        ({"entries": [1, 0, 0, 0, 0, 0]}, "entries as booleans, was int64"),
        ({"entries": None}, "entries as booleans, was object"),
        ({"exits": pl.Series([True, None] * 3)}, "exits as booleans, was object"),
        ({"side": "up"}, "side as long or short, was 'up'"),
        ({"stop": 0}, "stop of a long as a share over 0 and under 1, was 0"),
        ({"stop": -0.01}, "stop of a long .* was -0.01"),
        ({"stop": 1.0}, "stop of a long .* under 1, was 1.0"),
        ({"stop": float("nan")}, "was nan"),
        ({"stop": "2%"}, "was '2%'"),
        ({"stop": True}, "was True"),
        ({"trail": 1.5}, "trail of a long .* under 1"),
        ({"target": 0.0}, "target of a long as a share over 0, was 0.0"),
        ({"target": float("inf")}, "was inf"),
        ({"target": 1.0, "side": "short"}, "target of a short .* under 1"),
        ({"stop": 0.0, "side": "short"}, "stop of a short as a share over 0, was"),
        ({"timeout": 0}, "timeout as a positive duration or number of bars, was 0"),
        ({"timeout": -1}, "was -1"),
        ({"timeout": True}, "was True"),
        ({"timeout": 2.5}, "was 2.5"),
        ({"timeout": timedelta(0)}, "was datetime.timedelta"),
        ({"timeout": "soon"}, "expected a duration such as 15m"),
        ({"ambiguous": "average"}, "ambiguous as worst or best, was 'average'"),
        ({"candles": CANDLES.reverse()}, "ascending time"),
        ({"candles": CANDLES.drop("high")}, "high"),
        (
            {"candles": CANDLES.with_columns(symbol=pl.Series(list("AAABBB")))},
            "one symbol, was several",
        ),
        ({"candles": CANDLES.with_columns(interval=pl.lit("7m"))}, "expected an interval of"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_was_expected(
    changed: dict[str, Any], message: str
) -> None:
    arguments = {"candles": CANDLES, "entries": ENTRIES, "exits": None} | changed
    with pytest.raises(InvalidInput, match=message):
        simulate(**arguments)


def test_a_short_may_have_a_stop_beyond_double_and_a_long_any_target() -> None:
    assert simulate(CANDLES, ENTRIES, None, "short", stop=1.5).height == 1
    assert simulate(CANDLES, ENTRIES, None, target=25).height == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"fee_bps": -1},
        {"fee_bps": 10_000},
        {"slippage_bps": float("nan")},
        {"funding_bps": "1"},
        {"fee_bps": True},
        {"perpetual": 1},
    ],
)
def test_costs_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    (name,) = changed
    with pytest.raises(InvalidInput, match=f"expected {name}"):
        Costs(**changed)


def test_costs_are_frozen_and_equal_by_value() -> None:
    assert Costs(fee_bps=7) == Costs(7) != Costs(8)
    with pytest.raises(AttributeError):
        Costs().fee_bps = 0  # type: ignore[misc]
