"""Trades on bars with gaps, flat bars and ties, by us and, once, by vectorbt 1.2.0.

Its figures are written down here, of `Portfolio.from_signals` as docs/fills.md tells it to trade.
`benchmarks.cases.case` has taken out the entries on which the contracts differ; the last tests
are of those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.cases import candles, case, wild
from benchmarks.versus import COMPARED
from research.simulate import simulate
from tests.research.markets import FREE, START, candles_of, marks

if TYPE_CHECKING:
    import polars as pl

    from benchmarks.cases import Case

REASONS = ("stop", "target", "trail", "signal")

# Trades, sums of their entry bars, exit bars and price changes; total return; trades by reason.
FIGURES = {
    "stop and target": (111, 170987, 171999, -0.105388400266, -0.280764475733, (45, 19, 0, 47)),
    "short, stop and target": (
        *(113, 174518, 175510, 0.146717797095, -0.312805080608),
        (52, 14, 0, 47),
    ),
    "signals alone": (75, 121305, 122921, 0.030966970226, -0.114592434577, (0, 0, 0, 75)),
    "short, signals alone": (75, 121305, 122921, 0.181179078722, -0.284287187360, (0, 0, 0, 75)),
    "trail": (121, 188298, 189093, -0.157095778126, -0.329975141129, (0, 0, 81, 40)),
    "short, trail and target": (
        *(120, 187298, 188040, 0.134551168666, -0.313665927776),
        (0, 11, 74, 35),
    ),
    "stop within the slippage": (
        *(162, 247508, 247508, -0.161919040480, -0.384918267419),
        (162, 0, 0, 0),
    ),
    "stop, no costs": (94, 148058, 149276, 0.019438752531, 0.017109070171, (36, 0, 0, 58)),
    "target, no costs": (102, 159712, 160926, 0.132351385965, 0.139379042963, (0, 46, 0, 56)),
}


@pytest.mark.parametrize("rules", COMPARED, ids=lambda rules: rules.name)
def test_trades_are_those_of_vectorbt(rules: Any) -> None:
    made = case(wild(3_000), rules, 1)
    found = traded(made)
    bars = [
        int(np.searchsorted(made.bars.time, found[name].dt.epoch("us").to_numpy()).sum())
        for name in ("entry_time", "exit_time")
    ]
    change = (found["exit_price"] / found["entry_price"] - 1).sum()
    total = (1 + found["return"]).product() - 1
    reasons = tuple((found["reason"] == name).sum() for name in REASONS)
    trades, entered, left, changed, returned, why = FIGURES[rules.name]
    assert (found.height, *bars, reasons) == (trades, entered, left, why)
    assert (change, total) == pytest.approx((changed, returned), rel=0, abs=1e-11)


def traded(made: Case) -> pl.DataFrame:
    rules = made.rules
    return simulate(
        candles(made.bars),
        made.entries[:, 0],
        made.exits[:, 0],
        rules.side,  # type: ignore[arg-type] # long or short
        stop=rules.stop,
        target=rules.target,
        trail=rules.trail,
        costs=rules.costs,
    )


FLAT = (100.0, 100.0, 100.0, 100.0)


@pytest.mark.parametrize(
    ("rows", "entries", "exits", "levels", "ours", "theirs"),
    [
        # An entry decided on the bar in which the stop was hit.
        (
            [FLAT, (100, 101, 97, 98), FLAT, FLAT],
            [0, 1],
            [],
            {"stop": 0.02},
            [(1, 1, 98.0), (2, 3, 100.0)],
            [(1, 1, 98.0)],
        ),
        # Entry and exit on one close, in a position.
        (
            [FLAT, FLAT, (101,) * 4, (102,) * 4, (103,) * 4],
            [0, 1],
            [1, 3],
            {},
            [(1, 2, 101.0), (2, 4, 103.0)],
            [(1, 4, 103.0)],
        ),
        # Entry and exit on one close, while flat.
        ([FLAT, FLAT, (101,) * 4, (102,) * 4], [0], [0, 2], {}, [(1, 3, 102.0)], []),
        # A bar that opens beyond the target and later falls to the stop.
        (
            [FLAT, (100, 101, 99, 100), (106, 107, 97, 100), FLAT],
            [0],
            [],
            {"stop": 0.02, "target": 0.05},
            [(1, 2, 106.0)],
            [(1, 2, 98.0)],
        ),
        # A position that is open at the end.
        ([FLAT, (100, 104, 99, 103)], [0], [], {}, [(1, 1, 103.0)], []),
    ],
)
def test_where_the_contracts_differ_we_keep_our_own(  # noqa: PLR0917 - a table's columns
    rows: Any, entries: Any, exits: Any, levels: Any, ours: Any, theirs: Any
) -> None:
    frame, bars = candles_of(rows), len(rows)
    signals = marks(bars, *entries), marks(bars, *exits)
    found = simulate(frame, *signals, costs=FREE, **levels)
    at = [(found[name] - START).dt.total_minutes() for name in ("entry_time", "exit_time")]
    assert list(zip(*at, found["exit_price"], strict=True)) == ours != theirs
