"""A matrix of booleans at once: the same trades and scores as one column after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from core.datasets import METRICS
from core.errors import InvalidInput
from research.backtest import Costs, Market
from research.engine.run import run_nb
from research.simulate import simulate
from research.sweep import Swept, sweep
from tests.research.engine.minutes import garch
from tests.research.markets import frame_of

BARS = 3_001
CANDLES = frame_of(garch(3, BARS), symbol="X-Y", interval="1m")
MARKET = Market.of(CANDLES)
DRAWN = np.random.default_rng(1).random((2, BARS, 11))
ENTRIES, EXITS = DRAWN[0] < 0.02, DRAWN[1] < 0.01
COSTS = Costs(fee_bps=5, slippage_bps=2, funding_bps=1)


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("columns", [1, 3, 11])
def test_each_column_makes_the_trades_of_simulate(side: Any, order: Any, columns: int) -> None:
    entries, exits = (np.array(flags[:, :columns], order=order) for flags in (ENTRIES, EXITS))
    options: dict[str, Any] = {"side": side, "stop": 0.004, "trail": 0.006, "timeout": "8h"}
    found = sweep(MARKET, entries, exits, costs=COSTS, **options).frame(MARKET)
    assert found.columns[0] == "strategy"
    for column in range(columns):
        for engine in ("fast", "reference"):
            expected = simulate(
                CANDLES, entries[:, column], exits[:, column], costs=COSTS, engine=engine, **options
            )
            own = found.filter(pl.col("strategy") == column).drop("strategy")
            assert own.equals(expected)
            assert own.height > 20


def test_scores_follow_from_the_trades() -> None:
    swept = sweep(MARKET, ENTRIES, stop=0.005, target=0.01)
    assert swept.scores is not None
    assert swept.scores.metrics.keys() == METRICS.keys()
    assert swept.scores.metrics["trades"].tolist() == swept.counts.tolist()
    growth = [
        np.prod(1 + part["return"]) - 1
        for part in np.split(swept.trades, np.cumsum(swept.counts)[:-1])
    ]
    assert swept.scores.metrics["total_return"] == pytest.approx(growth, rel=1e-12)
    assert (1 + swept.scores.returns).prod(axis=1) - 1 == pytest.approx(growth, rel=1e-9)
    bare = sweep(MARKET, ENTRIES, stop=0.005, target=0.01, scored=False)
    assert bare.scores is None
    assert bare.trades.tolist() == swept.trades.tolist()


def test_levels_may_differ_by_strategy() -> None:
    stops = [0.002 * (1 + i) for i in range(11)]
    together = split(sweep(MARKET, ENTRIES, stop=stops, target=0.01))
    for i, stop in enumerate(stops):
        alone = sweep(MARKET, ENTRIES[:, i : i + 1], stop=stop, target=0.01).trades
        assert together[i].tolist() == alone.tolist()


def split(swept: Swept) -> list[np.ndarray]:
    return np.split(swept.trades, np.cumsum(swept.counts)[:-1])


def test_trades_beyond_the_room_are_handed_over_in_parts() -> None:
    always = np.ones((BARS, 90), np.bool_)  # 90 strategies that trade on nearly every bar
    swept = sweep(MARKET, always, always, scored=False)
    assert swept.counts.tolist() == [BARS - 1] * 90
    assert swept.trades.size == swept.counts.sum() > 200_000
    assert all(part.tolist() == split(swept)[0].tolist() for part in split(swept)[::30])


def test_inputs_may_be_read_only_and_are_left_as_they_were() -> None:
    before = ENTRIES.copy()
    for order in ("C", "F"):
        entries = np.array(ENTRIES, order=order)
        entries.flags.writeable = False
        assert sweep(MARKET, entries, stop=0.01).counts.sum() > 0
    assert (before == ENTRIES).all()
    assert len(run_nb.signatures) == 1


def test_no_strategies_make_no_trades() -> None:
    swept = sweep(MARKET, np.zeros((BARS, 0), np.bool_))
    assert (swept.trades.size, swept.counts.size) == (0, 0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"entries": ENTRIES.astype(int)}, "entries as booleans, was int64"),
        ({"entries": ENTRIES[:-1]}, r"entries of the shape \(3001, 'strategies'\)"),
        ({"entries": ENTRIES[:, 0]}, r"was of \(3001,\)"),
        ({"exits": EXITS[:, :4]}, r"exits of the shape \(3001, 11\), was of \(3001, 4\)"),
        ({"side": "up"}, "side as long or short"),
        ({"stop": 1.0}, "stop of a long"),
        ({"stop": [0.1, -0.1] * 5 + [0.1]}, "stop of a long"),
        ({"stop": [0.1, 0.2]}, "stop of one share or of 11, was of 2"),
        ({"timeout": 0}, "timeout"),
        ({"ambiguous": "maybe"}, "ambiguous"),
    ],
)
def test_a_wrong_argument_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        sweep(**({"market": MARKET, "entries": ENTRIES} | changed))
